"""Settings and absences of a team: one transaction of the caller for each call, for API and pages."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from signals.casework.workload import colleagues as colleagues_of
from signals.clock import today
from signals.models import Organisation
from signals.organisations import team_settings
from signals.staff import absence
from signals.staff.absence import Away
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import act, desk, operation, read
from signals.web.staff_kit.opened import organisation_id


def settings_of(organisation: UUID) -> Organisation:
    return read(team_settings.settings_of, actor=current().actor, organisation_id=organisation)


def change_settings(organisation: UUID, changes: Mapping[str, Any], version: int | None) -> Organisation:
    return act(
        team_settings.change_settings, organisation_id=organisation, changes=changes, expected_version=version
    )


def colleagues() -> list[tuple[UUID, str]]:
    """Return (id, name) of everybody of the own team who may have signals."""
    with desk().reading() as session:
        return list(colleagues_of(session, organisation_id=organisation_id()))


def absences() -> list[Away]:
    """Return the absences of the own team, today or later."""
    context = desk()
    with context.reading() as session:
        return absence.absences(session, organisation_id=organisation_id(), on=today(context.clock))


def add_absence(
    *, away_from: date, away_until: date, cover_id: UUID | None = None, staff_id: UUID | None = None
) -> Away:
    """Record an absence and return it with names."""
    with operation() as adding:
        added = absence.add_absence(
            adding, away_from=away_from, away_until=away_until, cover_id=cover_id, staff_id=staff_id
        ).id
        known = absence.absences(adding.session, organisation_id=organisation_id(), on=adding.today)
        return next(away for away in known if away.id == added)


def is_away_so(
    *, away_from: date, away_until: date, cover_id: UUID | None = None, staff_id: UUID | None = None
) -> bool:
    """Tell whether this absence exists already; a person may press the button twice."""
    wanted = (staff_id or current().actor.id, away_from, away_until, cover_id)
    return wanted in {(one.staff_id, one.away_from, one.away_until, one.cover_id) for one in absences()}
