"""Test carriers' notes where they are on: intake redacts before it seals, and knows a repeated note."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from privacy.sealing import open_from_mailbox
from signals.errors import KeyReused
from signals.intake.content import NOTE_LENGTH, Report, context_of, open_report, report_from_plain
from signals.intake.receiving import Received, Redaction
from signals.models import IdempotencyKey, SealedReport
from signals.settings import NotesSettings
from tests.support.world import IN_AMSTERDAM, World, key, report

NOTE = "Mevrouw Jansen (84) valt vaak, zoon Piet weet het: 06-12345678."
REDACTED = "Mevrouw [naam] ([leeftijd]) valt vaak, zoon [naam] weet het: [telefoon]."
REDACTIONS = (
    Redaction(kind="age", count=1),
    Redaction(kind="name", count=2),
    Redaction(kind="phone", count=1),
)


def receive(world: World, number: int, note: str | None) -> Received:
    """Pass on a note, through a public side that takes them."""
    return world.intake(notes=True).receive(world.clock, key=key(number), report=report(note=note))


def sealed_report(world: World) -> Report:
    """Open the only envelope."""
    (row,) = world.sealed()
    assert row.envelope is not None
    context = context_of(row.signal_id, row.organisation_id, row.mailbox_key_id, row.schema_version)
    private_key = world.keystore.mailbox_private_keys([row.mailbox_key_id])[row.mailbox_key_id]
    return report_from_plain(open_from_mailbox(row.envelope, private_key, context))


def client_with_notes(world: World) -> FlaskClient:
    return world.client(notes=NotesSettings(enabled=True))


def post_note(client: FlaskClient, number: int, note: str) -> TestResponse:
    body = {"postcode": IN_AMSTERDAM.postcode, "house_number": IN_AMSTERDAM.number, "note": note}
    return client.post("/api/v1/signals", json=body, headers={"Idempotency-Key": str(key(number))})


def test_the_note_is_redacted_before_it_is_sealed(world: World) -> None:
    receive(world, 1, NOTE)
    assert sealed_report(world).note == REDACTED


def test_the_worker_reads_the_redacted_note_and_the_rest_as_it_was_sent(world: World) -> None:
    receive(world, 1, NOTE)
    world.worker(notes=NotesSettings(enabled=True)).arrive()
    (signal,) = world.signals()
    assert open_report(world.keystore, signal).to_plain() == report(note=REDACTED).to_plain()


def test_nothing_is_lost_of_a_note_that_became_longer_by_its_redaction(world: World) -> None:
    note = ("Jan en Piet " * 23)[:276] + " end"
    receive(world, 1, note)
    world.worker(notes=NotesSettings(enabled=True)).arrive()
    (signal,) = world.signals()
    arrived = open_report(world.keystore, signal).note or ""
    assert (len(arrived) > NOTE_LENGTH, arrived[-4:]) == (True, " end")


def test_the_answer_says_how_many_of_each_kind_were_removed(world: World) -> None:
    assert receive(world, 1, NOTE).redactions == REDACTIONS


def test_a_retry_gets_the_same_answer_before_and_after_arrival(world: World) -> None:
    first = receive(world, 1, NOTE)
    assert receive(world, 1, NOTE) == first
    world.worker().arrive()
    assert receive(world, 1, NOTE) == first
    assert (world.count(IdempotencyKey), world.count(SealedReport)) == (1, 0)


def test_two_notes_that_look_alike_once_redacted_are_still_two_bodies(world: World) -> None:
    receive(world, 1, NOTE)
    with pytest.raises(KeyReused):
        receive(world, 1, NOTE.replace("Jansen", "Pietersen"))
    with pytest.raises(KeyReused):
        receive(world, 1, REDACTED)


def test_the_longest_notes_fit_in_the_envelope(world: World) -> None:
    for number, note in enumerate(("piet " * 56, "👵" * 280, "12a " * 70, "\x01" * 280, "mw Jo, 82, " * 25)):
        receive(world, number, note[:280])
    assert world.worker().arrive() == 5


def test_the_api_answers_the_kinds_and_never_what_was_removed(world: World) -> None:
    answer = post_note(client_with_notes(world), 1, NOTE)
    assert answer.status_code == 201
    assert answer.get_json()["note_redactions"] == [
        {"kind": "age", "count": 1},
        {"kind": "name", "count": 2},
        {"kind": "phone", "count": 1},
    ]
    assert "Jansen" not in answer.get_data(as_text=True)
