"""Arrival: each report arrives once, as it was given; no hour is kept."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import DateTime, Engine, select

import migrations
import signals.arrival.batches
import signals.arrival.envelopes
from signals.audit.log import SYSTEM
from signals.intake.content import open_report, open_summaries
from signals.lifecycle.status_changes import life_of, transition
from signals.models import AddressLink, AuditEntry, IdempotencyKey, Receipt, SealedReport, Signal
from signals.models.place import NEIGHBOURHOOD
from signals.routing.place_import import import_places
from signals.routing.postcodes import Address
from signals.settings import NotesSettings
from signals.vocabulary import Action, AuditAction, ConcernType, ReceiptState, Seen, SignalState
from tests.support.world import AMSTERDAM, NATIONAL, NOWHERE, World, key, report

TODAY = date(2026, 11, 24)
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)


# The content
def test_a_report_arrives_as_it_was_given(world: World) -> None:
    given = report(
        Address(postcode="1012AB", number=12, addition="A"),
        concern_types=(ConcernType.CONFUSED, ConcernType.FRAIL),
        seen=Seen.REPEATEDLY,
        noticed_on=date(2026, 11, 20),
        note="Deur stond open.",
    )
    world.intake(notes=True).receive(world.clock, key=key(1), report=given)
    assert world.worker(notes=NotesSettings(enabled=True)).arrive() == 1
    [signal] = world.signals()
    summary = replace(given.summary, municipality="GM0363")
    assert open_report(world.keystore, signal) == replace(given, summary=summary)
    assert open_summaries(world.keystore, [signal]) == {signal.id: summary}


@pytest.mark.parametrize("known", [True, False])
def test_the_summary_has_the_neighbourhood_of_the_file(world: World, known: bool) -> None:
    if known:
        rows = [("1012AB", 12, ("N" * 80, "", "GM0363"))]
        import_places(world.begin, kind=NEIGHBOURHOOD, file=b"", rows=rows)
    world.receive(1, concern_types=tuple(ConcernType), seen=Seen.REPEATEDLY)
    world.worker().arrive()
    [signal] = world.signals()
    [summary] = open_summaries(world.keystore, [signal]).values()
    assert (summary.neighbourhood, summary.municipality) == ("N" * 60 if known else "", "GM0363")
    assert open_report(world.keystore, signal).summary == summary


def test_an_arrived_signal_is_new_and_unclaimed_and_has_its_organisation_and_day(world: World) -> None:
    world.receive(1)
    [sealed] = world.sealed()
    world.worker().arrive()
    [signal] = world.signals()
    assert (signal.id, signal.organisation_id, signal.received_on) == (sealed.signal_id, AMSTERDAM, TODAY)
    assert (signal.state, signal.version, signal.claimed_by_id) == (SignalState.NEW, 1, None)
    assert (signal.unrouted, signal.repeat) == (False, False)


def test_an_unrouted_report_arrives_unrouted_at_the_national_desk(world: World) -> None:
    world.receive(1, NOWHERE)
    world.worker().arrive()
    [signal] = world.signals()
    assert (signal.organisation_id, signal.unrouted) == (NATIONAL, True)


def test_run_twice_it_arrives_once(world: World) -> None:
    world.receive(1)
    assert [world.worker().arrive(), world.worker().arrive()] == [1, 0]
    assert len(world.signals()) == 1


def test_the_envelope_leaves_the_mailbox_and_a_retry_stays_known(world: World) -> None:
    first = world.receive(1)
    world.worker().arrive()
    assert world.sealed() == []
    assert world.receive(1) == first
    assert world.worker().arrive() == 0


def test_without_its_case_key_a_signal_cannot_be_read_nor_with_anothers(world: World) -> None:
    for number in range(2):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    world.worker().arrive()
    first, second = world.signals()
    world.keystore.destroy_case_keys([first.case_key_id])
    assert list(open_summaries(world.keystore, [first, second])) == [second.id]


def test_an_arrival_is_in_the_history_and_the_audit_by_its_day(world: World) -> None:
    world.receive(1)
    world.worker().arrive()
    with world.sessions() as session:
        signal = session.scalars(select(Signal)).one()
        [change] = life_of(signal)
        [entry] = session.scalars(select(AuditEntry)).all()
    assert (change.action, change.before, change.after) == (Action.ARRIVE, None, SignalState.NEW)
    assert (change.on, change.at, change.actor_id) == (TODAY, None, None)
    assert (entry.action, entry.subject_id, entry.organisation_id) == (
        AuditAction.SIGNAL_ARRIVED,
        signal.id,
        AMSTERDAM,
    )
    assert (entry.at, entry.actor_role) == (MIDNIGHT, "system")


def test_nothing_finer_than_a_date_is_written_by_intake_and_arrival(world: World) -> None:
    """But for when a message may leave, which carries the random delay."""
    world.clock.moment = datetime(2026, 11, 24, 14, 37, 41, 123456, tzinfo=UTC)
    world.receive(1)
    world.worker().arrive()
    written = {
        (table, column): value
        for table, column, value in _moments(world.engine)
        if (table, column) not in {("outbox_messages", "not_before"), ("outbox_messages", "expires_at")}
    }
    assert set(written) == {("audit_entries", "at")}
    assert written["audit_entries", "at"] == MIDNIGHT


def test_the_public_sides_table_has_no_column_finer_than_a_date() -> None:
    for model in (IdempotencyKey, SealedReport, Receipt, AddressLink):
        assert not [c for c in model.__table__.columns if isinstance(c.type, DateTime)]


def test_nothing_that_is_kept_says_which_reports_arrived_together(world: World) -> None:
    """They may be of one carrier, whose phone sends what it kept while it was offline."""
    for number in range(2):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    world.worker().arrive()
    said_of_all = {
        ("signals", "organisation_id"), ("address_links", "organisation_id"), ("address_links", "quarter"),
        ("audit_entries", "organisation_id"), ("audit_entries", "at"), ("audit_entries", "actor_role"),
        ("audit_entries", "action"), ("audit_entries", "ground"), ("audit_entries", "outcome"),
    }  # fmt: skip
    for model in (Signal, AddressLink, AuditEntry):
        with world.sessions() as session:
            first, second = session.execute(select(model.__table__)).all()
        for name, one, other in zip(first._fields, first, second, strict=True):
            told_apart = one != other or one is None or isinstance(one, bool | int | date | SignalState)
            assert told_apart or (model.__tablename__, name) in said_of_all


def test_a_receipt_stays_received_when_the_retries_are_forgotten_and_nobody_acted(world: World) -> None:
    answer = world.receive(1)
    world.worker().arrive()
    world.move(days=8)
    assert world.worker().forget_retries() == 1
    state, _ = world.intake().receipt_state(world.clock, answer.receipt)
    assert (state, world.count(SealedReport), world.count(Receipt)) == (ReceiptState.RECEIVED, 0, 1)


@pytest.mark.parametrize("days", [0, 8], ids=["at_the_door_still", "forgotten_there"])
def test_a_receipt_follows_the_first_change_from_the_next_day_on(world: World, days: int) -> None:
    answer = world.receive(1)
    world.worker().arrive()
    world.move(days=days)
    world.worker().forget_retries()
    with world.sessions.begin() as session:
        signal = session.scalars(select(Signal)).one()
        transition(world.operation(session, SYSTEM), signal=signal, action=Action.CLAIM)
    states = [world.intake().receipt_state(world.clock, answer.receipt)[0]]
    world.move(days=1)
    states.append(world.intake().receipt_state(world.clock, answer.receipt)[0])
    assert states == [ReceiptState.RECEIVED, ReceiptState.IN_PROGRESS]


def test_batches_are_worked_through_in_the_order_of_random_ids(sqlite_world: World) -> None:
    world = sqlite_world
    for number in range(6):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    in_order: list[uuid.UUID] = []
    original = signals.arrival.envelopes._opened

    def note(row: Any, *others: Any) -> Any:
        in_order.append(row.signal_id)
        return original(row, *others)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(signals.arrival.envelopes, "_opened", note)
        world.worker().arrive()
    assert in_order == sorted(in_order)


def test_references_can_be_read_out_and_differ(sqlite_world: World) -> None:
    made = {signals.arrival.batches.new_reference() for _ in range(200)}
    assert len(made) == 200
    assert all(len(each) == 9 and each[4] == "-" and not set(each) & set("ILOU") for each in made)


# Deadlines


def test_deadlines_count_from_the_day_of_receipt_and_not_of_a_late_arrival(sqlite_world: World) -> None:
    sqlite_world.receive(1)
    sqlite_world.move(days=3)
    sqlite_world.worker().arrive()
    [signal] = sqlite_world.signals()
    assert (signal.received_on, signal.claim_by) == (TODAY, date(2026, 11, 25))


def _moments(engine: Engine) -> Iterator[tuple[str, str, datetime]]:
    """Every moment in the database: (table, column, value)."""
    for metadata in migrations.TARGET:
        for table in metadata.sorted_tables:
            for column in table.columns:
                if getattr(column.type, "impl", column.type).__class__.__name__ != "DateTime":
                    continue
                with engine.connect() as connection:
                    for value in connection.scalars(select(column).where(column.is_not(None))):
                        yield table.name, column.name, value
