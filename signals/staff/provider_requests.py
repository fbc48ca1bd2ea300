"""Let an administrator ask a team to sign in at its own provider; a lead of the team approves it."""

import uuid
from dataclasses import asdict

from signals.audit.grounds import Ground
from signals.audit.log import require_role
from signals.errors import Invalid, NotFound
from signals.models import Approval, Organisation
from signals.operation import Operation
from signals.staff.approvals import add_request
from signals.staff.change_messages import notify_team
from signals.staff.providers import ProviderSettings, problems_of_provider
from signals.vocabulary import ApprovalAction, Role


def ask_for_provider(
    operation: Operation, *, organisation_id: uuid.UUID, wanted: ProviderSettings
) -> Approval:
    """Ask a team for a provider, or without an issuer for none.

    Raises `Invalid`, and `NobodyToApprove` for a team without a lead or privacy officer.
    """
    require_role(operation.actor, Role.ADMINISTRATOR)
    organisation = operation.session.get(Organisation, organisation_id)
    if organisation is None:
        raise NotFound
    if wanted.issuer and (problems := list(problems_of_provider(operation.session, organisation_id, wanted))):
        raise Invalid(*problems)
    asked = Approval(
        organisation_id=organisation_id,
        action=ApprovalAction.PROVIDER,
        change=asdict(wanted),
        email="",
        name=organisation.name[:120],
        asked_by_id=operation.actor.id,
    )
    approval = add_request(operation, asked, Ground.PROVIDER)
    notify_team(operation, organisation_id, besides=operation.actor.id)
    return approval
