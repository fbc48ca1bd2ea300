"""Test the local sign-in that a team keeps: a printed code in two halves."""

import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.models import OutboxMessage
from signals.models import StaffMember
from signals.vocabulary import AuditAction, Role
from tests.support.desk_side import PASSWORD
from tests.support.identity_provider import Visitor
from tests.support.pages import hidden_value
from tests.support.provider_site import Site

pytestmark = pytest.mark.slow

TEAM = {"anna@example.org", "bram@example.org", "fleur@example.org", "lena@example.org"}


def _printed(site: Site, who: str = "lena") -> tuple[str, str]:
    """Let the lead print a code."""
    lead = Visitor(site.url)
    lead.post("/desk/sign-in", email=f"{who}@example.org", password=PASSWORD, totp=site.desk.code(who))
    token = hidden_value(lead.get("/desk/account").text, "csrf_token")
    page = lead.post("/desk/account/printed-code", csrf_token=token)
    assert page.status_code == 200
    first, second = re.findall(r"<code>([A-Z2-7]{16})</code>", page.text)
    return first, second


def _messages(site: Site) -> list[str]:
    with Session(site.desk.engine) as session:
        query = select(OutboxMessage.recipient).where(OutboxMessage.event == "printed_code")
        return list(session.scalars(query))


def test_both_halves_open_the_account_and_the_whole_team_hears_of_it(site: Site) -> None:
    first, second = _printed(site)
    assert set(_messages(site)) == TEAM
    site.provider.stop()
    answer = site.visitor.post(
        "/desk/printed-code", first=first.lower(), second=f" {second[:8]} {second[8:]}"
    )
    assert answer.status_code == 303
    assert site.visitor.is_in
    assert len(_messages(site)) == 2 * len(TEAM)
    assert "printed_code" in {entry.ground for entry in site.desk.entries(AuditAction.SIGN_IN)}


def test_one_half_or_the_halves_in_the_wrong_order_open_nothing(site: Site) -> None:
    first, second = _printed(site)
    for halves in ((first, ""), ("", second), (second, first), (first, first), ("", "")):
        assert site.visitor.post("/desk/printed-code", first=halves[0], second=halves[1]).status_code == 401
    assert not site.visitor.is_in


def test_a_new_code_ends_the_one_before(site: Site) -> None:
    old = _printed(site)
    new = _printed(site)
    assert site.visitor.post("/desk/printed-code", first=old[0], second=old[1]).status_code == 401
    assert site.visitor.post("/desk/printed-code", first=new[0], second=new[1]).status_code == 303


def test_the_code_of_one_lead_ends_that_of_another(site: Site) -> None:
    with site.desk.begin() as operation:
        operation.session.get_one(StaffMember, site.member("bram").id).role = Role.LEAD
    old, new = _printed(site), _printed(site, "bram")
    assert site.visitor.post("/desk/printed-code", first=old[0], second=old[1]).status_code == 401
    assert site.visitor.post("/desk/printed-code", first=new[0], second=new[1]).status_code == 303


def test_the_code_of_somebody_who_is_no_lead_any_more_opens_nothing(site: Site) -> None:
    first, second = _printed(site)
    with site.desk.begin() as operation:
        operation.session.get_one(StaffMember, site.member("lena").id).role = Role.WORKER
    assert site.visitor.post("/desk/printed-code", first=first, second=second).status_code == 401
    assert not site.visitor.is_in


def test_only_a_lead_prints_a_code(site: Site) -> None:
    site.visitor.sign_in()
    page = site.visitor.get("/desk/account").text
    assert "/desk/account/printed-code" not in page
    token = hidden_value(page, "csrf_token")
    assert site.visitor.post("/desk/account/printed-code", csrf_token=token).status_code == 403
