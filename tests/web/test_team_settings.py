"""A team's settings and absences, over the API and on pages without JavaScript, and who may not."""

import re
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from notifications.models import OutboxMessage
from signals.db import session_factory
from signals.models import Absence, Organisation, Recipient
from signals.recipients import ask_for_proof
from signals.vocabulary import AuditAction, SignalState
from tests.web.desk_fixtures import AMSTERDAM, GRONINGEN, Desk
from tests.web.test_desk_pages import Browser, hidden_value, words
from tests.web.test_team_work import id_of, organisation_of, signal_of

NORMS = {
    "claim_working_days": "2",
    "contact_working_days": "3",
    "conclude_calendar_days": "42",
    "minimum_attempts": "4",
}
HOURS = {"opens_at": "8", "quiet_from": "19", "quiet_until": "7", "day_1": "1", "day_3": "1"}


@pytest.fixture
def lena(desk: Desk) -> Browser:
    return Browser(desk, "lena")


@pytest.fixture
def path(desk: Desk) -> str:
    """The settings of Lena's team."""
    return f"/organisations/{organisation_of(desk, AMSTERDAM)}/settings"


def post(who: Browser, form: str, to: str, **values: str) -> TestResponse:
    """Send a form of the page `form` to the address `to`."""
    page = who.get(form).text
    hidden = {"csrf_token": hidden_value(page, "csrf_token")}
    if 'name="version"' in page:
        hidden["version"] = hidden_value(page, "version")
    return who.client.post(to, data=hidden | values)


def team_of(desk: Desk, name: str = AMSTERDAM) -> Organisation:
    with Session(desk.engine, expire_on_commit=False) as session:
        found = session.scalars(select(Organisation).where(Organisation.name == name)).one()
        assert found.recipients is not None
        return found


def problems(answer: TestResponse) -> dict[str, str]:
    assert answer.status_code == 400, answer.text
    return {entry["field"]: entry["code"] for entry in answer.get_json()["errors"]}


def recipients_of(desk: Desk, path: str) -> list[dict[str, Any]]:
    found = desk.call("lena", "GET", path).get_json()["recipients"]
    return [{name: entry[name] for name in ("address", "channel", "phone")} for entry in found]


# Settings over the API


def test_a_lead_reads_and_changes_the_own_teams_settings(desk: Desk, path: str) -> None:
    before = desk.call("lena", "GET", path)
    assert before.headers["ETag"] == '"1"'
    assert before.get_json()["claim_working_days"] == 1
    changes = {
        "claim_working_days": 2, "contact_working_days": 3, "quiet_from": 20, "quiet_until": 7,
        "working_days": [1, 2, 4], "digest_at": 8, "opens_at": 8, "deputy_email": "Lies@Example.org",
        "escalation_working_days": 2, "minimum_attempts": 4, "conclude_calendar_days": 35, "language": "en",
        "contact_phone": "020 1234567", "contact_email": "team@example.org",
    }  # fmt: skip
    answer = desk.call("lena", "PATCH", path, json=changes, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    body = answer.get_json()
    assert {name: body[name] for name in changes} == changes | {"deputy_email": "lies@example.org"}
    [entry] = desk.entries(AuditAction.ORGANISATION_CHANGED)
    assert entry.ground.startswith("settings:claim_working_days,")
    assert entry.organisation_id == organisation_of(desk, AMSTERDAM)


def test_an_administrator_may_too(desk: Desk, path: str) -> None:
    assert desk.call("bea", "GET", path).status_code == 200
    assert desk.call("bea", "PATCH", path, json={"opens_at": 10}).get_json()["opens_at"] == 10


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_worker_may_not(desk: Desk, path: str, method: str) -> None:
    body = {"opens_at": 10} if method == "PATCH" else None
    assert desk.call("anna", method, path, json=body).status_code == 403
    assert team_of(desk).opens_at == 9


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_another_organisations_lead_finds_nothing_there(desk: Desk, method: str) -> None:
    body = {"opens_at": 10} if method == "PATCH" else None
    for found in (organisation_of(desk, GRONINGEN), uuid4()):
        answer = desk.call("lena", method, f"/organisations/{found}/settings", json=body)
        assert answer.status_code == 404
    assert team_of(desk, GRONINGEN).opens_at == 9


def test_a_stale_version_is_refused_and_changes_nothing(desk: Desk, path: str) -> None:
    assert desk.call("lena", "PATCH", path, json={"opens_at": 10}).status_code == 200
    answer = desk.call("lena", "PATCH", path, json={"opens_at": 11}, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.get_json()["type"]) == (412, "urn:problem:signals:stale_settings")
    assert team_of(desk).opens_at == 10


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"claim_working_days": 0}, {"claim_working_days": "claim_working_days_bounds"}),
        ({"claim_working_days": None}, {"claim_working_days": "required"}),
        ({"conclude_calendar_days": 85}, {"conclude_calendar_days": "conclude_calendar_days_bounds"}),
        ({"minimum_attempts": 1}, {"minimum_attempts": "minimum_attempts_bounds"}),
        ({"claim_working_days": 4}, {"contact_working_days": "before_claim"}),
        ({"quiet_from": 20}, {"quiet_until": "quiet_both"}),
        ({"quiet_from": 8, "quiet_until": 8}, {"quiet_until": "quiet_too_long"}),
        ({"quiet_from": 12, "quiet_until": 10}, {"quiet_until": "quiet_too_long"}),
        ({"quiet_from": 20, "quiet_until": 10}, {"opens_at": "in_quiet_hours"}),
        ({"quiet_from": 18, "quiet_until": 7, "digest_at": 19}, {"digest_at": "in_quiet_hours"}),
        ({"digest_at": 23}, {"digest_at": "digest_at_bounds"}),
        ({"working_days": []}, {"working_days": "not_weekdays"}),
        ({"working_days": [1, 1]}, {"working_days": "not_weekdays"}),
        ({"deputy_email": "nobody"}, {"deputy_email": "not_an_address"}),
        ({"deputy_email": "coen@example.org"}, {"deputy_email": "coordinator"}),
        ({"recipients": []}, {"recipients": "keep_two"}),
    ],
)
def test_what_cannot_be_is_refused_with_words_that_say_how_to_mend_it(
    desk: Desk, path: str, changes: dict[str, Any], wrong: dict[str, str]
) -> None:
    answer = desk.call("lena", "PATCH", path, json=changes)
    if wrong == {"claim_working_days": "required"}:
        assert set(problems(answer)) == {"claim_working_days"}
    else:
        assert problems(answer) == wrong
    generic = {"Dit klopt niet.", "This is not right.", "This lies outside what is possible."}
    assert not {entry["message"] for entry in answer.get_json()["errors"]} & generic
    assert team_of(desk).settings_version == 1


