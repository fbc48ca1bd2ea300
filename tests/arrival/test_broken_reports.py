"""Arrival that is killed, or finds what was tampered with: nothing is lost, and the rest arrives."""

import io
import uuid
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select, update
from structlog.testing import capture_logs

import signals.arrival.batches
from notifications.models import OutboxMessage
from privacy.logs import configure_logging
from privacy.sealing import SCHEMA_VERSION, SealContext, seal_to_mailbox
from signals.intake.content import open_report
from signals.models import AuditEntry, IdempotencyKey, MailboxPublicKey, Receipt, SealedReport
from signals.operations.job_runs import LATE
from signals.operations.schedule import _guarded
from signals.routing.postcodes import Address
from signals.settings import NotesSettings
from signals.vocabulary import ReceiptState
from tests.support.arriving import by_day, in_batches
from tests.support.world import AMSTERDAM, GRONINGEN, IN_AMSTERDAM, IN_GRONINGEN, World, report

TODAY = date(2026, 11, 24)


class Killed(BaseException):
    """Stands for the end of the process: nothing in the product may catch it."""


# Killed


@pytest.mark.parametrize(
    "where",
    [
        "DELETE FROM sealed_reports", "INSERT INTO signals", "SELECT address_links", "UPDATE signals",
        "INSERT INTO address_links", "INSERT INTO audit_entries", "INSERT INTO outbox_messages", "COMMIT",
    ],
)  # fmt: skip
def test_killed_before_the_commit_it_arrives_once_later(world: World, where: str) -> None:
    for number in (1, 2, 3, 3):
        world.receive(10 * number + world.count(SealedReport), Address(postcode="1012AB", number=number))
    with _killed_at(world.engine, where), pytest.raises(Killed):
        world.worker().arrive()
    assert world.signals() == []
    assert len(world.sealed()) == 4
    assert world.worker().arrive() == 4
    assert len(world.signals()) == 4
    assert sorted(signal.repeat for signal in world.signals()) == [False, False, False, True]
    assert (world.count(OutboxMessage), world.count(AuditEntry)) == (2, 4)


def test_case_keys_of_a_killed_batch_remain_for_the_sweep_and_no_other(world: World) -> None:
    world.receive(1)
    with _killed_at(world.engine, "COMMIT"), pytest.raises(Killed):
        world.worker().arrive()
    world.worker().arrive()
    [signal] = world.signals()
    orphans = set(world.keystore.case_key_ids()) - {signal.case_key_id}
    assert len(orphans) == 1
    world.keystore.destroy_case_keys(orphans)
    assert open_report(world.keystore, signal).address == IN_AMSTERDAM


