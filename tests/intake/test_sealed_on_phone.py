"""Reports that a phone sealed: the front keeps what it cannot read, and arrival checks it."""

import json
import uuid
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from signals.intake.content import Report, open_report
from signals.models import Organisation, SealedReport
from signals.routing.postcodes import Address
from signals.routing.snapshot import routing_changed
from signals.settings import LimitsSettings, NotesSettings
from signals.vocabulary import ConcernType
from tests.support.phone import BASE, Phone
from tests.support.world import (
    AMSTERDAM,
    GRONINGEN,
    IN_AMSTERDAM,
    IN_GRONINGEN,
    NATIONAL,
    NOWHERE,
    World,
    report,
)

TODAY = date(2026, 11, 24)
NOTES = NotesSettings(enabled=True)


@pytest.fixture
def phone(world: World) -> Phone:
    root = world.keystore.root_public_key()
    assert root
    return Phone(world.client(), root)


def test_the_team_reads_what_the_phone_sealed(world: World, phone: Phone) -> None:
    sent = report(concern_types=(ConcernType.SELF_NEGLECT,), noticed_on=TODAY)
    answer = phone.send(phone.seal(sent))
    assert answer.status_code == 201
    assert "note_redactions" not in answer.get_json()
    assert answer.get_json()["organisation"]["kind"] == "social_work"
    assert world.worker().arrive() == 1
    (signal,) = world.signals()
    assert (signal.organisation_id, signal.outside_area) == (AMSTERDAM, False)
    found = open_report(world.keystore, signal)
    assert (found.canonical(), found.noticed_on) == (sent.canonical(), TODAY)


def test_a_retry_gets_the_same_answer_also_when_the_week_of_its_key_is_over(
    world: World, phone: Phone
) -> None:
    body, key = phone.seal(report()), uuid.uuid4()
    first = phone.send(body, key)
    world.move(days=6)
    assert phone.send(body, key).get_json() == first.get_json()
    assert world.count(SealedReport) == 1


def test_another_envelope_under_one_key_is_refused(phone: Phone) -> None:
    key = uuid.uuid4()
    phone.send(phone.seal(report()), key)
    assert phone.send(phone.seal(report()), key).status_code == 409


def test_the_id_of_another_report_is_refused_by_name(world: World, phone: Phone) -> None:
    first = phone.seal(report())
    phone.send(first)
    answer = phone.send(phone.seal(report(), signal_id=first["signal_id"]))
    assert answer.status_code == 400
    assert [(each["field"], each["code"]) for each in answer.get_json()["errors"]] == [
        ("signal_id", "duplicate")
    ]
    assert world.count(SealedReport) == 1


@pytest.mark.parametrize("changed", ["mailbox_key_id", "organisation_id"])
def test_a_key_that_is_not_of_this_week_and_receiver_has_expired(phone: Phone, changed: str) -> None:
    answer = phone.send(phone.seal(report(), **{changed: str(uuid.uuid4())}))
    assert (answer.status_code, answer.get_json()["type"]) == (409, "urn:problem:signals:mailbox_key_expired")


def test_last_weeks_key_has_expired_and_a_new_look_up_mends_it(world: World, phone: Phone) -> None:
    body = phone.seal(report())
    world.move(days=7)
    assert phone.send(body).status_code == 409
    assert phone.send(phone.seal(report())).status_code == 201


def test_an_organisation_that_was_suspended_gets_no_sealed_report(world: World, phone: Phone) -> None:
    body = phone.seal(report())
    with world.sessions.begin() as session:
        suspended = update(Organisation).where(Organisation.id == AMSTERDAM)
        session.execute(suspended.values(suspended_from=TODAY))
        routing_changed(session)
    assert phone.send(body).status_code == 409
    assert phone.send(phone.seal(report())).get_json()["organisation"]["kind"] == "ggd"


def test_sealed_reports_count_towards_the_limit_of_a_day(world: World, phone: Phone) -> None:
    limits = replace(world.settings.limits, open_reports_per_area_and_day=1)
    limited = Phone(world.client(limits=limits), phone.root)
    answers = [limited.send(limited.seal(report())) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 429]
    assert answers[1].get_json()["type"] == "urn:problem:signals:area_full"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("envelope", "AAAA"),
        ("envelope", "*" * 2795),
        ("envelope", urlsafe_b64encode(bytes(2097)).decode()),
        ("schema_version", 2),
        ("signal_id", "1"),
        ("postcode", "1012AB"),
    ],
)
def test_a_malformed_sealed_report_names_the_field(phone: Phone, field: str, value: Any) -> None:
    answer = phone.send({**phone.seal(report()), field: value})
    assert answer.status_code == 400
    assert [problem["field"] for problem in answer.get_json()["errors"]] == [field]


