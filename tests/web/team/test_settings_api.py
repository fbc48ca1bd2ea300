"""Test a team's settings over the API."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from notifications.models import OutboxMessage
from signals.db import session_factory
from signals.models import Recipient
from signals.organisations.recipients import ask_for_proof
from signals.vocabulary import AuditAction
from tests.support.desk_side import AMSTERDAM, GRONINGEN, Desk
from tests.support.team_pages import problems, recipients_of, team_of
from tests.support.team_work import organisation_of, signal_of


@pytest.fixture
def path(desk: Desk) -> str:
    """Return the path of the settings of Lena's team."""
    return f"/organisations/{organisation_of(desk, AMSTERDAM)}/settings"


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
def test_impossible_settings_are_refused_with_the_way_to_fix_them(
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


def test_new_norms_apply_to_later_signals(desk: Desk, path: str) -> None:
    before = desk.arrive()
    norms = {"claim_working_days": 3, "contact_working_days": 4, "conclude_calendar_days": 20}
    assert desk.call("lena", "PATCH", path, json=norms).status_code == 200
    after = signal_of(desk, desk.arrive(number=14))
    assert signal_of(desk, before).claim_by == date(2026, 11, 25)
    assert (after.claim_by, after.contact_by) == (date(2026, 11, 27), date(2026, 11, 30))
    assert after.conclude_by == date(2026, 12, 14)


def test_the_own_minimum_of_attempts_applies_before_not_reached(desk: Desk, path: str) -> None:
    assert desk.call("lena", "PATCH", path, json={"minimum_attempts": 2}).status_code == 200
    signal_id = desk.arrive()
    desk.call("anna", "POST", f"/signals/{signal_id}/claim")
    not_reached = {"outcome": "not_reached", "notified_by": "in_person"}
    for kind in ("visit", "card"):
        answer = desk.call("anna", "POST", f"/signals/{signal_id}/conclude", json=not_reached)
        assert problems(answer) == {"reason": "too_few_attempts"}
        tried = {"kind": kind, "result": "no_answer", "attempted_at": "2026-11-24T10:00:00+01:00"}
        desk.call("anna", "POST", f"/signals/{signal_id}/contact-attempts", json=tried)
    answer = desk.call("anna", "POST", f"/signals/{signal_id}/conclude", json=not_reached)
    assert answer.status_code == 200


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
        ask_for_proof(desk.operation(session), public_url="https://signalen.example")
        asked = select(OutboxMessage.recipient).where(OutboxMessage.event == "recipient_check")
        assert session.scalars(asked).all() == ["nieuw@example.org"]


def test_the_last_two_confirmed_recipients_stay_until_another_confirms(desk: Desk, path: str) -> None:
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


def test_an_address_in_capitals_stays_confirmed(desk: Desk, path: str) -> None:
    """Otherwise two confirmed recipients would seem to go, and no change could be saved."""
    first, second = recipients_of(desk, path)
    old, team = str(first["address"]), organisation_of(desk, AMSTERDAM)
    with session_factory(desk.engine).begin() as session:
        which = update(Recipient).where(Recipient.address == old, Recipient.organisation_id == team)
        session.execute(which.values(address=old.title()))
    shown = recipients_of(desk, path)
    assert shown[0]["address"] == old.title()
    answer = desk.call("lena", "PATCH", path, json={"recipients": [*shown, {"address": "nieuw@example.org"}]})
    assert answer.status_code == 200, answer.text
    told = {entry["address"]: entry["verified_on"] is not None for entry in answer.get_json()["recipients"]}
    assert told == {old: True, second["address"]: True, "nieuw@example.org": False}


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
def test_an_unreachable_recipient_is_refused(
    desk: Desk, path: str, changed: dict[str, str], wrong: dict[str, str]
) -> None:
    first, second = recipients_of(desk, path)
    answer = desk.call("lena", "PATCH", path, json={"recipients": [{**first, **changed}, second]})
    assert problems(answer) == wrong


def test_a_recipient_without_the_link_gets_a_new_one(desk: Desk, path: str) -> None:
    wanted = [*recipients_of(desk, path), {"address": "nieuw@example.org"}]
    assert desk.call("lena", "PATCH", path, json={"recipients": wanted}).status_code == 200

    def asked() -> int:
        with session_factory(desk.engine).begin() as session:
            return ask_for_proof(desk.operation(session), public_url="https://signalen.example")

    assert [asked(), asked()] == [1, 0]
    again = f"{path}/ask-again"
    assert desk.call("lena", "POST", again, json={"address": "nieuw@example.org"}).status_code == 202
    assert asked() == 1
    confirmed = recipients_of(desk, path)[0]["address"]
    assert problems(desk.call("lena", "POST", again, json={"address": confirmed})) == {
        "address": "nothing_to_confirm"
    }
