"""Slow down guesses of passwords, in all processes at once, without locking anybody out.

Guesses from a browser that signed in before are counted apart (docs/adr, throttling). So a stranger who keeps
guessing cannot keep the right person waiting. A cookie proves such a browser; it names nobody and is stored
nowhere. The trail gets one entry for each hour of refused sign-ins of unknown addresses.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from privacy.link_codes import TOKEN, CodeRefused, LinkCodes
from signals.audit.grounds import Ground
from signals.audit.log import Actor
from signals.clock import Clock
from signals.db import is_sqlite, reading, session_factory
from signals.errors import TooManyGuesses
from signals.models import SignInGuess, UnknownSignIns
from signals.operation import Operation
from signals.staff.identity import normal_email
from signals.vocabulary import AuditAction

FREE_GUESSES: Final = 5
LONGEST_WAIT: Final = timedelta(seconds=60)
FORGOTTEN_AFTER: Final = timedelta(minutes=15)
SWEPT_AT_ONCE: Final = 100
KNOWN_FOR: Final = timedelta(days=180)
MOST_PEOPLE: Final = 5
"""This many people can share a browser and each be known in it."""
_BETWEEN: Final = "~"
UNKNOWN: Final = Actor(id=None, role="unknown", organisation_id=None)
"""The actor before somebody has signed in."""


class GuessThrottle:
    """Count sign-in attempts in the database, each in a transaction of its own; safe from many processes.

    Five guesses are free. After each further one the bucket waits: 1 s, 2 s, 4 s ... at most 60 s. The count
    is forgotten after 15 quiet minutes or a good sign-in. A bucket is a known device, or else an address,
    whether an account has it or not. So an answer tells nothing.
    """

    def __init__(self, clock: Clock, engine: Engine, key: bytes) -> None:
        """Keep the clock, the databases and the key: 32 bytes that the database does not hold."""
        self._clock, self._key = clock, key
        self._sessions, self._reading = session_factory(engine), session_factory(reading(engine))
        self.devices = KnownDevices(clock, key)

    def admit(self, email: str, *, cookie: str = "") -> None:
        """Count one guess before it is tried, so that many at once are counted too.

        `cookie` is the browser's cookie of `devices`. Raises `TooManyGuesses` (`retry_after` in seconds)
        while the bucket waits; such a guess is not counted and writes nothing.
        """
        bucket, now = self._bucket(email, cookie), self._clock.now()
        with self._reading() as session:  # a flood of guesses neither waits for a writer nor delays one
            _refuse_while_waiting(session.get(SignInGuess, bucket), now)
        with self._sessions.begin() as session:
            _forget_old(session, now)
            _admit(session, bucket, now)

    def succeeded(self, email: str, *, cookie: str = "") -> None:
        """Forget the guesses of this bucket after a good sign-in."""
        with self._sessions.begin() as session:
            session.execute(delete(SignInGuess).where(SignInGuess.bucket == self._bucket(email, cookie)))

    def _bucket(self, email: str, cookie: str) -> bytes:
        device = self.devices.recognise(email, cookie)
        if device is not None:
            return self._hmac(b"guesses/device\x00" + device)
        return self._hmac(b"guesses/email\x00" + normal_email(email).encode("utf-8", "replace"))

    def _hmac(self, of: bytes) -> bytes:
        return hmac.new(self._key, of, hashlib.sha256).digest()


def _admit(session: Session, bucket: bytes, now: datetime) -> None:
    found = _locked(session, bucket, now)
    _refuse_while_waiting(found, now)
    recent = now - found.last_at < FORGOTTEN_AFTER
    found.count = found.count + 1 if recent else 1
    found.last_at, found.next_at = now, now + _wait_after(found.count)


def _refuse_while_waiting(found: SignInGuess | None, now: datetime) -> None:
    if found is not None and now < found.next_at:
        raise TooManyGuesses(ceil((found.next_at - now).total_seconds()))


def _locked(session: Session, bucket: bytes, now: datetime) -> SignInGuess:
    """Lock the row of a bucket in one statement, because a good sign-in may delete it at any moment."""
    insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    fresh = insert(SignInGuess).values(bucket=bucket, count=0, last_at=now, next_at=now)
    locking = fresh.on_conflict_do_update(index_elements=["bucket"], set_={"count": SignInGuess.count})
    return session.scalars(locking.returning(SignInGuess)).one()


def _forget_old(session: Session, now: datetime) -> None:
    """Delete a few old rows; skip those that another process has locked, so that nobody waits."""
    old = (
        select(SignInGuess.bucket)
        .where(SignInGuess.last_at <= now - FORGOTTEN_AFTER)
        .limit(SWEPT_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    session.execute(delete(SignInGuess).where(SignInGuess.bucket.in_(session.scalars(old).all())))


def _wait_after(count: int) -> timedelta:
    if count < FREE_GUESSES:
        return timedelta()
    return min(LONGEST_WAIT, timedelta(seconds=2 ** min(count - FREE_GUESSES, 10)))


class KnownDevices:
    """Make and recognise the cookie: for each person a token (`privacy.link_codes`) that binds the address.

    Sign-in reads it to count the guesses of this browser apart, and nothing else does.
    """

    def __init__(self, clock: Clock, key: bytes) -> None:
        self._clock, self._codes = clock, LinkCodes(key, "device")

    def recognise(self, email: str, cookie: str) -> bytes | None:
        """Return the random part of this person's token; None for a forged or old one."""
        found = (self._nonce(token, email) for token in _tokens(cookie))
        return next((nonce for nonce in found if nonce is not None), None)

    def remember(self, email: str, cookie: str = "") -> str:
        """Return the new cookie after a good sign-in: this person's token first, then those of others."""
        others = [token for token in _tokens(cookie) if self._nonce(token, email) is None]
        own = self._codes.new_token(normal_email(email), expires_at=self._clock.now() + KNOWN_FOR)
        return _BETWEEN.join([own, *others][:MOST_PEOPLE])

    def _nonce(self, token: str, email: str) -> bytes | None:
        try:
            return self._codes.read_token(token, normal_email(email), now=self._clock.now()).nonce
        except CodeRefused:
            return None


def _tokens(cookie: str) -> list[str]:
    return [text for text in cookie.split(_BETWEEN)[:MOST_PEOPLE] if TOKEN.fullmatch(text)]


def count_unknown(operation: Operation) -> None:
    """Count one refused sign-in of this hour."""
    insert = (sqlite if is_sqlite(operation.session) else postgresql).insert(UnknownSignIns)
    one = insert.values(hour=_hour(operation.now), number=1)
    more = {"number": UnknownSignIns.number + 1}
    operation.session.execute(one.on_conflict_do_update(index_elements=["hour"], set_=more))


def record_unknown(operation: Operation) -> int:
    """Write an audit entry for each hour that is over, with its number; return how many entries."""
    over = delete(UnknownSignIns).where(UnknownSignIns.hour < _hour(operation.now))
    rows = operation.session.execute(over.returning(UnknownSignIns.hour, UnknownSignIns.number)).all()
    for hour, number in rows:
        operation.audit.record(
            operation.session,
            operation.clock,
            actor=UNKNOWN,
            action=AuditAction.SIGN_IN_FAILED,
            ground=Ground.UNKNOWN_ADDRESSES.of(number),
            outcome="refused",
            at=hour,
        )
    return len(rows)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
