"""Answers of the public side: headers, sizes, failures, and receipts over the days."""

import io
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete
from werkzeug.test import EnvironBuilder, TestResponse

from privacy.receipts import receipt_hash
from signals import casework
from signals.audit.log import Actor
from signals.models import IdempotencyKey, MailboxPublicKey, Receipt, SealedReport, Signal
from signals.routing.snapshot import routing_changed
from signals.settings import LimitsSettings, NotesSettings
from signals.vocabulary import ConcernType, Outcome, ReceiptState
from tests.factories import ReceiptFactory
from tests.support.public_api import GOOD, TYPED, assert_problem, send
from tests.support.world import World


def test_a_failing_database_is_503_without_a_word_of_sql(
    caller: FlaskClient, sqlite_world: World, log: io.StringIO
) -> None:
    send(caller)
    with sqlite_world.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE sealed_reports RENAME TO away")
    answer = send(caller, GOOD | {"house_number_addition": "Q"}, str(uuid.uuid4()))
    assert_problem(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    heard = answer.get_data(as_text=True) + log.getvalue()
    for word in ("sealed_reports", "INSERT", "1012AB", str(sqlite_world.folder)):
        assert word not in heard


def test_something_unforeseen_is_500_without_its_message(
    caller: FlaskClient, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any, **_values: Any) -> None:
        raise RuntimeError(TYPED)

    monkeypatch.setattr("signals.intake.receiving.Intake.receive", fail)
    answer = send(caller)
    assert_problem(answer, 500, "internal")
    assert "RuntimeError" in log.getvalue()
    assert TYPED not in answer.get_data(as_text=True) + log.getvalue()


def test_no_mailbox_key_is_503_and_nothing_is_stored(caller: FlaskClient, sqlite_world: World) -> None:
    with sqlite_world.sessions.begin() as session:
        session.execute(delete(MailboxPublicKey))
        routing_changed(session)
    answer = send(caller)
    assert_problem(answer, 503, "no_mailbox_key")
    assert int(answer.headers["Retry-After"]) > 0
    assert sqlite_world.count(SealedReport) == 0


def test_a_full_area_is_429_for_half_an_hour_and_its_retries_are_answered(sqlite_world: World) -> None:
    caller = sqlite_world.client(limits=LimitsSettings(open_reports_per_area_and_day=1))
    first = send(caller)
    answer = send(caller, key=str(uuid.uuid4()))
    assert_problem(answer, 429, "area_full")
    assert answer.headers["Retry-After"] == "1800"  # it may be raised meanwhile
    assert send(caller).data == first.data


@pytest.mark.parametrize(
    ("method", "path"), [("get", "/signals"), ("put", "/form"), ("delete", "/receipts/status")]
)
def test_another_method_is_405_and_says_which_are_allowed(
    caller: FlaskClient, method: str, path: str
) -> None:
    answer = getattr(caller, method)(f"/api/v1{path}")
    assert_problem(answer, 405)
    assert answer.headers["Allow"]


# Languages
def test_problems_speak_dutch_unless_asked_otherwise(caller: FlaskClient) -> None:
    bad = {"postcode": "1012SA", "house_number": 12}
    dutch, english = send(caller, bad), send(caller, bad, accept_language="en")
    assert dutch.get_json()["errors"][0]["message"] != english.get_json()["errors"][0]["message"]
    assert dutch.get_json()["title"] != english.get_json()["title"]
    assert send(caller, bad, accept_language="nl").get_json()["title"] == dutch.get_json()["title"]
    assert send(caller, bad, accept_language="xx, de;q=0.5").get_json()["title"] == dutch.get_json()["title"]


# Headers of every answer
@pytest.mark.parametrize(
    "call",
    [
        lambda caller: caller.get("/api/v1/form"),
        lambda caller: send(caller),
        lambda caller: send(caller, b"x"),
        lambda caller: send(caller, content_type="text/plain"),
        lambda caller: caller.get("/api/v1/nope"),
        lambda caller: caller.put("/api/v1/form"),
        lambda caller: caller.post("/api/v1/coverage/lookup", json={"postcode": "1012AB"}),
        lambda caller: caller.post("/api/v1/receipts/status", json={"receipt": "x"}),
        lambda caller: caller.get("/healthz"),
        lambda caller: caller.get("/readyz"),
        lambda caller: caller.get("/"),
    ],
)
def test_every_answer_names_the_version_and_sets_no_cookie(
    caller: FlaskClient, call: Callable[[FlaskClient], TestResponse]
) -> None:
    caller.set_cookie("visitor", "1")
    answer = call(caller)
    assert answer.headers["API-Version"] == "1.0.0"
    assert "Set-Cookie" not in answer.headers
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_answers_about_one_report_are_not_kept_by_anybody(caller: FlaskClient) -> None:
    assert send(caller).headers["Cache-Control"] == "no-store"


# The form
def test_the_form_has_a_tag_by_which_it_is_not_sent_again(caller: FlaskClient) -> None:
    first = caller.get("/api/v1/form")
    assert first.status_code == 200
    again = caller.get("/api/v1/form", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert caller.get("/api/v1/form", headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_form_has_another_tag_where_notes_are_on(sqlite_world: World) -> None:
    off = sqlite_world.client().get("/api/v1/form")
    on = sqlite_world.client(notes=NotesSettings(enabled=True)).get("/api/v1/form")
    assert off.headers["ETag"] != on.headers["ETag"]
    assert [answer.get_json()["note"]["enabled"] for answer in (off, on)] == [False, True]


def test_the_form_tells_all_that_a_phone_needs_in_every_language(caller: FlaskClient) -> None:
    form = caller.get("/api/v1/form").get_json()
    assert set(form) == {"version", "languages", "concern_types", "seen", "note", "emergency", "issuers"}
    assert set(form["languages"]) == {"nl", "en", "pl", "ar", "tr", "bg", "ro", "uk"}
    assert [each["code"] for each in form["concern_types"]] == list(ConcernType)
    for entry in form["concern_types"] + form["seen"]:
        assert set(entry["labels"]) == set(form["languages"])
        assert all(entry["labels"].values())
    assert all(set(each) == {"number", "label", "when"} for each in form["emergency"])


# Coverage
@pytest.mark.parametrize(
    ("postcode", "kind", "code", "covered"),
    [
        ("1012AB", "social_work", "GM0363", True),
        ("9711 aa", "social_work", "GM0014", True),
        ("4331AA", "ggd", "GM0687", True),
        ("1000AA", "national", None, False),
    ],
)
def test_coverage_tells_who_would_receive(
    caller: FlaskClient, postcode: str, kind: str, code: str | None, covered: bool
) -> None:
    answer = caller.post("/api/v1/coverage/lookup", json={"postcode": postcode}).get_json()
    assert (answer["covered"], answer["organisation"]["kind"]) == (covered, kind)
    assert (answer["municipality"] or {}).get("code") == code


@pytest.mark.parametrize(
    "body", [{}, {"postcode": "1012SA"}, {"postcode": "1012AB", "house_number": 0}, {"x": 1}]
)
def test_a_look_up_of_nonsense_is_400(caller: FlaskClient, body: dict[str, Any]) -> None:
    assert_problem(caller.post("/api/v1/coverage/lookup", json=body), 400, "invalid")


# Receipts
def test_a_receipt_follows_the_signal_a_day_behind(caller: FlaskClient, sqlite_world: World) -> None:
    world = sqlite_world
    receipt, signal, actor = _claimed(caller, world)
    assert _status(caller, receipt) == {"state": "received", "as_of": "2026-11-23"}
    world.move(days=1)
    assert _status(caller, receipt) == {"state": "in_progress", "as_of": "2026-11-24"}
    _conclude(world, signal, actor)
    assert _status(caller, receipt)["state"] == "in_progress"
    world.move(days=1)
    assert _status(caller, receipt) == {"state": "closed", "as_of": "2026-11-25"}


def test_a_receipt_shows_only_the_last_state_of_a_day_and_one_day_later(
    caller: FlaskClient, sqlite_world: World
) -> None:
    world = sqlite_world
    receipt, signal, actor = _claimed(caller, world)
    _conclude(world, signal, actor)
    assert _status(caller, receipt)["state"] == "received"
    world.move(days=1)
    assert _status(caller, receipt)["state"] == "closed"


@pytest.mark.parametrize(
    "receipt", ["0000-0000-0000-0000", "zz", "", "UUUU-UUUU-UUUU-UUUU", "\N{PILE OF POO}"]
)
def test_a_receipt_never_issued_and_a_malformed_one_are_unknown_alike(
    caller: FlaskClient, receipt: str
) -> None:
    known = caller.post("/api/v1/receipts/status", json={"receipt": send(caller).get_json()["receipt"]})
    unknown = caller.post("/api/v1/receipts/status", json={"receipt": receipt})
    assert unknown.get_json() == {"state": "unknown", "as_of": "2026-11-23"}
    assert set(unknown.get_json()) == set(known.get_json())
    assert set(dict(unknown.headers)) == set(dict(known.headers))
    assert unknown.status_code == known.status_code == 200


def _claimed(caller: FlaskClient, world: World) -> tuple[str, Signal, Actor]:
    """Send a report and claim its signal; return the receipt, the signal and the worker."""
    receipt = send(caller).get_json()["receipt"]
    world.worker().arrive()
    actor = world.staff()
    [signal] = world.signals()
    world.do(actor, casework.claim, signal_id=signal.id)
    return receipt, signal, actor


def _status(caller: FlaskClient, receipt: str) -> dict[str, str]:
    body: dict[str, str] = caller.post("/api/v1/receipts/status", json={"receipt": receipt}).get_json()
    return body


def _conclude(world: World, signal: Signal, actor: Actor) -> None:
    world.do(actor, casework.conclude, signal_id=signal.id, outcome=Outcome.MISUSE)


# Sizes: TLS hides the content, not the length
def _size(answer: TestResponse) -> int:
    return answer.content_length or 0


def test_a_receipt_is_answered_in_one_size_whatever_its_state(
    caller: FlaskClient, sqlite_world: World
) -> None:
    receipt = send(caller).get_json()["receipt"]
    sizes, states = set(), set()
    for state in ReceiptState:
        with sqlite_world.sessions.begin() as session:
            session.execute(delete(IdempotencyKey))
            session.execute(delete(Receipt))
            if state is not ReceiptState.UNKNOWN:
                known = ReceiptFactory.build(
                    receipt_hash=receipt_hash(receipt), state=state, state_before=state
                )
                session.add(known)
        answer = caller.post("/api/v1/receipts/status", json={"receipt": receipt})
        page = caller.post("/voortgang", data={"receipt": receipt})
        states.add(answer.get_json()["state"])
        sizes.add((_size(answer), _size(page), page.status_code))
    assert states == set(ReceiptState)
    assert len(sizes) == 1


@pytest.mark.parametrize("path", ["/", "/api/v1/form", "/api/v1/nowhere"])
def test_an_answer_tells_its_length_and_each_header_once(sqlite_world: World, path: str) -> None:
    started: list[Any] = []
    environ = EnvironBuilder(path=path).get_environ()
    answer = b"".join(sqlite_world.app()(environ, lambda *given: started.append(given)))
    ((_status, headers),) = started
    assert dict(headers)["Content-Length"] == str(len(answer))
    assert len(headers) == len({name.lower() for name, _value in headers})