def test_new_norms_hold_for_what_comes_in_after_them(desk: Desk, path: str) -> None:
    before = desk.arrive()
    norms = {"claim_working_days": 3, "contact_working_days": 4, "conclude_calendar_days": 20}
    assert desk.call("lena", "PATCH", path, json=norms).status_code == 200
    after = signal_of(desk, desk.arrive(number=14))
    assert signal_of(desk, before).claim_by == date(2026, 11, 25)
    assert (after.claim_by, after.contact_by) == (date(2026, 11, 27), date(2026, 11, 30))
    assert after.conclude_by == date(2026, 12, 14)


def test_the_teams_own_minimum_of_attempts_is_asked_before_not_reached(desk: Desk, path: str) -> None:
    assert desk.call("lena", "PATCH", path, json={"minimum_attempts": 2}).status_code == 200
    signal_id = desk.arrive()
    desk.call("anna", "POST", f"/signals/{signal_id}/claim")
    not_reached = {"outcome": "not_reached"}
    for kind in ("visit", "card"):
        answer = desk.call("anna", "POST", f"/signals/{signal_id}/conclude", json=not_reached)
        assert problems(answer) == {"outcome": "too_few_attempts"}
        tried = {"kind": kind, "result": "no_answer", "attempted_at": "2026-11-24T10:00:00+01:00"}
        desk.call("anna", "POST", f"/signals/{signal_id}/contact-attempts", json=tried)
    answer = desk.call("anna", "POST", f"/signals/{signal_id}/conclude", json=not_reached)
    assert answer.status_code == 200


# Recipients


def test_a_new_recipient_is_asked_to_confirm_and_the_others_still_count(desk: Desk, path: str) -> None:
    wanted = [*recipients_of(desk, path), {"address": "Nieuw@example.org", "channel": "email"}]
    answer = desk.call("lena", "PATCH", path, json={"recipients": wanted})
    assert answer.status_code == 200, answer.text
    assert [entry["verified_on"] is not None for entry in answer.get_json()["recipients"]] == [
        True,
        True,
        False,
    ]
    with session_factory(desk.engine).begin() as session:
        ask_for_proof(session, desk.clock, keystore=desk.keystore, public_url="https://signalen.example")
        assert session.scalars(select(OutboxMessage.recipient)).all() == ["nieuw@example.org"]


def test_the_last_two_who_confirmed_stay_until_another_one_did(desk: Desk, path: str) -> None:
    first, _second = recipients_of(desk, path)
    swapped = [first, {"address": "nieuw@example.org"}]
    assert problems(desk.call("lena", "PATCH", path, json={"recipients": swapped})) == {
        "recipients": "keep_two"
    }
    everybody = [*recipients_of(desk, path), {"address": "nieuw@example.org"}]
    assert desk.call("lena", "PATCH", path, json={"recipients": everybody}).status_code == 200
    with session_factory(desk.engine).begin() as session:
        new = update(Recipient).where(Recipient.address == "nieuw@example.org")
        session.execute(new.values(verified_on=date(2026, 11, 24)))
    assert desk.call("lena", "PATCH", path, json={"recipients": swapped}).status_code == 200