@pytest.mark.parametrize("pc4", ["101", "1012AB", "0123", 1012, None])
def test_four_digits_that_are_none_are_named(phone: Phone, pc4: Any) -> None:
    answer = phone.client.post(f"{BASE}/mailboxes/lookup", json={"pc4": pc4})
    assert [problem["field"] for problem in answer.get_json()["errors"]] == ["pc4"]


def test_an_address_outside_the_sealed_area_goes_to_the_national_desk_marked(
    world: World, phone: Phone
) -> None:
    body = phone.seal(report(IN_AMSTERDAM), report(IN_GRONINGEN).canonical())
    assert phone.send(body).status_code == 201
    assert world.worker().arrive() == 1
    (signal,) = world.signals()
    assert (signal.organisation_id, signal.outside_area, signal.unrouted) == (NATIONAL, True, True)
    assert open_report(world.keystore, signal).address == IN_GRONINGEN


def test_reports_sealed_for_another_team_take_the_few_places_of_the_national_desk(
    world: World, phone: Phone
) -> None:
    """Twelve for each team would make thousands a day for this desk."""
    elsewhere = [(IN_AMSTERDAM, IN_GRONINGEN), (IN_GRONINGEN, IN_AMSTERDAM)]
    for sealed_for, address in 2 * elsewhere:
        phone.send(phone.seal(report(sealed_for), report(address).canonical()))
    worker = world.worker(limits=LimitsSettings(unproven_reports_per_area_and_day=3))
    assert worker.arrive() == 3
    desk = world.client(limits=worker.settings.limits)
    assert Phone(desk, phone.root).send(phone.seal(report(NOWHERE))).status_code == 429
    assert [row.refused_on for row in world.sealed()] == [TODAY]
    world.move(days=1)
    assert (worker.retry_refused(), world.sealed()) == (1, [])


def test_a_report_for_the_national_desk_stays_there_unmarked(world: World, phone: Phone) -> None:
    phone.send(phone.seal(report(Address(postcode="1000AA", number=1))))
    world.worker().arrive()
    (signal,) = world.signals()
    assert (signal.organisation_id, signal.outside_area) == (NATIONAL, False)


def test_the_worker_sees_only_the_redacted_note(world: World, phone: Phone) -> None:
    arrived = _arrived(world, phone, report(note="Bel 0612345678 a.u.b.\x07"), notes=NOTES)
    assert arrived.note == "Bel [telefoon] a.u.b. "


def test_a_longer_note_than_a_front_takes_is_cut(world: World, phone: Phone) -> None:
    note = "Bel 0612345678 " + "a" * 280
    assert _arrived(world, phone, report(note=note), notes=NOTES).note == "Bel [telefoon] " + "a" * 265


def test_a_note_goes_where_notes_are_switched_off(world: World, phone: Phone) -> None:
    assert _arrived(world, phone, report(note="De post ligt er al weken")).note is None


@pytest.mark.parametrize(
    ("days", "kept"),
    [(0, True), (-21, True), (-22, False), (1, False)],
    ids=["today", "oldest", "older", "tomorrow"],
)
def test_only_a_day_that_a_waiting_report_may_name_stays(
    world: World, phone: Phone, days: int, kept: bool
) -> None:
    day = TODAY + timedelta(days=days)
    assert _arrived(world, phone, report(noticed_on=day)).noticed_on == (day if kept else None)


def test_a_code_that_is_not_in_use_any_more_goes_and_the_report_stays(world: World, phone: Phone) -> None:
    text = json.dumps(report().to_plain() | {"types": ["abolished", "frail"], "seen": "abolished"}).encode()
    phone.send(phone.seal(report(), text))
    assert world.worker().arrive() == 1
    (signal,) = world.signals()
    summary = open_report(world.keystore, signal).summary
    assert (summary.concern_types, summary.seen) == ((ConcernType.FRAIL,), None)


@pytest.mark.parametrize(
    "text",
    [
        b"no json",
        b"[]",
        json.dumps(report().to_plain() | {"types": "frail"}).encode(),
        json.dumps(report().to_plain() | {"more": 1}).encode(),
        json.dumps(report().to_plain() | {"nr": 0}).encode(),
        json.dumps(report().to_plain() | {"add": "; drop"}).encode(),
    ],
)
def test_what_is_no_report_is_set_aside_and_nothing_of_it_is_logged(
    world: World, phone: Phone, text: bytes
) -> None:
    phone.send(phone.seal(report(), text))
    phone.send(phone.seal(report(IN_GRONINGEN)))
    with capture_logs() as logs:
        assert world.worker().arrive() == 1
    assert [signal.organisation_id for signal in world.signals()] == [GRONINGEN]
    assert [row.refused_on for row in world.sealed()] == [TODAY]
    assert [entry["event"] for entry in logs] == ["arrival.content_refused"]


def _arrived(world: World, phone: Phone, sent: Report, **settings: Any) -> Report:
    assert phone.send(phone.seal(sent)).status_code == 201
    assert world.worker(**settings).arrive() == 1
    (signal,) = world.signals()
    return open_report(world.keystore, signal)
