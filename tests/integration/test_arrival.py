"""Arrival: each report arrives once, whatever is killed or run twice; repeats are seen; no hour is kept."""

import io
import json
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, DateTime, Engine, event, select, update
from structlog.testing import capture_logs

import migrations
import signals.arrival
from notifications.models import OutboxMessage
from privacy.logs import configure_logging
from privacy.sealing import SCHEMA_VERSION, SealContext, seal_to_mailbox
from signals.audit import SYSTEM
from signals.audit_trail import TrailKeys, link_entries, verify_trail
from signals.contents import open_report, open_summaries
from signals.followup import life_of, transition
from signals.jobs import Worker
from signals.models import (
    AddressLink,
    AuditEntry,
    MailboxPublicKey,
    Organisation,
    Receipt,
    Recipient,
    SealedReport,
    Signal,
)
from signals.postcodes import Address
from signals.repeats import earlier_links, probes_for
from signals.routing import routing_changed
from signals.scheduler import _guarded
from signals.settings import ArrivalSettings, NotificationsSettings
from signals.vocabulary import Action, AuditAction, ConcernType, ReceiptState, Seen, SignalState
from tests.support.world import (
    AMSTERDAM,
    GRONINGEN,
    IN_AMSTERDAM,
    IN_GRONINGEN,
    NATIONAL,
    NOWHERE,
    World,
    key,
    report,
    run_at_once,
)

TODAY = date(2026, 11, 24)
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)


class Killed(BaseException):
    """Stands for the end of the process: nothing in the product may catch it."""


# What arrives


def test_a_report_arrives_as_it_was_given(world: World) -> None:
    given = report(
        Address(postcode="1012AB", number=12, addition="A"),
        concern_types=(ConcernType.CONFUSED, ConcernType.FRAIL),
        seen=Seen.REPEATEDLY,
        noticed_on=date(2026, 11, 20),
        note="Deur stond open.",
    )
    world.intake(notes=True).receive(world.clock, key=key(1), report=given)
    assert world.worker().arrive() == 1
    [signal] = world.signals()
    assert open_report(world.keystore, signal) == given
    assert open_summaries(world.keystore, [signal]) == {signal.id: given.summary}


def test_what_arrives_is_new_unclaimed_and_of_the_organisation_and_day(world: World) -> None:
    world.receive(1)
    [sealed] = world.sealed()
    world.worker().arrive()
    [signal] = world.signals()
    assert (signal.id, signal.organisation_id, signal.received_on) == (sealed.signal_id, AMSTERDAM, TODAY)
    assert (signal.state, signal.version, signal.claimed_by_id) == (SignalState.NEW, 1, None)
    assert (signal.unrouted, signal.repeat, signal.is_drill) == (False, False, False)


def test_an_unrouted_report_arrives_unrouted_at_the_national_desk(world: World) -> None:
    world.receive(1, NOWHERE)
    world.worker().arrive()
    [signal] = world.signals()
    assert (signal.organisation_id, signal.unrouted) == (NATIONAL, True)


def test_several_batches_arrive_in_one_run(world: World) -> None:
    for number in range(7):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    assert _in_batches(world, 3).arrive() == 7
    assert set(world.addresses()) == {Address(postcode="1012AB", number=n) for n in range(1, 8)}


def test_a_full_last_batch_ends_the_run_too(world: World) -> None:
    for number in range(4):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    assert _in_batches(world, 2).arrive() == 4


def test_run_twice_it_arrives_once(world: World) -> None:
    world.receive(1)
    assert [world.worker().arrive(), world.worker().arrive()] == [1, 0]
    assert len(world.signals()) == 1


def test_the_envelope_leaves_the_public_sides_row(world: World) -> None:
    world.receive(1)
    world.worker().arrive()
    [row] = world.sealed()
    assert row.envelope is None


def test_each_case_has_a_key_of_its_own(world: World) -> None:
    for number in range(3):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    world.worker().arrive()
    keys = world.keystore.case_keys(signal.case_key_id for signal in world.signals())
    assert len(set(keys.values())) == 3


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
    for model in (SealedReport, Receipt, AddressLink):
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