def test_a_phone_is_kept_in_one_spelling_and_asked_to_confirm(desk: Desk, path: str) -> None:
    first, second = recipients_of(desk, path)
    by_sms = {**first, "channel": "sms", "phone": "06 12345678"}
    answer = desk.call("lena", "PATCH", path, json={"recipients": [by_sms, second]})
    entry = answer.get_json()["recipients"][0]
    assert (entry["channel"], entry["phone"], entry["phone_verified_on"]) == ("sms", "+31612345678", None)
    assert entry["verified_on"] is not None


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"address": "geen adres"}, {"recipients.0.address": "not_an_address", "recipients": "keep_two"}),
        ({"channel": "sms"}, {"recipients.0.phone": "required"}),
        ({"channel": "sms", "phone": "12"}, {"recipients.0.phone": "not_a_mobile_number"}),
        ({"phone": "xyz"}, {"recipients.0.phone": "not_a_phone_number"}),
        ({"phone": "020 6241111"}, {"recipients.0.phone": "not_a_mobile_number"}),
    ],
)
def test_a_recipient_who_cannot_be_told_is_refused(
    desk: Desk, path: str, changed: dict[str, str], wrong: dict[str, str]
) -> None:
    first, second = recipients_of(desk, path)
    answer = desk.call("lena", "PATCH", path, json={"recipients": [{**first, **changed}, second]})
    assert problems(answer) == wrong


def test_nobody_is_told_twice(desk: Desk, path: str) -> None:
    first, second = recipients_of(desk, path)
    answer = desk.call("lena", "PATCH", path, json={"recipients": [first, second, first]})
    assert set(problems(answer).values()) == {"duplicate"}


def test_who_lost_the_link_is_sent_a_new_one(desk: Desk, path: str) -> None:
    wanted = [*recipients_of(desk, path), {"address": "nieuw@example.org"}]
    assert desk.call("lena", "PATCH", path, json={"recipients": wanted}).status_code == 200

    def asked() -> int:
        with session_factory(desk.engine).begin() as session:
            return ask_for_proof(
                session, desk.clock, keystore=desk.keystore, public_url="https://signalen.example"
            )

    assert [asked(), asked()] == [1, 0]
    again = f"{path}/ask-again"
    assert desk.call("lena", "POST", again, json={"address": "nieuw@example.org"}).status_code == 202
    assert asked() == 1
    confirmed = recipients_of(desk, path)[0]["address"]
    assert problems(desk.call("lena", "POST", again, json={"address": confirmed})) == {
        "address": "nothing_to_confirm"
    }


# The deputy


def deputy(desk: Desk) -> tuple[str | None, date | None]:
    team = team_of(desk)
    return team.deputy_email, team.deputy_verified_on


def confirm_deputy(desk: Desk) -> None:
    with session_factory(desk.engine).begin() as session:
        named = Organisation.deputy_email.is_not(None)
        session.execute(update(Organisation).where(named).values(deputy_verified_on=date(2026, 11, 24)))


def asked(desk: Desk) -> list[str]:
    """Let the worker ask whom it has not asked yet; whom it asks now."""
    with session_factory(desk.engine).begin() as session:
        told = set(session.scalars(select(OutboxMessage.id)))
        ask_for_proof(session, desk.clock, keystore=desk.keystore, public_url="https://signalen.example")
        new = select(OutboxMessage.recipient).where(OutboxMessage.id.not_in(told))
        return list(session.scalars(new))


def test_a_new_deputy_is_asked_and_another_address_begins_anew(desk: Desk, path: str) -> None:
    body = desk.call("lena", "PATCH", path, json={"deputy_email": "lies@example.org"}).get_json()
    assert body["deputy_verified_on"] is None
    assert asked(desk) == ["lies@example.org"]
    confirm_deputy(desk)
    same = {"deputy_email": " Lies@example.org ", "opens_at": 8}
    body = desk.call("lena", "PATCH", path, json=same).get_json()
    assert (body["deputy_email"], body["deputy_verified_on"]) == ("lies@example.org", "2026-11-24")
    desk.call("lena", "PATCH", path, json={"deputy_email": "karim@example.org"})
    assert deputy(desk) == ("karim@example.org", None)
    assert asked(desk) == ["karim@example.org"]
    desk.call("lena", "PATCH", path, json={"deputy_email": "lies@example.org"})
    assert deputy(desk) == ("lies@example.org", None)
    assert asked(desk) == ["lies@example.org"]  # again, for nobody knows what happened to the first link
    desk.call("lena", "PATCH", path, json={"deputy_email": None})
    assert (deputy(desk), asked(desk)) == ((None, None), [])


