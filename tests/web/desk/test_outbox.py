"""Attempts that a phone kept: the server opens them for their writer only, and records each once."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.models import ContactAttempt, Signal
from signals.vocabulary import AttemptResult
from tests.support.desk_side import Desk
from tests.support.pages import Browser, hidden_value

SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
ATTEMPT = {
    "kind": "visit",
    "result": "no_answer",
    "label:kind": "Hoe",
    "choices:kind": '{"visit": "Huisbezoek"}',
}


@pytest.fixture
def anna(desk: Desk) -> Browser:
    return Browser(desk, "anna")


def kept(who: Browser, signal_id: UUID, form: str = "contact-attempts", **fields: str) -> str:
    """Return what the phone of somebody seals of a form that found no network."""
    page = who.get(f"/desk/signals/{signal_id}").text
    sent = {"attempt_id": hidden_value(page, "attempt_id")} | ATTEMPT | fields
    return sealed(page, json.dumps([f"/desk/signals/{signal_id}/{form}", list(sent.items())]))


def sealed(page: str, text: str) -> str:
    key = urlsafe_b64decode(hidden_value(page, "outbox_key") + "=")
    envelope = SUITE.encrypt(text.encode(), X25519PublicKey.from_public_bytes(key), info=b"signals/outbox/v1")
    return urlsafe_b64encode(envelope).decode().rstrip("=")


def send(who: Browser, text: str, **more: Any) -> TestResponse:
    csrf = who.get("/desk/outbox").get_json()["csrf"]
    return who.client.post("/desk/outbox", data={"csrf_token": csrf, "sealed": text, **more})


def attempts(desk: Desk) -> list[ContactAttempt]:
    with Session(desk.engine) as session:
        return list(session.scalars(select(ContactAttempt)))


def test_an_attempt_that_is_sent_twice_is_recorded_once_at_the_moment_of_the_door(
    desk: Desk, signal_id: UUID, anna: Browser
) -> None:
    text, noted = kept(anna, signal_id), desk.clock.now()
    desk.clock.moment += timedelta(minutes=25)
    answers = [send(anna, text, minutes_ago=25).status_code for _ in range(2)]
    assert answers == [201, 201]
    [attempt] = attempts(desk)
    assert (attempt.result, attempt.attempted_at) == (AttemptResult.NO_ANSWER, noted)


def test_an_attempt_is_recorded_after_somebody_changed_the_signal_meanwhile(
    desk: Desk, signal_id: UUID, anna: Browser
) -> None:
    text = kept(anna, signal_id)
    anna.send(signal_id, "notes", text="Bel eerst.")
    assert send(anna, text).status_code == 201


def test_nobody_else_can_read_or_send_it(desk: Desk, signal_id: UUID, anna: Browser) -> None:
    text, bram = kept(anna, signal_id), Browser(desk, "bram")
    answer = send(bram, text)
    assert (answer.status_code, answer.get_json()["shown"]) == (409, [])
    assert attempts(desk) == []
    again = Browser(desk, "anna")  # another session of its writer
    assert send(again, text).status_code == 201


def test_what_cannot_be_recorded_comes_back_in_words(desk: Desk, signal_id: UUID, anna: Browser) -> None:
    text = kept(anna, signal_id)
    Browser(desk, "bram").send(signal_id, "claim")
    answer = send(anna, text, minutes_ago=5)
    assert answer.status_code == 409
    said = answer.get_json()
    assert said["why"].startswith("Bram Voorbeeld heeft dit signaal sinds")
    assert said["shown"] == [["Hoe", "Huisbezoek"], ["Genoteerd op", "di 24 nov 2026, 10:26"]]
    assert said["page"] == f"/desk/signals/{signal_id}"
    assert attempts(desk) == []


@pytest.mark.parametrize(
    "fields", [{"attempt_id": "x"}, {"result": "postponed"}, {"kind": "\x00"}, {"form": "conclude"}]
)
def test_a_form_that_no_page_of_ours_made_changes_nothing(
    desk: Desk, signal_id: UUID, anna: Browser, fields: dict[str, str]
) -> None:
    answer = send(anna, kept(anna, signal_id, **fields))
    assert (answer.status_code, bool(answer.get_json()["why"])) == (409, True)
    assert attempts(desk) == []


@pytest.mark.parametrize("text", ["null", "[]", '["/desk", 3]', '[1, [["a"]]]', "{"])
def test_a_sealed_text_that_is_no_form_is_refused(
    desk: Desk, signal_id: UUID, anna: Browser, text: str
) -> None:
    page = anna.get(f"/desk/signals/{signal_id}").text
    for found in (sealed(page, text), "AAAA", "é"):
        assert send(anna, found).status_code == 409


def test_it_needs_the_csrf_field_and_a_session(desk: Desk, signal_id: UUID, anna: Browser) -> None:
    text = kept(anna, signal_id)
    assert anna.client.post("/desk/outbox", data={"sealed": text}).status_code == 403
    assert desk.app.test_client().post("/desk/outbox", data={"sealed": text}).status_code == 401
    assert attempts(desk) == []


def test_an_attempt_of_another_signal_cannot_be_named_again(
    desk: Desk, signal_id: UUID, anna: Browser
) -> None:
    key, other = str(uuid4()), desk.arrive(number=14)
    assert send(anna, kept(anna, signal_id, attempt_id=key)).status_code == 201
    assert send(anna, kept(anna, other, attempt_id=key)).status_code == 409
    with Session(desk.engine) as session:
        assert session.get_one(Signal, other).claimed_by_id is None


def test_the_service_worker_answers_for_the_whole_desk_and_keeps_one_page(desk: Desk, anna: Browser) -> None:
    script = anna.get("/desk/sw.js")
    assert script.headers["Service-Worker-Allowed"] == "/desk"
    [files] = [json.loads(line[14:-1]) for line in script.text.splitlines() if line.startswith("const FILES")]
    assert [file.partition("?")[0] for file in files] == [
        "/static/bundles/page.css",
        "/static/bundles/waiting.js",
    ]
    page = desk.app.test_client().get("/desk/offline").text
    assert "csrf_token" not in page
    assert "Anna" not in anna.get("/desk/offline").text