def test_a_receipt_stays_received_through_arrival(world: World) -> None:
    answer = world.receive(1)
    intake = world.intake()
    before = intake.receipt_state(world.clock, answer.receipt)
    world.worker().arrive()
    assert intake.receipt_state(world.clock, answer.receipt) == before
    assert before == (ReceiptState.RECEIVED, TODAY - timedelta(days=1))


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
        transition(
            session, world.clock, signal=signal, action=Action.CLAIM, actor=SYSTEM, audit=world.worker().audit
        )
    states = [world.intake().receipt_state(world.clock, answer.receipt)[0]]
    world.move(days=1)
    states.append(world.intake().receipt_state(world.clock, answer.receipt)[0])
    assert states == [ReceiptState.RECEIVED, ReceiptState.IN_PROGRESS]


def test_the_trail_of_arrivals_is_whole_once_their_day_is_over(world: World) -> None:
    for number in range(3):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    world.worker().arrive()
    keys = TrailKeys(mac_key=world.keystore.secret("audit"), root=world.keystore.root_signing_key())
    world.move(days=1)
    with world.sessions.begin() as session:
        assert link_entries(session, world.clock, keys=keys) == 3
        assert verify_trail(session, world.clock, keys=keys) == ()


# Deadlines


@pytest.mark.parametrize(
    ("received", "claim_by", "contact_by", "conclude_by"),
    [
        (date(2026, 11, 24), date(2026, 11, 25), date(2026, 11, 26), date(2026, 12, 22)),
        (date(2026, 11, 27), date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 25)),  # a Friday
        (date(2026, 11, 28), date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 26)),  # a Saturday
        (date(2026, 12, 24), date(2026, 12, 28), date(2026, 12, 29), date(2027, 1, 21)),  # before Christmas
        (date(2027, 4, 26), date(2027, 4, 28), date(2027, 4, 29), date(2027, 5, 24)),  # before King's Day
    ],
)
def test_deadlines_pass_over_weekends_and_holidays(
    sqlite_world: World, received: date, claim_by: date, contact_by: date, conclude_by: date
) -> None:
    world = sqlite_world
    world.clock.moment = datetime(received.year, received.month, received.day, 10, tzinfo=UTC)
    world.worker().provision_keys()
    world.receive(1)
    world.worker().arrive()
    [signal] = world.signals()
    assert (signal.claim_by, signal.contact_by, signal.conclude_by) == (claim_by, contact_by, conclude_by)
    assert signal.due_on == claim_by


def test_deadlines_count_from_the_day_of_receipt_and_not_of_a_late_arrival(sqlite_world: World) -> None:
    sqlite_world.receive(1)
    sqlite_world.move(days=3)
    sqlite_world.worker().arrive()
    [signal] = sqlite_world.signals()
    assert (signal.received_on, signal.claim_by) == (TODAY, date(2026, 11, 25))


def test_an_organisation_has_deadlines_of_its_own(sqlite_world: World) -> None:
    with sqlite_world.sessions.begin() as session:
        slow = update(Organisation).where(Organisation.id == AMSTERDAM)
        session.execute(slow.values(claim_working_days=3, contact_working_days=5, conclude_calendar_days=14))
    sqlite_world.receive(1)
    sqlite_world.worker().arrive()
    [signal] = sqlite_world.signals()
    assert (signal.claim_by, signal.contact_by) == (date(2026, 11, 27), date(2026, 12, 1))
    assert signal.conclude_by == date(2026, 12, 8)


# Repeats


def test_a_second_report_of_an_address_is_a_repeat(world: World) -> None:
    _arrive_apart(world, IN_AMSTERDAM, IN_AMSTERDAM)
    assert sorted(signal.repeat for signal in world.signals()) == [False, True]


def test_a_repeat_inside_one_batch_is_seen(world: World) -> None:
    for number in range(3):
        world.receive(number)
    assert world.worker().arrive() == 3
    assert sorted(signal.repeat for signal in world.signals()) == [False, True, True]


def test_another_address_is_no_repeat(world: World) -> None:
    _arrive_apart(world, IN_AMSTERDAM, Address(postcode="1012AB", number=13))
    assert not any(signal.repeat for signal in world.signals())


def test_the_same_house_with_another_addition_is_no_repeat_but_is_found(world: World) -> None:
    with_addition = Address(postcode="1012AB", number=12, addition="A")
    _arrive_apart(world, IN_AMSTERDAM, with_addition)
    assert not any(signal.repeat for signal in world.signals())
    [probe] = probes_for(world.keystore, [(AMSTERDAM, with_addition)], TODAY)
    with world.sessions() as session:
        links = earlier_links(session, probe, besides=uuid.uuid4())
    assert sorted(probe.is_same_address(link) for link in links) == [False, True]