def test_a_row_that_the_database_refuses_leaves_the_batch_waiting_and_its_values_out_of_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL tells of it only at the end of the pipeline, and quotes the value."""
    for number in range(2):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    log = io.StringIO()
    configure_logging(stream=log)
    with monkeypatch.context() as patched:
        patched.setattr(signals.arrival.batches, "new_reference", lambda: "SAME-SAME")
        _guarded(world.worker(), "arrival", world.worker().arrive, LATE)()
    assert "scheduler.job_failed" in log.getvalue()
    assert "SAME" not in log.getvalue()
    assert (len(world.signals()), world.worker().arrive()) == (0, 2)


def test_a_keystore_that_is_away_leaves_the_reports_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.receive(1)

    def refuse(*_arguments: Any, **_values: Any) -> None:
        raise OSError("no such disk")

    with monkeypatch.context() as patched:
        patched.setattr(type(world.keystore), "store_case_keys", refuse)
        with pytest.raises(OSError, match="no such disk"):
            world.worker().arrive()
    assert (len(world.signals()), world.worker().arrive()) == (0, 1)


def test_a_batch_is_one_transaction_so_that_earlier_batches_stay(world: World) -> None:
    for number in range(4):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    with _killed_at(world.engine, "INSERT INTO signals", time=2), pytest.raises(Killed):
        in_batches(world, 2).arrive()
    assert len(world.signals()) == 2
    assert world.worker().arrive() == 2


# Tampered with


def test_a_damaged_envelope_is_set_aside_and_the_others_arrive(world: World) -> None:
    for number in range(3):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    bad, *good = world.sealed()
    _change(world, bad, envelope=bad.envelope[:-1] + bytes([bad.envelope[-1] ^ 1]))
    with capture_logs() as lines:
        assert world.worker().arrive() == 2
    assert [(line["event"], line["signal_id"]) for line in lines if line["log_level"] == "error"] == [
        ("arrival.envelope_refused", str(bad.signal_id))
    ]
    assert {signal.id for signal in world.signals()} == {row.signal_id for row in good}
    assert [(row.signal_id, row.refused_on) for row in world.sealed()] == [(bad.signal_id, TODAY)]


@pytest.mark.parametrize("column", ["organisation_id", "signal_id", "mailbox_key_id", "schema_version"])
def test_an_envelope_opens_only_where_it_was_sealed_for(world: World, column: str) -> None:
    world.receive(1)
    [row] = world.sealed()
    moved = {
        "organisation_id": GRONINGEN,
        "signal_id": uuid.uuid4(),
        "mailbox_key_id": _public_key(world, GRONINGEN).key_id,
        "schema_version": SCHEMA_VERSION + 1,
    }
    _change(world, row, **{column: moved[column]})
    assert world.worker().arrive() == 0
    assert world.sealed()[0].refused_on == TODAY


def test_arrival_keeps_a_rejected_report_and_does_not_try_it_again(world: World) -> None:
    world.receive(1)
    [row] = world.sealed()
    _change(world, row, envelope=b"x" * 100)
    world.worker().arrive()
    with capture_logs() as lines:
        assert world.worker().arrive() == 0
    assert lines == []
    assert world.sealed()[0].envelope == b"x" * 100


def test_a_batch_of_nothing_but_damaged_envelopes_does_not_hold_the_rest_up(world: World) -> None:
    for number in range(4):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    for row in world.sealed()[:2]:
        _change(world, row, envelope=b"x" * 100)
    assert in_batches(world, 2).arrive() == 2


def test_a_report_whose_mailbox_key_was_destroyed_is_set_aside(world: World) -> None:
    world.receive(1)
    world.receive(2, IN_GRONINGEN)
    world.keystore.destroy_mailbox_keys([_public_key(world, AMSTERDAM).key_id])
    assert world.worker().arrive() == 1
    assert list(world.addresses()) == [IN_GRONINGEN]


WHOLE: dict[str, Any] = {
    "pc": "1012AB", "nr": 12, "add": "", "on": None, "note": None, "types": [], "seen": None, "by": None,
}  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        {},
        {**WHOLE, "pc": None},
        {**WHOLE, "nr": "12"},
        {**WHOLE, "nr": 0},
        {**WHOLE, "on": "gisteren"},
        {**WHOLE, "types": None},
        {name: value for name, value in WHOLE.items() if name != "note"},
        {**WHOLE, "note": {"a": 1}},
        {**WHOLE, "nr": True},
        {**WHOLE, "in": ["Forged", "GM0014"]},
    ],
    ids=[
        "empty",
        "no_postcode",
        "text_number",
        "number_0",
        "no_date",
        "no_types",
        "no_note",
        "note_of_something_else",
        "true_for_a_number",
        "a_neighbourhood_of_its_own",
    ],
)
def test_nonsense_sealed_by_somebody_with_the_public_key_does_not_hold_the_rest_up(
    sqlite_world: World, content: dict[str, Any]
) -> None:
    world = sqlite_world
    world.receive(1)
    world.receive(2, IN_GRONINGEN)
    bad = next(row for row in world.sealed() if row.organisation_id == AMSTERDAM)
    _change(world, bad, envelope=_sealed_anew(world, bad, content))
    assert world.worker().arrive() == 1
    assert list(world.addresses()) == [IN_GRONINGEN]
    assert next(row for row in world.sealed() if row.signal_id == bad.signal_id).refused_on == TODAY


def test_a_note_sealed_by_somebody_with_the_public_key_is_redacted_too(world: World) -> None:
    world.receive(1)
    [row] = world.sealed()
    _change(world, row, envelope=_sealed_anew(world, row, WHOLE | {"note": "Bel 0612345678."}))
    assert world.worker(notes=NotesSettings(enabled=True)).arrive() == 1
    [signal] = world.signals()
    assert open_report(world.keystore, signal).note == "Bel [telefoon]."


def test_a_report_for_an_organisation_that_does_not_exist_is_set_aside(sqlite_world: World) -> None:
    world = sqlite_world
    world.receive(1)
    world.receive(2, IN_GRONINGEN)
    bad = next(row for row in world.sealed() if row.organisation_id == AMSTERDAM)
    _change(world, bad, organisation_id=uuid.UUID(int=404))
    bad.organisation_id = uuid.UUID(int=404)
    _change(world, bad, envelope=_sealed_anew(world, bad, report().to_plain()))
    assert world.worker().arrive() == 1
    assert list(world.addresses()) == [IN_GRONINGEN]


def test_the_same_report_sent_again_after_its_seven_days_arrives_and_holds_nothing_up(world: World) -> None:
    first = world.receive(1)
    world.worker().arrive()
    world.move(days=8)
    world.worker().forget_retries()
    again = world.receive(1)
    world.receive(2, IN_GRONINGEN)
    assert world.worker().arrive() == 2
    assert (again.receipt, world.count(Receipt)) == (first.receipt, 1)
    assert [signal.repeat for signal in by_day(world) if signal.organisation_id == AMSTERDAM] == [
        False,
        True,
    ]


def test_an_envelope_that_did_not_come_by_the_door_is_set_aside(world: World) -> None:
    """The front's database role can write a report without its key, past the day's limit."""
    world.receive(1)
    world.receive(2, IN_GRONINGEN)
    bad = next(row for row in world.sealed() if row.organisation_id == AMSTERDAM)
    _change(world, bad, receipt_hash=b"of no key".ljust(32))
    with capture_logs() as lines:
        assert world.worker().arrive() == 1
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["arrival.came_without_key"]
    assert list(world.addresses()) == [IN_GRONINGEN]
    assert [row.refused_on for row in world.sealed()] == [TODAY]


def test_nonsense_under_the_receipt_of_another_report_spoils_neither_its_receipt_nor_its_end(
    world: World,
) -> None:
    receipt = world.receive(1).receipt
    [sealed] = world.sealed()
    again = _values(sealed)
    world.worker().arrive()
    with world.sessions.begin() as session:
        session.add(SealedReport(**again | {"signal_id": uuid.uuid4(), "envelope": b"x" * 100}))
    world.worker().arrive()
    world.move(days=8)
    assert world.worker().forget_retries() == 1
    assert (world.count(IdempotencyKey), world.count(SealedReport)) == (0, 0)
    assert world.intake().receipt_state(world.clock, receipt)[0] is ReceiptState.RECEIVED


def _values(row: SealedReport) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__table__.columns.keys()}  # noqa: SIM118 - the names


def _change(world: World, row: SealedReport, **values: Any) -> None:
    with world.sessions.begin() as session:
        where = SealedReport.receipt_hash == row.receipt_hash
        session.execute(update(SealedReport).where(where).values(values))


def _public_key(world: World, organisation_id: uuid.UUID) -> MailboxPublicKey:
    with world.sessions() as session:
        query = select(MailboxPublicKey).where(MailboxPublicKey.organisation_id == organisation_id)
        return session.scalars(query.order_by(MailboxPublicKey.week)).first()  # type: ignore[return-value]


def _sealed_anew(world: World, row: SealedReport, content: dict[str, Any]) -> bytes:
    """Put another envelope in a row, as somebody who can write to the database may."""
    context = SealContext(
        signal_id=row.signal_id,
        organisation_id=row.organisation_id,
        key_id=row.mailbox_key_id,
        schema_version=row.schema_version,
    )
    return seal_to_mailbox(content, _public_key(world, AMSTERDAM).public_key, context)


class _killed_at:  # noqa: N801 - reads like a function where it is used
    """While it lasts, the n-th statement that begins so (or the commit) ends the process instead."""

    def __init__(self, engine: Engine, beginning: str, *, time: int = 1) -> None:
        self._engine, self._beginning, self._left = engine, beginning, time

    def __enter__(self) -> None:
        event.listen(self._engine, "before_cursor_execute", self._look)
        event.listen(self._engine, "commit", self._commits)

    def __exit__(self, *_details: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._look)
        event.remove(self._engine, "commit", self._commits)

    def _commits(self, connection: Connection) -> None:
        self._look(connection, None, "COMMIT")

    def _look(self, _connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith(self._beginning):
            self._left -= 1
            if self._left == 0:
                raise Killed
