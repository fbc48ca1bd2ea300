"""Check few passwords at once: each takes 64 MiB and a core, and other requests go on beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Final

from signals.errors import TooManyGuesses

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