def test_a_repeat_is_seen_across_quarters_for_a_year(world: World) -> None:
    world.receive(1)
    world.worker().arrive()
    world.clock.moment = datetime(2027, 11, 23, 9, tzinfo=UTC)
    _provision_and_arrive(world, 2)
    assert [signal.repeat for signal in _by_day(world)] == [False, True]


def test_a_year_and_two_quarters_later_nothing_is_found_any_more(world: World) -> None:
    world.receive(1)
    world.worker().arrive()
    world.clock.moment = datetime(2028, 1, 3, 9, tzinfo=UTC)
    _provision_and_arrive(world, 2)
    assert not any(signal.repeat for signal in world.signals())


def test_links_of_two_quarters_are_made_under_different_keys(world: World) -> None:
    world.receive(1)
    world.worker().arrive()
    world.clock.moment = datetime(2027, 1, 4, 9, tzinfo=UTC)
    _provision_and_arrive(world, 2)
    with world.sessions() as session:
        links = session.scalars(select(AddressLink)).all()
    assert {link.quarter for link in links} == {"2026-Q4", "2027-Q1"}
    assert len({link.pseudonym for link in links} | {link.house_pseudonym for link in links}) == 4


def test_another_organisation_sees_no_repeat_of_the_same_address(world: World) -> None:
    _arrive_apart(world, IN_AMSTERDAM)
    with world.sessions.begin() as session:
        gone = update(Organisation).where(Organisation.id == AMSTERDAM)
        session.execute(gone.values(suspended_from=TODAY))
    _bump(world)
    _arrive_apart(world, IN_AMSTERDAM, start=50)
    assert len({signal.organisation_id for signal in world.signals()}) == 2
    assert not any(signal.repeat for signal in world.signals())


@pytest.mark.postgres
def test_two_workers_at_once_mark_one_of_two_reports_of_an_address(postgres_world: World) -> None:
    world = postgres_world
    for pair in range(6):
        home = Address(postcode="1012AB", number=pair + 1)
        world.receive(2 * pair, home)
        world.receive(2 * pair + 1, home)
    workers = [_worker_apart(world, batch_size=1) for _ in range(2)]
    assert sum(run_at_once(*[worker.arrive for worker in workers])) == 12
    repeats: dict[Address, list[bool]] = {}
    for signal in world.signals():
        repeats.setdefault(open_report(world.keystore, signal).address, []).append(signal.repeat)
    assert [sorted(marks) for marks in repeats.values()] == [[False, True]] * 6


def test_workers_at_once_share_the_reports_and_none_arrives_twice(world: World) -> None:
    for number in range(24):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    workers = [_worker_apart(world, batch_size=4) for _ in range(3)]
    assert sum(run_at_once(*[worker.arrive for worker in workers])) == 24
    assert len(world.addresses()) == 24
    assert all(signal.team_told for signal in world.signals())
    assert 2 * 6 <= world.count(OutboxMessage) <= 2 * 24


# Killed


@pytest.mark.parametrize(
    "where",
    [
        "UPDATE sealed_reports", "INSERT INTO signals", "SELECT address_links", "UPDATE signals",
        "INSERT INTO address_links", "INSERT INTO audit_entries", "INSERT INTO outbox_messages", "COMMIT",
    ],
)  # fmt: skip
def test_killed_before_the_commit_it_arrives_once_later(world: World, where: str) -> None:
    for number in (1, 2, 3, 3):
        world.receive(10 * number + world.count(SealedReport), Address(postcode="1012AB", number=number))
    with _killed_at(world.engine, where), pytest.raises(Killed):
        world.worker().arrive()
    assert world.signals() == []
    assert all(row.envelope is not None for row in world.sealed())
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
        patched.setattr(signals.arrival, "new_reference", lambda: "SAME-SAME")
        _guarded("arrival", world.worker().arrive)()
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
        _in_batches(world, 2).arrive()
    assert len(world.signals()) == 2
    assert world.worker().arrive() == 2


# Tampered with


def test_a_damaged_envelope_is_set_aside_and_the_others_arrive(world: World) -> None:
    for number in range(3):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    bad, *good = world.sealed()
    assert bad.envelope is not None
    _change(world, bad, envelope=bad.envelope[:-1] + bytes([bad.envelope[-1] ^ 1]))
    with capture_logs() as lines:
        assert world.worker().arrive() == 2
    assert [(line["event"], line["signal_id"]) for line in lines if line["log_level"] == "error"] == [
        ("arrival.envelope_refused", str(bad.signal_id))
    ]
    assert {signal.id for signal in world.signals()} == {row.signal_id for row in good}
    assert {row.signal_id: row.refused_on for row in world.sealed()} == {
        bad.signal_id: TODAY,
        **dict.fromkeys((row.signal_id for row in good), None),
    }


