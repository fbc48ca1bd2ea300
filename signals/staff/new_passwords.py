"""What a password that somebody chooses must be: long, none of those guessed first, not about them."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from signals.errors import FieldProblem
from signals.staff.accounts import MIN_PASSWORD
from signals.staff.identity import MAX_PASSWORD

FEWEST_DIFFERENT: Final = 5
SHORTEST_NAME: Final = 4
"""Shorter parts of a name occur in innocent words."""

_COMMON: Final = frozenset(
    (  # noqa: SIM905 - a list of one word a line would be read by nobody
        "wachtwoord welkom geheim inloggen toegang zomer winter lente herfst voorjaar najaar amsterdam "
        "rotterdam utrecht groningen denhaag nederland gemeente welzijn maatschappelijk wijkteam signaal "
        "signalen signals postnl feyenoord ajax psv password passwort welcome letmein letmeinplease "
        "iloveyou login admin administrator changeme secret qwerty qwertyuiop qwertyuiopasdf azerty "
        "azertyuiop asdfghjkl zxcvbnm abcdefgh abcdefghijkl abcdefghijklm superman batman football voetbal "
        "monkey dragon sunshine princess trustno master"
    ).split()
)
"""Words to which people add digits and signs until a password is long enough."""

_ENDS: Final = re.compile(r"^[^a-z]+|[^a-z]+$")
_LOOKALIKES: Final = str.maketrans("013457@$!", "oleastasi")


def problems_of_password(password: str, *, name: str, email: str) -> Iterator[FieldProblem]:
    """Everything wrong with a new password (`too_short`, `too_long`, `too_common`, `too_personal`).

    12 to 200 characters; nothing is asked about kinds of characters (NIST SP 800-63B 5.1.1.2).
    """
    plain = _plain(password)
    if len(password) < MIN_PASSWORD:
        yield FieldProblem(field="password", code="too_short")
    elif len(password) > MAX_PASSWORD:
        yield FieldProblem(field="password", code="too_long")
    elif any(part in plain for part in _personal(name, email)):
        yield FieldProblem(field="password", code="too_personal")
    elif _is_common(plain):
        yield FieldProblem(field="password", code="too_common")


def _is_common(plain: str) -> bool:
    """A common word, however often, with digits and signs around it, or next to no different characters."""
    letters = "".join(letter for letter in plain if letter.isalpha())
    swapped = _ENDS.sub("", plain).translate(_LOOKALIKES)
    words = {letters, swapped, _once(letters), _once(swapped)}
    return len(set(plain)) < FEWEST_DIFFERENT or len(letters) < 2 or bool(words & _COMMON)


def _once(text: str) -> str:
    """`welkomwelkom` -> `welkom`."""
    start = (text + text).find(text, 1)
    return text[:start]


def _personal(name: str, email: str) -> Iterator[str]:
    local, _, domain = _plain(email).partition("@")
    for part in (*_plain(name).split(), local, domain.partition(".")[0]):
        if len(part) >= SHORTEST_NAME:
            yield part


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
