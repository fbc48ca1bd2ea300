"""One administrator, or who stole one token, neither reads reports nor shuts the others out."""

from datetime import date, timedelta
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.models import OutboxMessage
from signals.keys.mailbox_keys import provision_mailbox_keys
from signals.models import AccountLink, Approval, CoverageArea, Organisation, StaffMember
from signals.organisations.covering import cover, cover_unopposed
from signals.organisations.csv_import import import_organisations
from signals.routing.areas import Area
from signals.routing.losing import losing
from signals.staff.identity import actor_for
from signals.staff.recovery import link_token
from signals.vocabulary import AuditAction, Role
from tests.support.admin_pages import bea, goes_live, id_of
from tests.support.desk_side import AMSTERDAM, BASE, Desk
from tests.support.pages import Browser, hidden_value
from tests.support.recovering import take_up
from tests.support.second_administrator import agreed, boris
from tests.support.team_work import id_of as member_id

OWN = "attacker@example.org"
AGREED: dict[str, Any] = {
    "agreement_on": "2026-01-01",
    "legal_basis": "Wmo 2015, 2.1.2",
    "retention_basis": "Selectielijst 2026",
}
UTRECHT = {"level": "municipality", "area": "GM0344", "valid_from": "2026-11-24"}


def own_team(desk: Desk) -> str:
    """Do all that one token can for an own team: it goes live by the real rule, but covers nothing."""
    team = str(bea(desk, "POST", "/organisations", name="Eigen team", kind="social_work").get_json()["id"])
    recipients = [{"address": f"{name}@attacker.example.org"} for name in ("een", "twee")]
    bea(desk, "PATCH", f"/organisations/{team}", **AGREED, recipients=recipients)
    goes_live(desk, team)
    return team


def covers(desk: Desk, team: str, **area: Any) -> Any:
    return bea(desk, "POST", "/coverage", organisation_id=team, **UTRECHT | area)


def receiver(desk: Desk, postcode: str = "1012AB") -> str:
    """Send a report; return the organisation that got it."""
    with Session(desk.engine) as session, session.begin():
        provision_mailbox_keys(desk.operation(session))
    body = {"postcode": postcode, "house_number": 12}
    sent = desk.client.post(f"{BASE}/signals", json=body, headers={"Idempotency-Key": str(uuid4())})
    return str(sent.get_json()["organisation"]["name"])


def mailed(desk: Desk) -> set[str]:
    with Session(desk.engine) as session:
        query = select(OutboxMessage.recipient).where(OutboxMessage.event == "organisation_changed")
        return set(session.scalars(query))


def forget_messages(desk: Desk) -> None:
    with Session(desk.engine) as session, session.begin():
        session.execute(OutboxMessage.__table__.delete())


def test_one_administrator_alone_does_not_get_a_report(desk: Desk) -> None:
    """The whole attack: an own team, days of verification, an area inside another's, an own lead."""
    team = str(bea(desk, "POST", "/organisations", name="Eigen team", kind="social_work").get_json()["id"])
    typed = [{"address": f"{name}@attacker.example.org", "verified_on": "2026-02-01"} for name in "ab"]
    for change in (AGREED, {"recipients": typed}):
        desk.call("bea", "PATCH", f"/organisations/{team}", json=change)
    area = {"organisation_id": team, "level": "pc4", "area": "1012", "valid_from": "2026-11-24"}
    desk.call("bea", "POST", "/coverage", json=area)
    lead = {"name": "Eigen lead", "email": OWN, "role": "lead", "organisation_id": team}
    desk.call("bea", "POST", "/staff", json=lead)
    with Session(desk.engine) as session, session.begin():
        token = link_token(desk.keystore, session.scalars(select(AccountLink.id)).one())
        take_up(desk.operation(session), token)
    assert receiver(desk) == AMSTERDAM


