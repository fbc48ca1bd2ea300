"""The small lane for reports without a token: so many a day for an organisation, and so many an hour.

The database counts the day in the transaction that stores a report, so that no two requests pass together.
Each process counts the hour in its memory only, because nothing finer than a date is stored.
"""

import threading
import uuid
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from signals.clock import seconds_to_midnight
from signals.errors import UnprovenFull
from signals.settings import LimitsSettings

_HOUR: Final = timedelta(hours=1)


@dataclass
class Place:
    """A place in the hour of a lane."""

    is_taken: bool = False


@dataclass
class UnprovenLane:
    """The lane as one process keeps it."""

    limits: LimitsSettings
    _recent: dict[uuid.UUID, deque[datetime]] = field(default_factory=lambda: defaultdict(deque), repr=False)
    _full: tuple[date, set[uuid.UUID]] = field(default=(date.min, set()), repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def per_day(self) -> int:
        return self.limits.unproven_reports_per_area_and_day

    @contextmanager
    def place(self, organisation_id: uuid.UUID, on: date, now: datetime) -> Iterator["Place"]:
        """Hold a place of this hour while a report is stored; free it again unless the report took it.

        Raises `UnprovenFull` where this process knows that the day or the hour is full.
        """
        self._take(organisation_id, on, now)
        place = Place()
        try:
            yield place
        finally:
            if not place.is_taken:
                with self._lock:
                    self._recent[organisation_id].remove(now)

    def _take(self, organisation_id: uuid.UUID, on: date, now: datetime) -> None:
        with self._lock:
            if self._full[0] == on and organisation_id in self._full[1]:
                raise UnprovenFull(seconds_to_midnight(now))
            recent = self._of_this_hour(organisation_id, now)
            if len(recent) >= self.limits.unproven_reports_per_area_and_hour:
                oldest = recent[0] if recent else now
                raise UnprovenFull(int((oldest + _HOUR - now).total_seconds()) + 1)
            recent.append(now)

    def fill(self, organisation_id: uuid.UUID, on: date) -> None:
        """Remember that the database refused one for this day: the next ones cost no transaction."""
        with self._lock:
            known = self._full[1] if self._full[0] == on else set()
            self._full = on, known | {organisation_id}

    def _of_this_hour(self, organisation_id: uuid.UUID, now: datetime) -> deque[datetime]:
        recent = self._recent[organisation_id]
        while recent and not now - _HOUR < recent[0] <= now:  # also after a clock was set back
            recent.popleft()
        return recent
