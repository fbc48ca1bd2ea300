"""The calls that the API and the page of the day's limit use: one transaction each, for the caller."""

from uuid import UUID

from signals.casework import floods
from signals.casework.floods import Flood
from signals.notices import limit_notices as area_days
from signals.notices.limit_notices import FullDay
from signals.web.staff_kit.context import act, desk, look, operation, reading_operation


def todays() -> list[FullDay]:
    """Return the days that are nearly full: of the own organisation, or of all for an administrator."""
    return look(area_days.full_days, setting=_setting())


def one(area_day_id: UUID) -> FullDay:
    """Return one of them, also of an earlier day. Raises `NotFound`."""
    return look(area_days.full_day, setting=_setting(), area_day_id=area_day_id)


def lift(area_day_id: UUID, *, version: int | None) -> FullDay:
    """Raise today's limit once; `version`: how often it was raised when the caller read it."""
    return act(area_days.raise_limit, setting=_setting(), area_day_id=area_day_id, expected_raises=version)


def flood(area_day_id: UUID) -> Flood:
    """Count the unread and the set-aside signals of that day, in the caller's organisation."""
    with reading_operation() as reading:
        return floods.flood_of(reading, day=area_days.area_day(reading, area_day_id).day)


def bring_back(area_day_id: UUID) -> int:
    """Bring back what was set aside of that day, as its lead; return how many."""
    with operation() as bringing:
        return floods.bring_back(bringing, day=area_days.area_day(bringing, area_day_id).day)


def _setting() -> int:
    return desk().settings.limits.open_reports_per_area_and_day
