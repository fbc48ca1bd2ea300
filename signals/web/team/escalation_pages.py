"""The page that tells the national desk which organisation to call about a missed deadline."""

from uuid import UUID

from flask import Blueprint, render_template

from signals.errors import NotFound
from signals.models import Organisation
from signals.vocabulary import OrganisationKind, Role
from signals.web.staff_kit import account_shared as shared
from signals.web.staff_kit.auth import current, requires_page
from signals.web.staff_kit.context import desk

escalation_pages = Blueprint("escalation", __name__, url_prefix="/desk")
shared.share_with(escalation_pages)

AUTHENTICATION = "cookie"


@escalation_pages.get("/escalations/<uuid:organisation_id>")
@requires_page(Role.LEAD)
def escalation(organisation_id: UUID) -> str:
    """Show the organisation to call to the national desk's lead; the page shows no signal.

    Raises `NotFound` for the leads of every other organisation.
    """
    with desk().reading() as session:
        own = session.get(Organisation, current().actor.organisation_id)
        found = session.get(Organisation, organisation_id)
        if own is None or own.kind is not OrganisationKind.NATIONAL or found is None:
            raise NotFound
        return render_template("desk/channel/escalation.html", organisation_to_call=found)
