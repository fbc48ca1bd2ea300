"""The small lane for reports without a token: so many a day for an organisation, and so many an hour.

The database counts the day in the transaction that stores a report, so that no two requests pass together.
Each process counts the hour in its memory only, because nothing finer than a date is stored. Every place
comes free at the full hour: a lane that moves along would tell a stranger the second of somebody's report.
"""

import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

from signals.clock import seconds_to_midnight
from signals.errors import UnprovenFull
from signals.settings import LimitsSettings


@dataclass
class Place:
    """A place in the hour of a lane."""

    is_taken: bool = False


@dataclass
class UnprovenLane:
    """The lane as one process keeps it."""

    limits: LimitsSettings
    _taken: Counter[tuple[uuid.UUID, datetime]] = field(default_factory=Counter, repr=False)
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
        hour = self._take(organisation_id, on, now)
        place = Place()
        try:
            yield place
        finally:
            if not place.is_taken:
                with self._lock:
                    self._taken[organisation_id, hour] -= 1

    def _take(self, organisation_id: uuid.UUID, on: date, now: datetime) -> datetime:
        """Return the hour in which a place was free."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        with self._lock:
            if self._full[0] == on and organisation_id in self._full[1]:
                raise UnprovenFull(seconds_to_midnight(now))
            if all(known != hour for _, known in self._taken):
                self._taken.clear()
            if self._taken[organisation_id, hour] >= self.limits.unproven_reports_per_area_and_hour:
                raise UnprovenFull(3600 - 60 * now.minute - now.second)
            self._taken[organisation_id, hour] += 1
        return hour

    def fill(self, organisation_id: uuid.UUID, on: date) -> None:
        """Remember that the database refused one for this day: the next ones cost no transaction."""
        with self._lock:
            known = self._full[1] if self._full[0] == on else set()
            self._full = on, known | {organisation_id}
