"""The calls that the API and the page of the day's limit share: one transaction each, for the caller."""

from uuid import UUID

from signals.notices import limit_notices as area_days
from signals.notices.limit_notices import FullDay
from signals.web.staff_kit.context import desk, operation, reading_operation


def todays() -> list[FullDay]:
    """Return the days that are nearly full: of the own organisation, or of all for an administrator."""
    with reading_operation() as reading:
        return area_days.full_days(reading, setting=_setting())


def one(area_day_id: UUID) -> FullDay:
    """Return one of them, also of an earlier day. Raises `NotFound`."""
    with reading_operation() as reading:
        return area_days.full_day(reading, setting=_setting(), area_day_id=area_day_id)


def lift(area_day_id: UUID, *, version: int | None) -> FullDay:
    """Raise today's limit once; `version`: how often it was raised when the caller read it."""
    with operation() as raising:
        return area_days.raise_limit(
            raising, setting=_setting(), area_day_id=area_day_id, expected_raises=version
        )


def _setting() -> int:
    return desk().settings.limits.open_reports_per_area_and_day