def test_an_area_of_a_live_team_waits_for_its_lead_and_both_teams_and_administrators_hear(desk: Desk) -> None:
    team = own_team(desk)
    forget_messages(desk)
    asked = covers(desk, team, level="pc4", area="1012")
    assert (asked.status_code, asked.get_json()["organisation"]["name"]) == (202, AMSTERDAM)
    assert receiver(desk) == AMSTERDAM
    own_lead = f"lea@{team}.example.org"
    assert mailed(desk) == {"lena@example.org", "fleur@example.org", own_lead}
    path = f"/approvals/{asked.get_json()['id']}"
    assert desk.call("bea", "POST", f"{path}/approve").status_code == 403
    assert desk.call("floor", "POST", f"{path}/approve").status_code == 404
    assert desk.call("fleur", "POST", f"{path}/approve").status_code == 200
    assert receiver(desk) == "Eigen team"
    entries = desk.entries(AuditAction.COVERAGE_CHANGED)
    assert {str(one.organisation_id) for one in entries} == {team, id_of(desk, AMSTERDAM)}
    assert "bea@example.org" in mailed(desk)


def test_a_page_that_lies_open_at_the_team_agrees_to_no_area(desk: Desk) -> None:
    asked = covers(desk, own_team(desk), level="pc4", area="1012").get_json()["id"]
    browser = Browser(desk, "fleur")
    form = {"csrf_token": hidden_value(browser.get("/desk/approvals").get_data(as_text=True), "csrf_token")}
    desk.clock.moment += timedelta(minutes=16)
    answer = browser.client.post(f"/desk/approvals/{asked}/approve", data=form)
    assert answer.location == "/desk/account/confirm?next=/desk/approvals"
    assert receiver(desk) == AMSTERDAM


@pytest.mark.parametrize(
    "area",
    [
        {"level": "pc6", "area": "1012AB"},
        {"level": "pc6_range", "area": "1012AB", "number_from": 1, "number_to": 20},
        {"level": "pc4", "area": "1012", "valid_from": "2027-03-01"},
        {"level": "pc4", "area": "1012", "valid_from": "2020-01-01", "valid_until": "2026-12-01"},
    ],
)
def test_no_level_and_no_date_gets_around_a_live_team(desk: Desk, area: dict[str, Any]) -> None:
    asked = covers(desk, own_team(desk), **area).get_json()
    assert asked["organisation"]["name"] == AMSTERDAM


def test_the_team_of_a_later_municipality_loses_addresses_too(desk: Desk) -> None:
    """Wijdemeren (GM1696) becomes a part of Hilversum (GM0402) on 1 January 2027."""
    amsterdam, on = UUID(id_of(desk, AMSTERDAM)), date(2026, 11, 24)
    with Session(desk.engine) as session, session.begin():  # the server's command line asks nobody
        hilversum = Area(level="municipality", area="GM0402", valid_from=on)
        cover(desk.operation(session), session.get_one(Organisation, amsterdam), hilversum)
        taken = Area(level="pc4", area="1231", valid_from=on)
        assert losing(session, taken, on).teams == {amsterdam}


def take_away(desk: Desk, how: str) -> None:
    amsterdam = id_of(desk, AMSTERDAM)
    if how == "suspended":
        bea(desk, "PATCH", f"/organisations/{amsterdam}", suspended_from="2026-11-24")
    elif how == "agreement emptied":
        bea(desk, "PATCH", f"/organisations/{amsterdam}", agreement_on=None)
    else:
        area = bea(desk, "GET", f"/coverage?organisation={amsterdam}").get_json()["items"][0]["id"]
        bea(desk, "PATCH", f"/coverage/{area}", valid_until="2026-11-24")


@pytest.mark.parametrize("how", ["suspended", "agreement emptied", "area ended"])
def test_a_team_that_was_stopped_lately_is_asked_all_the_same(desk: Desk, how: str) -> None:
    team = own_team(desk)
    forget_messages(desk)
    take_away(desk, how)
    assert mailed(desk) == {"lena@example.org", "fleur@example.org"}
    assert covers(desk, team, level="pc4", area="1012").get_json()["organisation"]["name"] == AMSTERDAM


