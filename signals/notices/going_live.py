"""Let a team go live: the four steps before it, and the test message whose answer completes them."""

import uuid
from datetime import date

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