@pytest.mark.parametrize("who", ["lena", "bea"])
def test_a_deputy_who_lost_the_link_is_sent_a_new_one(desk: Desk, path: str, who: str) -> None:
    desk.call("lena", "PATCH", path, json={"deputy_email": "lies@example.org"})
    assert (asked(desk), asked(desk)) == (["lies@example.org"], [])
    again = {"json": {"address": "lies@example.org"}}
    assert desk.call(who, "POST", f"{path}/ask-again", **again).status_code == 202
    assert asked(desk) == ["lies@example.org"]
    grounds = [entry.ground for entry in desk.entries(AuditAction.ORGANISATION_CHANGED)]
    assert sorted(grounds) == ["deputy_asked_again", "settings:deputy_email"]
    confirm_deputy(desk)
    answer = desk.call(who, "POST", f"{path}/ask-again", **again)
    assert problems(answer) == {"address": "nothing_to_confirm"}


def test_without_a_deputy_nobody_can_be_asked_again_as_one(desk: Desk, path: str) -> None:
    for address in ("", "niemand@example.org"):
        answer = desk.call("lena", "POST", f"{path}/ask-again", json={"address": address})
        assert problems(answer) == {"address": "nothing_to_confirm"}


def test_who_is_recipient_and_deputy_is_asked_for_both(desk: Desk, path: str) -> None:
    lies = {"address": "lies@example.org"}
    wanted = {"recipients": [*recipients_of(desk, path), lies], "deputy_email": "lies@example.org"}
    assert desk.call("lena", "PATCH", path, json=wanted).status_code == 200
    assert asked(desk) == ["lies@example.org"] * 2
    desk.call("lena", "POST", f"{path}/ask-again", json=lies)
    assert asked(desk) == ["lies@example.org"] * 2


def test_the_page_says_that_the_deputy_has_not_confirmed_and_asks_again(desk: Desk, lena: Browser) -> None:
    waits = "The deputy has not confirmed yet."
    assert waits not in words(lena.get("/desk/settings"))
    values = {"escalation_working_days": "1", "deputy_email": "lies@example.org"}
    post(lena, "/desk/settings", "/desk/settings/escalation", **values)
    page = lena.get("/desk/settings")
    assert waits in words(page)
    assert page.text.count('action="/desk/settings/deputy-asked-again"') == 1
    assert asked(desk) == ["lies@example.org"]
    to = "/desk/settings/deputy-asked-again"
    answer = post(lena, "/desk/settings", to, address="lies@example.org")
    assert answer.headers["Location"] == "/desk/settings?done=deputy-asked-again#escalation"
    assert asked(desk) == ["lies@example.org"]
    confirm_deputy(desk)
    page = lena.get("/desk/settings")
    assert waits not in words(page)
    assert "Confirmed on Tue 24 Nov 2026." in words(page)


# Settings on pages


def test_a_lead_changes_norms_and_hours_on_the_page(desk: Desk, lena: Browser) -> None:
    answer = post(lena, "/desk/settings", "/desk/settings/norms", **NORMS)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/settings?done=norms#norms")
    assert post(lena, "/desk/settings", "/desk/settings/hours", **HOURS).status_code == 303
    team = team_of(desk)
    assert (team.claim_working_days, team.minimum_attempts, team.conclude_calendar_days) == (2, 4, 42)
    assert (team.opens_at, team.quiet_from, team.quiet_until, team.digest_at) == (8, 19, 7, None)
    assert team.working_days == "13"
    page = lena.get("/desk/settings?done=hours")
    assert "Saved." in words(page)
    assert 'value="42"' in page.text


def test_deputy_and_contact_are_changed_and_emptied_on_the_page(desk: Desk, lena: Browser) -> None:
    to = "/desk/settings/escalation"
    values = {"escalation_working_days": "2", "deputy_email": "lies@example.org"}
    assert post(lena, "/desk/settings", to, **values).status_code == 303
    assert team_of(desk).deputy_email == "lies@example.org"
    assert post(lena, "/desk/settings", to, escalation_working_days="2", deputy_email="").status_code == 303
    assert team_of(desk).deputy_email is None
    post(lena, "/desk/settings", "/desk/settings/contact", contact_phone="020 1234567")
    assert (team_of(desk).contact_phone, team_of(desk).contact_email) == ("020 1234567", "")


def test_what_was_typed_stays_on_the_page_beside_what_is_wrong(desk: Desk, lena: Browser) -> None:
    answer = post(lena, "/desk/settings", "/desk/settings/norms", **NORMS | {"claim_working_days": "9"})
    assert answer.status_code == 400
    assert 'id="norms-claim_working_days-wrong"' in answer.text
    assert "Choose 1 to 5 working days." in words(answer)
    assert 'value="9"' in answer.text
    assert 'value="42"' in answer.text
    assert team_of(desk).settings_version == 1


@pytest.mark.parametrize("typed", ["drie", "1.5", "", "-1", "9" * 30])
def test_what_is_no_number_is_refused_on_the_page(desk: Desk, lena: Browser, typed: str) -> None:
    answer = post(lena, "/desk/settings", "/desk/settings/norms", **NORMS | {"minimum_attempts": typed})
    assert answer.status_code == 400
    assert 'id="norms-minimum_attempts-wrong"' in answer.text


