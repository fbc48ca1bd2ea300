"""The limits of reports for an organisation, in a day and in ten minutes: brakes on floods, blind to senders.

Counted where reports are received, so it costs no more than a number in memory until the limit comes near.
"""

import threading
import time
import uuid
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Engine, Integer, bindparam, func, literal, select

from signals.clock import seconds_to_midnight
from signals.errors import AreaBusy, AreaFull
from signals.models import AreaDay, IdempotencyKey
from signals.models.area_day import limit_after

NEARLY: Final = 0.8
"""From this part of the limit on each report asks the database, and people are notified."""
_SMALL: Final = 100
_AGAIN_AFTER: Final = timedelta(minutes=30)
"""A refused carrier asks again after this, or at midnight: the team is notified and may raise the limit."""
STEP_LASTS: Final = timedelta(minutes=10)


def step_of(limit: int) -> int:
    """Return how many reports in `STEP_LASTS` alarm people: a tenth of the limit, or all of a small one."""
    return limit if limit < _SMALL else limit // 10


def most_in_step(limit: int) -> int:
    """Return how many reports a process takes in `STEP_LASTS`: after an outage they all come at once."""
    return limit if limit < _SMALL else limit // 5


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """The count of one organisation on one day in a process, read at `asked_at` (monotonic seconds)."""

    number: int = 0
    limit: int
    asked_at: float = float("-inf")


class AreaLimit:
    """The limit as one process keeps it; `limit` is the setting, which people may raise for a day.

    Far below the limit a process counts for itself and asks the database now and then, the rarer the more
    room is left; near it, and always for small limits, it asks each time. Once it is full, it asks now and
    then whether it was raised.

    Only this process knows how many came in the last `STEP_LASTS`: nobody stores that.
    """

    def __init__(self, limit: int, *, refresh_seconds: float = 2.0) -> None:
        self.limit = limit
        self._refresh_seconds = refresh_seconds
        self._lock = threading.Lock()
        self._known: dict[tuple[uuid.UUID, date], _Known] = {}
        self._recent: dict[uuid.UUID, deque[datetime]] = defaultdict(deque)

    def check(self, engine: Engine, organisation_id: uuid.UUID, on: date, now: datetime) -> None:
        """Raise `AreaFull` at the day's limit, `AreaBusy` at that of ten minutes, with the seconds to wait.

        `engine` is one to read with.
        """
        known = self._now_known(engine, organisation_id, on)
        if known.number >= known.limit:
            raise AreaFull(retry_after=min(seconds_to_midnight(now), int(_AGAIN_AFTER.total_seconds())))
        with self._lock:
            recent = self._of_late(organisation_id, now)
            if known.limit >= _SMALL and len(recent) >= most_in_step(known.limit):
                raise AreaBusy(retry_after=int((recent[0] + STEP_LASTS - now).total_seconds()) + 1)

    def count(self, organisation_id: uuid.UUID, on: date, now: datetime) -> None:
        """One more was stored by this process."""
        with self._lock:
            self._of_late(organisation_id, now).append(now)
            known = self._known.get((organisation_id, on)) or _Known(limit=self.limit)
            self._known[organisation_id, on] = _Known(
                number=known.number + 1, limit=known.limit, asked_at=known.asked_at
            )

    def _of_late(self, organisation_id: uuid.UUID, now: datetime) -> deque[datetime]:
        recent = self._recent[organisation_id]
        while recent and not now - STEP_LASTS < recent[0] <= now:  # also after a clock was set back
            recent.popleft()
        return recent

    def _now_known(self, engine: Engine, organisation_id: uuid.UUID, on: date) -> _Known:
        known = self._known.get((organisation_id, on))
        if known is not None and time.monotonic() - known.asked_at < self._refresh_seconds * _patience(known):
            far_below = known.limit >= _SMALL and known.number < known.limit * NEARLY
            if far_below or known.number >= known.limit:
                return known
        return self._asked(engine, organisation_id, on)

    def _asked(self, engine: Engine, organisation_id: uuid.UUID, on: date) -> _Known:
        """Count and raises in one statement, no further than the limit."""
        asked_at = time.monotonic()
        with engine.connect() as connection:
            parameters = {"organisation_id": organisation_id, "on": on, "setting": self.limit}
            number, raises = connection.execute(_QUERY, parameters).one()
        known = _Known(number=number, limit=limit_after(self.limit, raises), asked_at=asked_at)
        with self._lock:
            if any(day != on for _organisation, day in self._known):
                self._known = {key: value for key, value in self._known.items() if key[1] == on}
            self._known[organisation_id, on] = known
        return known


def _patience(known: _Known) -> float:
    """How much longer than near the limit nobody asks: only as fast a flood as there fills what is left."""
    return max(1.0, (1 - known.number / known.limit) / (1 - NEARLY)) if known.limit else 1.0


_RAISES = func.coalesce(
    select(AreaDay.raises)
    .where(AreaDay.organisation_id == bindparam("organisation_id"), AreaDay.day == bindparam("on"))
    .scalar_subquery(),
    0,
)
_STORED = (
    select(literal(1))
    .select_from(IdempotencyKey)
    .where(
        IdempotencyKey.organisation_id == bindparam("organisation_id"),
        IdempotencyKey.received_on == bindparam("on"),
    )
    .limit(bindparam("setting", type_=Integer()) * (1 + _RAISES))
    .subquery()
)
_QUERY = select(select(func.count()).select_from(_STORED).scalar_subquery(), _RAISES)
