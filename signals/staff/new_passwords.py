"""Refuse new passwords that are short or easy to guess by the estimate of zxcvbn (NIST SP 800-63B).

A turn lets a process check few passwords at once: each takes 64 MiB and a core.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Final

from signals.errors import FieldProblem, TooManyGuesses
from signals.staff.accounts import MIN_PASSWORD
from signals.staff.identity import MAX_PASSWORD

WEAK: Final = 2
"""A score of zxcvbn (0 to 4) up to this one is refused: fewer than about 10^8 guesses."""

SHORTEST_NAME: Final = 3
"""Shorter parts of a name or an address occur in innocent words."""

_DUTCH: Final = (  # noqa: SIM905 - nobody reads a list of one word a line
    "wachtwoord welkom geheim inloggen toegang zomer winter lente herfst voorjaar najaar nederland gemeente"
    " welzijn maatschappelijk wijkteam signaal signalen voetbal feyenoord rotterdam utrecht groningen denhaag"
).split()
"""Common words that the lists of zxcvbn lack."""


def problems_of_password(password: str, *, name: str, email: str) -> Iterator[FieldProblem]:
    """Yield the problem of a new password: `too_short`, `too_long`, `too_common` or `too_personal`.

    A password has 12 to 200 characters of any kind.
    """
    if len(password) < MIN_PASSWORD:
        yield FieldProblem(field="password", code="too_short")
        return
    if len(password) > MAX_PASSWORD:
        yield FieldProblem(field="password", code="too_long")
        return
    personal = sorted(_personal(f"{name} {email}".casefold()), key=len, reverse=True)
    impersonal = re.sub("|".join(map(re.escape, personal)), "", password.casefold()) if personal else password
    without_signs = re.sub(r"[\W_]+", "", password)  # zxcvbn takes 1234-5678-9012 for a strong one
    if len(impersonal) < len(password) and _is_weak(impersonal):
        yield FieldProblem(field="password", code="too_personal")
    elif _is_weak(password) or _is_weak(without_signs):
        yield FieldProblem(field="password", code="too_common")


def _personal(text: str) -> Iterator[str]:
    for word in re.findall(r"[^\s@]+", text):
        yield from (part for part in (word, *re.split(r"\W+", word)) if len(part) >= SHORTEST_NAME)


def _is_weak(text: str) -> bool:
    from zxcvbn import zxcvbn  # slow to load, and few requests need it

    return not text or zxcvbn(text, user_inputs=_DUTCH, max_length=MAX_PASSWORD)["score"] <= WEAK


AT_ONCE: Final = 2
WAITING: Final = 1
"""So many wait, because each keeps a thread."""
WAIT_SECONDS: Final = 1.0

_turns = BoundedSemaphore(AT_ONCE)
_queue = BoundedSemaphore(AT_ONCE + WAITING)


@contextmanager
def password_turn() -> Iterator[None]:
    """Hold one of this process's turns. Raises `TooManyGuesses` when none comes soon."""
    if not _queue.acquire(blocking=False):
        raise TooManyGuesses(retry_after=1)
    try:
        if not _turns.acquire(timeout=WAIT_SECONDS):
            raise TooManyGuesses(retry_after=1)
        try:
            yield
        finally:
            _turns.release()
    finally:
        _queue.release()