def test_a_page_that_is_older_than_a_colleagues_change_is_refused(desk: Desk, lena: Browser) -> None:
    old = lena.get("/desk/settings").text
    desk.call(
        "lena", "PATCH", f"/organisations/{organisation_of(desk, AMSTERDAM)}/settings", json={"opens_at": 7}
    )
    hidden = {name: hidden_value(old, name) for name in ("csrf_token", "version")}
    answer = lena.client.post("/desk/settings/norms", data=hidden | NORMS)
    assert answer.status_code == 412
    assert "Read the settings again and repeat your change." in words(answer)
    assert team_of(desk).claim_working_days == 1


def test_recipients_are_added_on_the_page_and_asked_again(desk: Desk, lena: Browser) -> None:
    team = team_of(desk)
    rows = {f"address-{row}": entry.address for row, entry in enumerate(team.recipients)}
    ways = {f"channel-{row}": "email" for row in range(3)}
    new = {"address-2": "nieuw@example.org", "phone-2": ""}
    answer = post(lena, "/desk/settings", "/desk/settings/recipients", **rows, **ways, **new)
    assert answer.status_code == 303, words(answer)
    assert [entry.address for entry in team_of(desk).recipients][-1] == "nieuw@example.org"
    page = lena.get("/desk/settings").text
    assert page.count("Send a new link") == 1
    answer = post(lena, "/desk/settings", "/desk/settings/asked-again", address="nieuw@example.org")
    assert answer.headers["Location"] == "/desk/settings?done=asked-again#recipients"


def test_a_wrong_phone_is_told_beside_its_own_row(desk: Desk, lena: Browser) -> None:
    team = team_of(desk)
    rows = {f"address-{row}": entry.address for row, entry in enumerate(team.recipients)}
    wrong = {"address-3": "nieuw@example.org", "channel-3": "sms", "phone-3": "12"}
    answer = post(lena, "/desk/settings", "/desk/settings/recipients", **rows, **wrong)
    assert answer.status_code == 400
    assert 'value="nieuw@example.org"' in answer.text
    assert re.search(r'id="recipients-phone-[0-9]-wrong"', answer.text)


def test_a_part_that_does_not_exist_is_not_found(desk: Desk, lena: Browser) -> None:
    assert post(lena, "/desk/settings", "/desk/settings/everything").status_code == 404


def test_an_administrator_has_the_same_page_of_any_team_and_a_lead_has_not(desk: Desk, lena: Browser) -> None:
    page = f"/admin/organisations/{organisation_of(desk, GRONINGEN)}/settings"
    bea = Browser(desk, "bea")
    answer = post(bea, page, f"{page}/norms", **NORMS)
    assert answer.headers["Location"] == f"{page}?done=norms#norms"
    assert team_of(desk, GRONINGEN).claim_working_days == 2
    assert lena.get(page).status_code == 403
    assert Browser(desk, "anna").get("/desk/settings").status_code == 403


def test_the_settings_are_a_lead_s_and_absence_is_everybodys_in_the_queue(desk: Desk, lena: Browser) -> None:
    anna = Browser(desk, "anna").get("/desk").text
    assert ('href="/desk/absence"' in anna, 'href="/desk/settings"' in anna) == (True, False)
    assert 'href="/desk/settings"' in lena.get("/desk").text


# Absence


def away(desk: Desk, who: str, **values: object) -> TestResponse:
    body = {"away_from": "2026-11-24", "away_until": "2026-12-04", **values}
    return desk.call(who, "POST", "/team/absences", json=body)


def claimed(desk: Desk, who: str, number: int = 12) -> UUID:
    signal_id = desk.arrive(number=number)
    assert desk.call(who, "POST", f"/signals/{signal_id}/claim").status_code == 200
    return signal_id


def visit(desk: Desk, who: str, signal_id: UUID) -> int:
    tried = {"kind": "visit", "result": "contact", "attempted_at": "2026-11-24T10:00:00+01:00"}
    return desk.call(who, "POST", f"/signals/{signal_id}/contact-attempts", json=tried).status_code


def test_who_stands_in_may_act_from_the_first_day_to_the_last(desk: Desk) -> None:
    signal_id = claimed(desk, "anna")
    assert visit(desk, "bram", signal_id) == 409
    answer = away(desk, "anna", cover_id=str(id_of(desk, "bram")))
    assert answer.status_code == 201
    assert answer.get_json()["cover"]["name"] == "Bram Voorbeeld"
    assert visit(desk, "bram", signal_id) == 201
    assert desk.call("anna", "GET", f"/signals/{signal_id}").get_json()["claimed_by"] == "Anna Voorbeeld"
    [entry] = [e for e in desk.entries(AuditAction.STAFF_CHANGED) if e.ground == "absence_added"]
    assert entry.subject_id == id_of(desk, "anna")


