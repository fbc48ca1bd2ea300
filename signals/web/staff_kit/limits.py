"""What the API and the page of the day's limit both do: one transaction each, for the caller."""

from uuid import UUID

from signals.notices import limit_notices as area_days
from signals.notices.limit_notices import FullDay
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import desk


def todays() -> list[FullDay]:
    """Days that are nearly full: of the own organisation, for an administrator of all."""
    with desk().reading() as session:
        return area_days.full_days(session, desk().clock, actor=current().actor, setting=_setting())


def one(area_day_id: UUID) -> FullDay:
    """One of them, also of an earlier day. Raises `NotFound`."""
    with desk().reading() as session:
        return area_days.full_day(
            session, desk().clock, actor=current().actor, setting=_setting(), area_day_id=area_day_id
        )


def lift(area_day_id: UUID, *, version: int | None) -> FullDay:
    """Raise today's limit once; `version`: how often it was raised when the caller read it."""
    context = desk()
    with context.sessions.begin() as session:
        return area_days.raise_limit(
            session,
            context.clock,
            actor=current().actor,
            audit=context.audit,
            setting=_setting(),
            area_day_id=area_day_id,
            expected_raises=version,
        )


def _setting() -> int:
    return desk().settings.limits.open_reports_per_area_and_day