def test_a_day_in_the_past_does_not_hide_a_team(desk: Desk) -> None:
    path = f"/organisations/{id_of(desk, AMSTERDAM)}"
    refused = desk.call("bea", "PATCH", path, json={"suspended_from": "2020-01-01"})
    assert [one["code"] for one in refused.get_json()["errors"]] == ["in_past"]


def test_an_area_that_nobody_covers_needs_a_second_administrator(desk: Desk) -> None:
    team = own_team(desk)
    second = boris(desk)
    asked = covers(desk, team)
    assert asked.status_code == 202
    path = f"/approvals/{asked.get_json()['id']}"
    assert desk.call("bea", "POST", f"{path}/approve").status_code == 403
    assert desk.call("lena", "POST", f"{path}/approve").status_code == 404
    assert receiver(desk, "3511AA") == "Landelijk meldpunt"
    approved = desk.client.post(f"{BASE}{path}/approve", headers=second.bearer)
    assert approved.status_code == 200
    assert receiver(desk, "3511AA") == "Eigen team"


def test_smaller_areas_do_not_outlast_an_area_that_was_agreed_to_until_a_day(desk: Desk) -> None:
    team = own_team(desk)
    agreed(desk, covers(desk, team, valid_until="2026-12-01"))
    assert covers(desk, team, level="pc4", area="3511", valid_until="2026-12-01").status_code == 201
    for number, until in enumerate((None, "2026-12-20"), start=3512):
        assert covers(desk, team, level="pc4", area=str(number), valid_until=until).status_code == 202


def test_a_team_hears_of_another_that_goes_live_later_in_an_area_of_before(desk: Desk) -> None:
    amsterdam = UUID(id_of(desk, AMSTERDAM))
    team = str(bea(desk, "POST", "/organisations", name="Eigen team", kind="social_work").get_json()["id"])
    agreed(desk, covers(desk, team, level="pc4", area="3511"))
    with Session(desk.engine) as session, session.begin():  # the server's command line asks nobody
        utrecht = Area(level="municipality", area="GM0344", valid_from=date(2026, 1, 1))
        cover(desk.operation(session), session.get_one(Organisation, amsterdam), utrecht)
    recipients = [{"address": f"{name}@attacker.example.org"} for name in ("een", "twee")]
    bea(desk, "PATCH", f"/organisations/{team}", **AGREED, recipients=recipients)
    forget_messages(desk)
    before = {one.id for one in desk.entries(AuditAction.COVERAGE_CHANGED)}
    goes_live(desk, team)
    assert {"lena@example.org", "fleur@example.org", "bea@example.org"} <= mailed(desk)
    heard = [one for one in desk.entries(AuditAction.COVERAGE_CHANGED) if one.id not in before]
    assert [one.organisation_id for one in heard] == [amsterdam]


def wait(desk: Desk, days: int) -> int:
    desk.clock.moment += timedelta(days=days)
    with Session(desk.engine) as session, session.begin():
        return cover_unopposed(desk.operation(session))


def test_a_single_administrator_waits_three_working_days(desk: Desk) -> None:
    covers(desk, own_team(desk))
    assert wait(desk, 2) == 0
    assert wait(desk, 1) == 1
    with Session(desk.engine) as session:
        assert session.scalars(select(CoverageArea).where(CoverageArea.area == "GM0344")).one()


def change_member(desk: Desk, who: str, **values: Any) -> None:
    with Session(desk.engine) as session, session.begin():
        query = select(StaffMember).where(StaffMember.email == f"{who}@example.org")
        member = session.scalars(query).one()
        for name, value in values.items():
            setattr(member, name, value)


def stop(desk: Desk, how: str, asked: str) -> None:
    if how == "a second administrator":
        boris(desk)
    elif how == "the asker was shut out":
        change_member(desk, "bea", disabled_at=desk.clock.now())
    else:
        change_member(desk, "lena", organisation_id=UUID(id_of(desk, "Landelijk meldpunt")))
        assert desk.call("lena", "POST", f"/approvals/{asked}/decline").status_code == 200


@pytest.mark.parametrize("how", ["a second administrator", "the asker was shut out", "the desk objected"])
def test_who_is_told_can_stop_it_within_these_days(desk: Desk, how: str) -> None:
    asked = covers(desk, own_team(desk)).get_json()["id"]
    stop(desk, how, asked)
    assert wait(desk, 5) == 0