def test_once_somebody_is_back_nobody_stands_in_any_more(desk: Desk) -> None:
    signal_id = claimed(desk, "anna")
    absence = away(desk, "anna", cover_id=str(id_of(desk, "bram"))).get_json()
    assert desk.call("anna", "DELETE", f"/team/absences/{absence['id']}").status_code == 204
    assert visit(desk, "bram", signal_id) == 409
    assert desk.call("bram", "GET", "/team/absences").get_json() == {"items": []}


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"away_until": "2026-11-23", "away_from": "2026-11-20"}, {"away_until": "in_past"}),
        ({"away_from": "2026-12-05"}, {"away_until": "not_after_start"}),
        ({"away_until": "2028-01-01"}, {"away_until": "not_after_start"}),
        ({"away_from": "2027-12-01", "away_until": "2027-12-02"}, {"away_from": "too_far_ahead"}),
        ({"away_from": "2026-11-31"}, {"away_from": "not_a_date"}),
        ({"cover_id": str(UUID(int=1))}, {"cover_id": "unknown"}),
    ],
)
def test_an_absence_that_cannot_be_is_refused(
    desk: Desk, values: dict[str, str], wrong: dict[str, str]
) -> None:
    assert problems(away(desk, "anna", **values)) == wrong


def test_who_stands_in_is_a_colleague_who_is_there(desk: Desk) -> None:
    for who, code in (("anna", "oneself"), ("gerda", "unknown"), ("fleur", "unknown"), ("coen", "unknown")):
        assert problems(away(desk, "anna", cover_id=str(id_of(desk, who)))) == {"cover_id": code}
    assert away(desk, "bram", away_from="2026-12-04", away_until="2026-12-11").status_code == 201
    assert problems(away(desk, "anna", cover_id=str(id_of(desk, "bram")))) == {"cover_id": "away_too"}
    assert problems(away(desk, "bram")) == {"away_from": "overlaps"}


def test_a_lead_enters_it_for_a_colleague_and_a_worker_does_not(desk: Desk) -> None:
    anna, gerda = str(id_of(desk, "anna")), str(id_of(desk, "gerda"))
    assert away(desk, "bram", staff_id=anna).status_code == 403
    assert away(desk, "lena", staff_id=gerda).status_code == 404
    entered = away(desk, "lena", staff_id=anna)
    assert entered.status_code == 201
    absence = f"/team/absences/{entered.get_json()['id']}"
    assert desk.call("bram", "DELETE", absence).status_code == 403
    assert desk.call("gerda", "DELETE", absence).status_code == 404
    assert desk.call("lena", "DELETE", absence).status_code == 204


def test_another_teams_absences_are_not_seen(desk: Desk) -> None:
    away(desk, "anna")
    assert desk.call("gerda", "GET", "/team/absences").get_json() == {"items": []}
    names = [entry["name"] for entry in desk.call("anna", "GET", "/team/colleagues").get_json()["items"]]
    assert names == ["Anna Voorbeeld", "Bram Voorbeeld", "Lena Voorbeeld"]


def test_who_stands_in_sees_the_signals_in_the_queue_and_on_the_page(desk: Desk) -> None:
    signal_id = claimed(desk, "anna")
    bram = Browser(desk, "bram")
    anna = Browser(desk, "anna")
    form = {"away_from": "2026-11-24", "away_until": "2026-12-04", "cover_id": str(id_of(desk, "bram"))}
    assert post(anna, "/desk/absence", "/desk/absence", **form).status_code == 303
    assert "U neemt waar voor Anna Voorbeeld tot en met vr 4 dec 2026: 1 open signaal." in words(
        bram.get("/desk")
    )
    page = bram.get("/desk/absence").text
    assert f'href="/desk/signals/{signal_id}"' in page
    opened = bram.get(f"/desk/signals/{signal_id}")
    assert "Anna Voorbeeld is afwezig tot en met vr 4 dec 2026. U neemt waar." in words(opened)
    assert f'action="/desk/signals/{signal_id}/contact-attempts"' in opened.text


def test_a_claim_that_nobody_looks_after_is_shown_to_the_lead_and_to_no_worker(
    desk: Desk, lena: Browser
) -> None:
    claimed(desk, "anna")
    away(desk, "anna")
    told = "Anna Voorbeeld is away until Fri, 4 Dec 2026 with 1 open signal, and nobody stands in."
    assert "is away until" in words(lena.get("/desk"))
    assert told.partition(" until")[0] in words(lena.get("/desk"))
    assert "niemand neemt waar" not in words(Browser(desk, "bram").get("/desk"))


