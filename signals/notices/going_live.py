"""Let a team go live: four steps, then a test message; and show the answered tests of each organisation."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.audit.log import require_role
from signals.errors import Conflict
from signals.models import Drill, Organisation
from signals.notices.drills import Drills, Sending, open_drills
from signals.operation import Operation
from signals.organisations.administration import locked_organisation
from signals.organisations.team_settings import record_change
from signals.routing.receivers import missing_before_receiving
from signals.staff.standing import has_lead
from signals.vocabulary import Role


class NotReady(Conflict):
    """A step is missing before this team can go live."""

    code = "not_ready"


def steps_to_live(session: Session, organisation: Organisation, on: date) -> dict[str, bool]:
    """Return each step by name, and whether it is done; an answered test message completes them."""
    missing = set(missing_before_receiving(organisation))
    agreed = organisation.agreement_on is not None and organisation.agreement_on <= on
    return {
        "agreement": agreed and not missing & {"legal_basis", "retention_basis"},
        "area": any(one.valid_until is None or one.valid_until > on for one in organisation.coverage),
        "recipients": "recipients" not in missing,
        "lead": has_lead(session, organisation.id),
    }


def unanswered_since(session: Session, organisation_id: uuid.UUID) -> date | None:
    """Return the day of the test message that nobody answered yet; None without one."""
    waiting = open_drills().where(Drill.organisation_id == organisation_id)
    return session.scalar(waiting.with_only_columns(Drill.sent_on).limit(1))


def send_test_message(operation: Operation, *, organisation_id: uuid.UUID, drills: Drills) -> Sending:
    """Send a team its first test message: it is live as soon as somebody answers. Raises `NotReady`."""
    require_role(operation.actor, Role.ADMINISTRATOR)
    organisation = locked_organisation(operation.session, organisation_id)
    if not all(steps_to_live(operation.session, organisation, operation.today).values()):
        raise NotReady
    record_change(operation, organisation.id, Ground.TEST_MESSAGE)
    (sent,) = drills.send_each(operation, organisation_ids=[organisation.id])
    return sent


@dataclass(frozen=True, kw_only=True)
class ChannelProof:
    """One organisation: its last answered drill, and its open and missed drills."""

    organisation_id: uuid.UUID
    name: str
    proved_on: date | None
    sent_on: date | None
    waits: bool
    missed: int
    suspended: bool


def channel_proofs(session: Session) -> list[ChannelProof]:
    """Return for each organisation its last answered drill; for administrators."""
    drills: dict[uuid.UUID, list[Drill]] = {}
    for drill in session.scalars(select(Drill).order_by(Drill.sent_on)):
        drills.setdefault(drill.organisation_id, []).append(drill)
    query = select(Organisation).order_by(Organisation.name)
    return [_proof(found, drills.get(found.id, [])) for found in session.scalars(query)]


def _proof(organisation: Organisation, drills: Sequence[Drill]) -> ChannelProof:
    answered = [drill.answered_on for drill in drills if drill.answered_on is not None]
    missed = 0
    for drill in reversed(drills):
        if drill.answered_on is not None:
            break
        missed += drill.missed_on is not None
    taken = {drill.suspended_from for drill in drills if drill.suspended_from is not None}
    return ChannelProof(
        organisation_id=organisation.id,
        name=organisation.name,
        proved_on=max(answered, default=None),
        sent_on=drills[-1].sent_on if drills else None,
        waits=bool(drills) and drills[-1].answered_on is None and drills[-1].missed_on is None,
        missed=missed,
        suspended=organisation.suspended_from is not None and organisation.suspended_from in taken,
    )