def test_envelopes_swapped_between_two_rows_are_both_set_aside(world: World) -> None:
    for number in range(3):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    first, second, third = world.sealed()
    _change(world, first, envelope=second.envelope)
    _change(world, second, envelope=first.envelope)
    assert world.worker().arrive() == 1
    assert [signal.id for signal in world.signals()] == [third.signal_id]
    assert [row.refused_on for row in world.sealed()] == [TODAY, TODAY, None]


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


def test_what_was_set_aside_is_kept_and_not_tried_again(world: World) -> None:
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
    assert _in_batches(world, 2).arrive() == 2


def test_a_report_whose_mailbox_key_was_destroyed_is_set_aside(world: World) -> None:
    world.receive(1)
    world.receive(2, IN_GRONINGEN)
    world.keystore.destroy_mailbox_keys([_public_key(world, AMSTERDAM).key_id])
    assert world.worker().arrive() == 1
    assert list(world.addresses()) == [IN_GRONINGEN]


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"pc": None, "nr": 1, "add": "", "on": None, "note": None, "types": [], "seen": None},
        {"pc": "1012AB", "nr": "12", "add": "", "on": None, "note": None, "types": [], "seen": None},
        {"pc": "1012AB", "nr": 0, "add": "", "on": None, "note": None, "types": [], "seen": None},
        {"pc": "1012AB", "nr": 12, "add": "", "on": "gisteren", "note": None, "types": [], "seen": None},
        {"pc": "1012AB", "nr": 12, "add": "", "on": None, "note": None, "types": ["x"], "seen": None},
        {"pc": "1012AB", "nr": 12, "add": "", "on": None, "note": None, "types": None, "seen": None},
    ],
    ids=["empty", "no_postcode", "text_number", "number_0", "no_date", "unknown_type", "no_types"],
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
    assert [signal.repeat for signal in _by_day(world) if signal.organisation_id == AMSTERDAM] == [
        False,
        True,
    ]


# The team's message


def test_each_verified_recipient_gets_one_message_that_tells_no_address(world: World) -> None:
    with world.sessions.begin() as session:
        second = update(Recipient).where(Recipient.organisation_id == AMSTERDAM, Recipient.position == 2)
        session.execute(second.values(verified_on=None))
        session.add(
            Recipient(organisation_id=AMSTERDAM, position=3, address="c@example.org", verified_on=TODAY)
        )
    world.receive(1)
    world.worker().arrive()
    with world.sessions() as session:
        messages = session.scalars(select(OutboxMessage)).all()
    assert {message.recipient for message in messages} == {"een@gm0363.example.org", "c@example.org"}
    assert {json.dumps(message.values, sort_keys=True) for message in messages} == {
        json.dumps({"claim_by": "2026-11-25", "link": "http://127.0.0.1:8000/desk"})
    }


def test_a_message_waits_between_five_and_thirty_minutes_at_random(sqlite_world: World) -> None:
    world = sqlite_world
    for number in range(20):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    _in_batches(world, 1).arrive()
    with world.sessions() as session:
        waits = {
            message.subject_id: (message.not_before - world.clock.now()).total_seconds()
            for message in session.scalars(select(OutboxMessage))
        }
    assert len(set(waits.values())) == 20
    assert min(waits.values()) >= 5 * 60
    assert max(waits.values()) <= 30 * 60


def test_a_team_is_told_once_of_what_arrives_together_by_the_earliest_deadline(world: World) -> None:
    for number in range(3):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
        world.move(days=1)
    world.receive(9, IN_GRONINGEN)
    world.worker().arrive()
    with world.sessions() as session:
        told = session.execute(select(OutboxMessage.organisation_id, OutboxMessage.values)).all()
    assert sorted((o, values["claim_by"]) for o, values in told) == sorted(
        [(AMSTERDAM, "2026-11-25")] * 2 + [(GRONINGEN, "2026-11-30")] * 2
    )


def test_what_arrives_for_a_team_that_nobody_reads_for_is_not_told(world: World) -> None:
    world.receive(1)
    with world.sessions.begin() as session:
        theirs = update(Recipient).where(Recipient.organisation_id == AMSTERDAM)
        session.execute(theirs.values(verified_on=None))
    world.worker().arrive()
    [signal] = world.signals()
    assert (signal.team_told, world.count(OutboxMessage)) == (False, 0)


