"""The pages on which a team's lead or privacy officer decides about requests."""

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template

from signals.casework.pace import let_go_on, stopped_accounts
from signals.staff.standing import APPROVERS
from signals.web.admin import office
from signals.web.staff_kit import account_shared, page_kit
from signals.web.staff_kit.auth import current, requires_page
from signals.web.staff_kit.context import act, desk
from signals.web.staff_kit.page_kit import officer_sections

approval_pages = Blueprint("approval_pages", __name__, url_prefix="/desk/approvals")

AUTHENTICATION = "cookie"


page_kit.share_with(approval_pages, officer_sections)


@approval_pages.get("")
@requires_page(*APPROVERS)
def approvals() -> str:
    """Show the requests that wait, the decisions, and the changes of the last 30 days."""
    return _page("approval_pages.decide")


@approval_pages.post("/<uuid:approval_id>/approve", defaults={"answer": "approve"})
@approval_pages.post("/<uuid:approval_id>/decline", defaults={"answer": "decline"})
@requires_page(*APPROVERS, recent="/desk/approvals")
def decide(approval_id: UUID, answer: str) -> Any:
    """Approve or decline a request; an invited person gets a link by mail."""
    return decided(".approvals", "approval_pages.decide", approval_id, answer)


@approval_pages.post("/accounts/<uuid:staff_id>")
@requires_page(*APPROVERS)
def resume(staff_id: UUID) -> Any:
    """Let an account go on that opened very many signals; pressed twice, it does so once."""
    act(let_go_on, staff_id=staff_id)
    return account_shared.see_other(".approvals")


def decided(page: str, decide: str, approval_id: UUID, answer: str) -> Any:
    """Decide, and show the page again; `page` and `decide` are endpoints."""
    try:
        office.decide(approval_id, approve=answer == "approve")
    except page_kit.REFUSED as refused:
        words = list(page_kit.errors_of(refused).values())
        return _page(decide, trouble=page_kit.trouble_of(refused) or " ".join(words)), 409
    return account_shared.see_other(page)


def _page(decide: str, *, trouble: str = "") -> str:
    actor = current().actor
    with desk().reading() as session:
        stopped = stopped_accounts(session, actor.organisation_id) if actor.organisation_id else ()
    return render_template(
        "admin/approvals.html",
        approvals=office.approvals(),
        changes=office.recent_changes(),
        stopped=stopped,
        trouble=trouble,
        decide=decide,
    )