def test_an_absence_is_removed_on_the_page_by_its_owner_only(desk: Desk) -> None:
    absence = away(desk, "anna").get_json()["id"]
    bram, anna = Browser(desk, "bram"), Browser(desk, "anna")
    assert f"/desk/absence/{absence}/remove" not in bram.get("/desk/absence").text
    assert post(bram, "/desk/absence", f"/desk/absence/{absence}/remove").status_code == 403
    assert post(anna, "/desk/absence", f"/desk/absence/{absence}/remove").status_code == 303
    with Session(desk.engine) as session:
        assert session.scalars(select(Absence)).all() == []


def test_a_wrong_absence_keeps_what_was_typed(desk: Desk) -> None:
    anna = Browser(desk, "anna")
    answer = post(anna, "/desk/absence", "/desk/absence", away_from="2026-12-10", away_until="2026-12-01")
    assert answer.status_code == 400
    assert 'id="absence-away_until-wrong"' in answer.text
    assert 'value="2026-12-10"' in answer.text


# Shutting out


@pytest.mark.parametrize("by", ["lena", "bea"])
def test_what_somebody_had_goes_back_to_the_team_at_once_when_they_are_shut_out(desk: Desk, by: str) -> None:
    untried, tried = claimed(desk, "anna"), claimed(desk, "anna", number=14)
    others = claimed(desk, "bram", number=16)
    assert visit(desk, "anna", tried) == 201
    answer = desk.call(by, "POST", f"/staff/{id_of(desk, 'anna')}/disable")
    assert answer.status_code == 200
    found = [signal_of(desk, signal_id) for signal_id in (untried, tried, others)]
    assert [signal.state for signal in found] == [
        SignalState.NEW,
        SignalState.IN_FOLLOW_UP,
        SignalState.CLAIMED,
    ]
    assert [signal.claimed_by_id for signal in found] == [None, None, id_of(desk, "bram")]
    page = Browser(desk, "bram").get(f"/desk/signals/{untried}")
    assert "Het account is afgesloten" in words(page)


def test_on_the_team_page_shutting_out_hands_back_too(desk: Desk, lena: Browser) -> None:
    signal_id = claimed(desk, "anna")
    assert post(lena, "/desk/team", f"/desk/team/{id_of(desk, 'anna')}/disable").status_code == 303
    assert signal_of(desk, signal_id).claimed_by_id is None


def test_who_was_shut_out_stands_in_no_more(desk: Desk, lena: Browser) -> None:
    claimed(desk, "anna")
    away(desk, "anna", cover_id=str(id_of(desk, "bram")))
    desk.call("lena", "POST", f"/staff/{id_of(desk, 'bram')}/disable")
    assert "nobody stands in" in words(lena.get("/desk"))


# An agreed day and the Wmo on pages


def test_a_day_is_agreed_and_a_wmo_notification_noted_in_the_browser(desk: Desk) -> None:
    signal_id = desk.arrive()
    anna = Browser(desk, "anna")
    anna.send(signal_id, "claim")
    agreed = {"kind": "phone", "result": "postponed", "postponed_until": "2026-12-08"}
    assert anna.send(signal_id, "contact-attempts", **agreed).status_code == 303
    page = words(anna.get(f"/desk/signals/{signal_id}"))
    assert "afgesproken voor di 8 dec 2026, over 14 dagen" in page
    assert "Afgesproken voor di 8 dec 2026" in page
    assert "Afgesproken voor di 8 dec" in words(anna.get("/desk"))
    assert anna.send(signal_id, "wmo", wmo_notified_on="2026-11-24").status_code == 303
    assert "Wmo-melding gedaan" in words(anna.get(f"/desk/signals/{signal_id}"))
    assert signal_of(desk, signal_id).wmo_notified_on == date(2026, 11, 24)


def test_a_day_that_cannot_be_agreed_is_told_beside_its_field(desk: Desk) -> None:
    signal_id = desk.arrive()
    anna = Browser(desk, "anna")
    anna.send(signal_id, "claim")
    for until, told in (("2026-11-24", "Kies een dag na vandaag."), ("2027-03-01", "Kies een eerdere dag")):
        answer = anna.send(
            signal_id, "contact-attempts", kind="phone", result="postponed", postponed_until=until
        )
        assert answer.status_code == 400
        assert told in words(answer)
        assert f'value="{until}"' in answer.text