def test_a_message_of_arrivals_is_not_sent_once_everything_is_taken_up(world: World) -> None:
    for number in range(2):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    worker = world.worker()
    worker.arrive()
    world.move(minutes=31)
    with world.sessions.begin() as session:
        session.execute(update(Signal).values(state=SignalState.CLAIMED))
    assert (worker.deliver().delivered, worker.deliver().total) == (0, 0)


def test_a_message_of_arrivals_is_sent_while_one_of_them_is_not_taken_up(world: World) -> None:
    for number in range(2):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    worker = world.worker()
    worker.arrive()
    world.move(minutes=31)
    with world.sessions.begin() as session:
        one = update(Signal).where(Signal.id == world.signals()[0].id)
        session.execute(one.values(state=SignalState.CLAIMED))
    assert worker.deliver().delivered == 2


def test_reminders_do_not_tell_anew_what_was_told_on_arrival(world: World) -> None:
    world.receive(1)
    worker = world.worker()
    worker.arrive()
    worker.remind()
    assert world.count(OutboxMessage) == 2


def test_both_recipients_of_a_signal_wait_equally_long(sqlite_world: World) -> None:
    sqlite_world.receive(1)
    sqlite_world.worker().arrive()
    with sqlite_world.sessions() as session:
        assert len(set(session.scalars(select(OutboxMessage.not_before)))) == 1


def test_in_the_demo_a_message_leaves_at_once(sqlite_world: World) -> None:
    sqlite_world.receive(1)
    worker = sqlite_world.worker(notifications=NotificationsSettings(delay_minutes=0))
    worker.arrive()
    assert worker.deliver().delivered == 2


def test_nothing_is_sent_before_its_delay_is_over(sqlite_world: World) -> None:
    sqlite_world.receive(1)
    worker = sqlite_world.worker()
    worker.arrive()
    assert worker.deliver().delivered == 0
    sqlite_world.move(minutes=31)
    assert worker.deliver().delivered == 2


def test_batches_are_worked_through_in_the_order_of_random_ids(sqlite_world: World) -> None:
    world = sqlite_world
    for number in range(6):
        world.receive(number, Address(postcode="1012AB", number=number + 1))
    in_order: list[uuid.UUID] = []
    original = signals.arrival._open

    def note(row: Any, opener: Any) -> Any:
        in_order.append(row.signal_id)
        return original(row, opener)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(signals.arrival, "_open", note)
        world.worker().arrive()
    assert in_order == sorted(in_order)


def test_references_can_be_read_out_and_differ(sqlite_world: World) -> None:
    made = {signals.arrival.new_reference() for _ in range(200)}
    assert len(made) == 200
    assert all(len(each) == 9 and each[4] == "-" and not set(each) & set("ILOU") for each in made)


def _in_batches(world: World, size: int) -> Worker:
    return world.worker(arrival=ArrivalSettings(batch_size=size))


def _worker_apart(world: World, *, batch_size: int) -> Worker:
    """A worker with connections and a keystore of its own, as another process has."""
    worker = _in_batches(world, batch_size)
    return Worker(**{**vars(worker), "keystore": world.another_keystore(), "rng": random.Random(1)})


def _arrive_apart(world: World, *addresses: Address, start: int = 0) -> None:
    for number, address in enumerate(addresses, start=start):
        world.receive(number, address)
        world.worker().arrive()


def _provision_and_arrive(world: World, number: int) -> None:
    world.worker().provision_keys()
    world.receive(number)
    world.worker().arrive()


def _by_day(world: World) -> list[Signal]:
    return sorted(world.signals(), key=lambda signal: signal.received_on)


def _bump(world: World) -> None:
    with world.sessions.begin() as session:
        routing_changed(session)


def _change(world: World, row: SealedReport, **values: Any) -> None:
    with world.sessions.begin() as session:
        where = SealedReport.idempotency_hash == row.idempotency_hash
        session.execute(update(SealedReport).where(where).values(values))


def _public_key(world: World, organisation_id: uuid.UUID) -> MailboxPublicKey:
    with world.sessions() as session:
        query = select(MailboxPublicKey).where(MailboxPublicKey.organisation_id == organisation_id)
        return session.scalars(query.order_by(MailboxPublicKey.week)).first()  # type: ignore[return-value]


def _sealed_anew(world: World, row: SealedReport, content: dict[str, Any]) -> bytes:
    """What somebody who can write to the database may put in a row."""
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
