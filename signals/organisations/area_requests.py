"""Areas that wait: for the team that would lose addresses, or for a second administrator.

The first organisation of an empty installation asks nobody: there is nobody. A second account ends that. The
server's command line asks nobody either: its user holds the keys.
"""

import uuid
from dataclasses import asdict
from datetime import date
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.audit.log import SYSTEM
from signals.clock import AMSTERDAM
from signals.lifecycle.deadlines import add_working_days
from signals.models import Approval, Organisation, StaffMember
from signals.operation import Operation
from signals.organisations.changes import announce
from signals.routing.areas import Area
from signals.routing.losing import Losing
from signals.staff.approvals import add_request, is_over, only_administrator, record_decision
from signals.vocabulary import ApprovalAction

OBJECTION_DAYS: Final = 3
"""Working days that an area waits for objections where a single administrator asked."""
_ADMINISTRATORS: Final = "administrators"


def ask_for_area(
    operation: Operation,
    organisation: Organisation,
    area: Area,
    losers: Losing,
    *,
    before: Approval | None = None,
) -> Approval | None:
    """Ask the next one who must agree to an area; None when nobody must, or all have agreed.

    `before`: the approved request of the one who agreed last.
    """
    so_far = _agreed(before) if before else []
    deciders = _deciders(operation, organisation.id, losers)
    missing = sorted(deciders.keys() - set(so_far))
    if not missing:
        return None
    by_administrators, team = missing[0] == _ADMINISTRATORS, deciders[missing[0]]
    asked = add_request(
        operation,
        Approval(
            organisation_id=team,
            subject_id=organisation.id,
            by_administrators=by_administrators,
            action=ApprovalAction.COVER,
            change={"area": _as_text(area), "agreed": so_far},
            email="",
            name=organisation.name,
            asked_by_id=before.asked_by_id if before else operation.actor.id,
        ),
        Ground.COVERAGE,
    )
    announce(operation, team, organisation.id)
    return asked


def area_of(approval: Approval) -> Area:
    """Return the area that a request is about."""
    values = dict((approval.change or {})["area"])
    for name in ("valid_from", "valid_until"):
        values[name] = date.fromisoformat(values[name]) if values[name] else None
    return Area(**values)


def unopposed(operation: Operation) -> list[Approval]:
    """Approve the areas to which nobody objected for three working days, where one administrator is alone.

    Return them: the caller lets them be covered. A request of somebody who was shut out since never passes.
    """
    session = operation.session
    query = select(Approval).where(
        Approval.by_administrators, Approval.action == ApprovalAction.COVER, Approval.decision == "asked"
    )
    passed = []
    for one in session.scalars(query.order_by(Approval.asked_at, Approval.id).with_for_update()):
        asked_on = one.asked_at.astimezone(AMSTERDAM).date()
        ripe = add_working_days(asked_on, OBJECTION_DAYS) <= operation.today
        acts = session.get_one(StaffMember, one.asked_by_id).disabled_at is None
        alone = acts and only_administrator(operation, one.asked_by_id)
        if ripe and alone and not is_over(one, operation.clock):
            record_decision(operation, one, approve=True)
            passed.append(one)
    return passed


def _agreed(approval: Approval) -> list[str]:
    """Return those who agreed, with the decider of this request."""
    decider = _ADMINISTRATORS if approval.by_administrators else str(approval.organisation_id)
    return [*(approval.change or {}).get("agreed", ()), decider]


def _deciders(
    operation: Operation, organisation_id: uuid.UUID, losers: Losing
) -> dict[str, uuid.UUID | None]:
    """Return the teams that must agree, by id as text.

    Where no other team loses an address, `_ADMINISTRATORS` must; with the national desk, which can object.
    """
    if operation.actor == SYSTEM or _is_first_of_all(operation.session):
        return {}
    others, desks = losers.teams - {organisation_id}, losers.desks - {organisation_id}
    if others or (not desks and organisation_id in losers.teams | losers.desks):
        return {str(one): one for one in others}
    return {_ADMINISTRATORS: next(iter(desks), None)}


def _is_first_of_all(session: Session) -> bool:
    """Return whether a single account exists: one person sets up the first organisation."""
    return (session.scalar(select(func.count()).select_from(StaffMember)) or 0) <= 1


def _as_text(area: Area) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(area).items()
    }