def test_nobody_becomes_the_only_administrator_by_shutting_the_other_out(desk: Desk) -> None:
    boris(desk)
    bea(desk, "POST", f"/staff/{member_id(desk, 'boris')}/disable")
    covers(desk, own_team(desk))
    assert wait(desk, 5) == 0


def test_a_file_redirects_no_report_either(desk: Desk) -> None:
    own_team(desk)
    text = "name,kind,level,area,valid_from\nEigen team,social_work,pc4,1012,2026-01-01\n"
    with Session(desk.engine) as session, session.begin():
        actor = actor_for(
            session.scalars(select(StaffMember).where(StaffMember.role == Role.ADMINISTRATOR)).one()
        )
        assert import_organisations(desk.operation(session, actor), file=StringIO(text)).rejected == ()
        assert session.scalars(select(Approval.action)).all() == ["cover"]
    assert receiver(desk) == AMSTERDAM


def test_an_administrator_is_made_by_two_or_on_the_server(desk: Desk) -> None:
    person = {"name": "Nora Nieuw", "email": "nora@example.org", "role": "administrator"}
    alone = desk.call("bea", "POST", "/staff", json=person)
    assert alone.status_code == 409
    assert alone.get_json()["type"].endswith("nobody_to_approve")
    second = boris(desk)
    asked = desk.call("bea", "POST", "/staff", json=person)
    assert asked.status_code == 202
    path = f"/approvals/{asked.get_json()['approval']['id']}/approve"
    assert desk.call("bea", "POST", path).status_code == 403
    assert desk.client.post(f"{BASE}{path}", headers=second.bearer).status_code == 200
    with Session(desk.engine) as session:
        assert session.scalars(select(AccountLink)).one().staff_member.email == "nora@example.org"


@pytest.mark.parametrize(("days", "status"), [(0, 409), (1, 409), (3, 200)])
def test_one_person_does_not_shut_lead_and_officer_out_together(desk: Desk, days: int, status: int) -> None:
    assert bea(desk, "POST", f"/staff/{member_id(desk, 'lena')}/disable").status_code == 200
    desk.clock.moment += timedelta(days=days)
    second = desk.call("bea", "POST", f"/staff/{member_id(desk, 'fleur')}/disable")
    assert second.status_code == status


def test_an_officer_is_not_reset_again_while_a_link_lives(desk: Desk) -> None:
    path = f"/staff/{member_id(desk, 'fleur')}/reset"
    assert desk.call("lena", "POST", path).status_code == 200
    assert desk.call("lena", "POST", path).status_code == 409
    desk.clock.moment += timedelta(hours=25)
    assert desk.call("lena", "POST", path).status_code == 200


@pytest.mark.parametrize("whose", ["gerda", "coen", "bea"])
def test_an_invitation_never_tells_of_staff_elsewhere(desk: Desk, whose: str) -> None:
    body = {"name": "Nora", "email": f"{whose}@example.org", "role": "worker"}
    refused = desk.call("lena", "POST", "/staff", json=body)
    assert [one["code"] for one in refused.get_json()["errors"]] == ["not_invitable"]
    own = desk.call("lena", "POST", "/staff", json=body | {"email": "anna@example.org"})
    assert [one["code"] for one in own.get_json()["errors"]] == ["taken"]


def test_recipients_of_a_live_team_are_not_replaced_in_silence(desk: Desk) -> None:
    path = f"/organisations/{id_of(desk, AMSTERDAM)}"
    wanted = [{"address": one} for one in ("een@example.org", "twee@example.org", "drie@example.org")]
    assert bea(desk, "PATCH", path, recipients=wanted).status_code == 200
    assert mailed(desk) == {"lena@example.org", "fleur@example.org"}
    boris(desk)
    assert bea(desk, "PATCH", path, recipients=wanted[:2]).status_code == 200
    assert mailed(desk) == {"lena@example.org", "fleur@example.org", "boris@example.org"}