def test_the_api_tells_the_agreed_day_and_the_hand_over_takes_both_along(desk: Desk) -> None:
    signal_id = claimed(desk, "anna")
    agreed = {
        "kind": "visit", "result": "postponed", "attempted_at": "2026-11-24T10:00:00+01:00",
        "postponed_until": "2026-12-08",
    }  # fmt: skip
    answer = desk.call("anna", "POST", f"/signals/{signal_id}/contact-attempts", json=agreed)
    assert answer.get_json()["postponed_until"] == "2026-12-08"
    [item] = desk.call("anna", "GET", "/queue").get_json()["items"]
    assert item["postponed_until"] == "2026-12-08"
    wmo = desk.call(
        "anna", "POST", f"/signals/{signal_id}/wmo-notification", json={"wmo_notified_on": "2026-11-24"}
    )
    assert (wmo.status_code, wmo.get_json()) == (201, {"wmo_notified_on": "2026-11-24"})
    stale = desk.call(
        "anna",
        "POST",
        f"/signals/{signal_id}/wmo-notification",
        json={"wmo_notified_on": None},
        headers={"If-Match": '"1"'},
    )
    assert stale.status_code == 412
    outcome = {"outcome": "help_accepted", "newly_known": True}
    assert desk.call("anna", "POST", f"/signals/{signal_id}/conclude", json=outcome).status_code == 200
    document = desk.call("anna", "GET", f"/signals/{signal_id}/handover.json").get_json()
    assert (document["version"], document["wmo_notified_on"]) == ("1.1", "2026-11-24")
    assert [tried["postponed_until"] for tried in document["contact_attempts"]] == ["2026-12-08"]


def test_a_resident_who_asks_is_told_both(desk: Desk) -> None:
    signal_id = claimed(desk, "anna")
    agreed = {
        "kind": "visit", "result": "postponed", "attempted_at": "2026-11-24T10:00:00+01:00",
        "postponed_until": "2026-12-08",
    }  # fmt: skip
    desk.call("anna", "POST", f"/signals/{signal_id}/contact-attempts", json=agreed)
    desk.call(
        "anna", "POST", f"/signals/{signal_id}/wmo-notification", json={"wmo_notified_on": "2026-11-24"}
    )
    proof = {"identity": "digid", "residence": "brp", "third_parties": True}
    place = {"postcode": "1012AB", "house_number": 12}
    exported = desk.call("fleur", "POST", "/residents/export", json={**place, **proof})
    assert exported.status_code == 200, exported.text
    [signal] = exported.get_json()["signals"]
    assert signal["wmo_notified_on"] == "2026-11-24"
    assert [tried["agreed_for"] for tried in signal["contact_attempts"]] == ["2026-12-08"]


def test_who_stands_in_takes_the_signals_along_on_a_round(desk: Desk) -> None:
    own, annas = claimed(desk, "bram"), claimed(desk, "anna", number=14)
    ids = {"ids": [str(own), str(annas)]}
    assert desk.call("bram", "POST", "/rounds", json=ids).status_code == 409
    away(desk, "anna", cover_id=str(id_of(desk, "bram")))
    assert len(desk.call("bram", "POST", "/rounds", json=ids).get_json()["items"]) == 2
    page = Browser(desk, "bram").get("/desk/round").text
    assert (str(own) in page, str(annas) in page) == (True, True)


# Roles


def test_a_lead_gives_a_colleague_another_role_from_the_next_request_on(desk: Desk, lena: Browser) -> None:
    bram = str(id_of(desk, "bram"))
    assert desk.call("bram", "GET", "/approvals").status_code == 403
    assert post(lena, "/desk/team", f"/desk/team/{bram}/role", role="lead").status_code == 303
    assert desk.call("bram", "GET", "/approvals").status_code == 200
    answer = desk.call("bram", "POST", f"/staff/{id_of(desk, 'lena')}/role", json={"role": "worker"})
    assert answer.get_json()["role"] == "worker"
    assert lena.get("/desk/team").status_code == 403
    grounds = {entry.ground for entry in desk.entries(AuditAction.STAFF_CHANGED)}
    assert {ground for ground in grounds if ground.startswith("role:")} == {"role:lead", "role:worker"}


def test_who_may_have_no_signals_any_more_hands_them_back(desk: Desk) -> None:
    signal_id = claimed(desk, "anna")
    body = {"role": "privacy_officer"}
    assert desk.call("lena", "POST", f"/staff/{id_of(desk, 'anna')}/role", json=body).status_code == 200
    assert signal_of(desk, signal_id).claimed_by_id is None


@pytest.mark.parametrize("role", ["administrator", "coordinator", "koning", ""])
def test_a_lead_gives_no_role_that_is_not_a_teams(desk: Desk, lena: Browser, role: str) -> None:
    anna = id_of(desk, "anna")
    assert set(problems(desk.call("lena", "POST", f"/staff/{anna}/role", json={"role": role}))) == {"role"}
    assert post(lena, "/desk/team", f"/desk/team/{anna}/role", role=role).status_code == 400


def test_nobody_changes_the_own_role_a_foreign_one_or_one_of_a_worker_s_choice(desk: Desk) -> None:
    body = {"role": "worker"}
    assert desk.call("lena", "POST", f"/staff/{id_of(desk, 'lena')}/role", json=body).status_code == 403
    assert desk.call("lena", "POST", f"/staff/{id_of(desk, 'gerda')}/role", json=body).status_code == 404
    assert desk.call("anna", "POST", f"/staff/{id_of(desk, 'bram')}/role", json=body).status_code == 403
    assert desk.call("bea", "POST", f"/staff/{id_of(desk, 'bram')}/role", json=body).status_code == 403
