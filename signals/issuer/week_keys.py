"""Keys by week: made four weeks ahead, used in their own week only, and destroyed with it."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import IntegrityError
from structlog import get_logger

from privacy.sealing import open_bytes, seal_bytes, week_start
from privacy.tokens import TokenKey, TokenRefused
from signals.db import session_factory
from signals.issuer.signing import BlindSigner, new_key
from signals.issuer.tables import WeekKey

WEEKS_AHEAD: Final = 4

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class PublishedKey:
    """The public half of a week's key."""

    week: date
    key: TokenKey


@dataclass
class WeekKeys:
    """The keys as one process uses them; the signer of this week stays in memory, and of no other week."""

    engine: Engine = field(repr=False)
    secret: bytes = field(repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _present: tuple[date, TokenKey, BlindSigner] | None = field(default=None, repr=False)

    def destroy_past(self, on: date) -> None:
        """Destroy the keys of past weeks; only under a clock that was compared, for no key comes back."""
        this_week = week_start(on)
        with self._lock, session_factory(self.engine).begin() as session:
            if self._present is not None and self._present[0] != this_week:
                self._present = None
            session.execute(update(WeekKey).where(WeekKey.week < this_week).values(wrapped=None))
            session.execute(delete(WeekKey).where(WeekKey.week < this_week - timedelta(weeks=1)))

    def make(self, on: date) -> int:
        """Make missing keys of this week and four more; return the number made."""
        with self._lock, session_factory(self.engine).begin() as session:
            known = {row.week: row.public_key for row in session.scalars(select(WeekKey))}
            new = self._missing(week_start(on), known)
            session.add_all(new)
        return len(new)

    def published(self, on: date) -> Sequence[PublishedKey]:
        """Return the public keys from last week on, the oldest first."""
        last_week = week_start(on) - timedelta(weeks=1)
        with session_factory(self.engine)() as session:
            query = select(WeekKey).where(WeekKey.week >= last_week).order_by(WeekKey.week)
            rows = session.scalars(query).all()
        if week_start(on) not in {row.week for row in rows}:
            self.make_once(on)
            return self.published(on)
        return [PublishedKey(week=row.week, key=TokenKey(encoded=row.public_key)) for row in rows]

    def signer(self, short_key_id: int, on: date) -> BlindSigner:
        """Return the key of this week; raise `TokenRefused` for the name of another key."""
        week, key, signer = self._present or self._opened(on)
        if week != week_start(on):
            week, key, signer = self._opened(on)
        if short_key_id != key.id[-1]:
            raise TokenRefused
        return signer

    def make_once(self, on: date) -> None:
        """Make missing keys; another process may have made the same ones at this moment."""
        try:
            self.make(on)
        except IntegrityError:
            log.info("issuer.keys_made_elsewhere")

    def _opened(self, on: date) -> tuple[date, TokenKey, BlindSigner]:
        this_week = week_start(on)
        self.published(on)  # makes the key where it is missing
        with session_factory(self.engine)() as session:
            row = session.get_one(WeekKey, this_week)
        private = open_bytes(row.wrapped or b"", self.secret, associated_data=_place(this_week))
        self._present = this_week, TokenKey(encoded=row.public_key), BlindSigner(private)
        return self._present

    def _missing(self, this_week: date, known: dict[date, bytes]) -> list[WeekKey]:
        weeks = [this_week + timedelta(weeks=ahead) for ahead in range(WEEKS_AHEAD + 1)]
        taken = {TokenKey(encoded=key).id[-1] for key in known.values()}
        return [self._made(week, taken) for week in weeks if week not in known]

    def _made(self, week: date, taken: set[int]) -> WeekKey:
        # A request names its key by one byte, so no two keys of the directory may share theirs.
        while True:
            public, private = new_key()
            if public.id[-1] not in taken:
                taken.add(public.id[-1])
                wrapped = seal_bytes(private, self.secret, associated_data=_place(week))
                return WeekKey(week=week, public_key=public.encoded, wrapped=wrapped)


def _place(week: date) -> bytes:
    return f"signals/issuer/week-key/v1|{week}".encode()
