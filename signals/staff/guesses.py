"""A brake on guessing passwords: it slows an account's sign-in down and never locks anybody out for long."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from threading import Lock
from typing import Final

from signals.clock import Clock
from signals.errors import TooManyGuesses
from signals.staff.identity import normal_email

FREE_GUESSES: Final = 5
LONGEST_WAIT: Final = timedelta(seconds=60)
FORGOTTEN_AFTER: Final = timedelta(minutes=15)
MOST_ACCOUNTS: Final = 10_000


@dataclass
class _Guesses:
    count: int
    last_at: datetime
    next_at: datetime


class GuessThrottle:
    """Counts sign-in attempts for each account in the memory of one process; safe from many threads.

    Five guesses are free. After each further one the account must wait: 1 s, 2 s, 4 s ... at most 60 s. The
    count is forgotten after 15 quiet minutes or a good sign-in. Kept by the hash of the address, and for at
    most 10,000 accounts (the longest unseen goes first), existing or not, so that an answer tells nothing.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._accounts: OrderedDict[bytes, _Guesses] = OrderedDict()

    def admit(self, email: str) -> None:
        """Count one guess, before it is tried: many at once are then counted too.

        Raises `TooManyGuesses` (`retry_after` in seconds) while the account must wait; that is not counted.
        """
        key, now = _key(email), self._clock.now()
        with self._lock:
            known = self._accounts.get(key)
            if known is not None and now < known.next_at:
                raise TooManyGuesses(ceil((known.next_at - now).total_seconds()))
            self._count(key, now, known)

    def succeeded(self, email: str) -> None:
        """Forget the guesses of an account after a good sign-in."""
        with self._lock:
            self._accounts.pop(_key(email), None)

    def _count(self, key: bytes, now: datetime, known: _Guesses | None) -> None:
        recent = known is not None and now - known.last_at < FORGOTTEN_AFTER
        count = known.count + 1 if known is not None and recent else 1
        self._accounts[key] = _Guesses(count=count, last_at=now, next_at=now + _wait_after(count))
        self._accounts.move_to_end(key)
        if len(self._accounts) > MOST_ACCOUNTS:
            self._accounts.popitem(last=False)


def _wait_after(count: int) -> timedelta:
    if count < FREE_GUESSES:
        return timedelta()
    return min(LONGEST_WAIT, timedelta(seconds=2 ** min(count - FREE_GUESSES, 10)))


def _key(email: str) -> bytes:
    return hashlib.sha256(normal_email(email).encode("utf-8", "replace")).digest()
