"""Receive a report: once, atomically, sealed for its receiver, and never more than the day's limit."""

import random
import uuid
from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from structlog.testing import capture_logs

from privacy.receipts import idempotency_hash
from privacy.sealing import generate_mailbox_keypair, week_start
from signals.errors import Invalid, KeyReused, NoMailboxKey
from signals.models import IdempotencyKey, MailboxPublicKey, SealedReport
from signals.routing.postcodes import Address
from signals.routing.snapshot import routing_changed
from signals.vocabulary import ConcernType, OrganisationKind, ReceiptState, Seen
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
)

THIS_WEEK = week_start(date(2026, 11, 24))


# The same key
def test_the_same_key_and_body_give_the_same_answer_and_one_row(world: World) -> None:
    first = world.receive(1)
    assert world.receive(1) == first
    assert world.count(SealedReport) == 1


def test_another_body_under_the_key_is_refused_and_changes_nothing(world: World) -> None:
    first = world.receive(1)
    with pytest.raises(KeyReused):
        world.receive(1, Address(postcode="1012AB", number=13))
    assert world.receive(1) == first
    assert world.count(SealedReport) == 1


def test_a_retry_is_answered_though_the_keys_are_gone_since(world: World) -> None:
    first = world.receive(1)
    _without_public_keys(world)
    assert world.receive(1) == first


# Atomic
def test_an_insert_that_fails_leaves_nothing_and_the_retry_succeeds(world: World) -> None:
    receipt = world.receive(1).receipt
    with world.sessions.begin() as session:  # the receipt is taken by a row under another key
        session.execute(update(IdempotencyKey).values(idempotency_hash=b"other".ljust(32)))
    with pytest.raises(SQLAlchemyError):
        world.receive(1)
    assert (world.count(IdempotencyKey), world.count(SealedReport)) == (1, 1)
    with world.sessions.begin() as session:
        session.execute(delete(IdempotencyKey))
    assert world.receive(1).receipt == receipt


def test_a_report_whose_envelope_cannot_be_stored_leaves_no_key_behind(world: World) -> None:
    with world.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE sealed_reports RENAME TO away")
    with pytest.raises(SQLAlchemyError):
        world.receive(1)
    assert world.count(IdempotencyKey) == 0
    with world.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO sealed_reports")
    world.receive(1)
    assert (world.count(IdempotencyKey), world.count(SealedReport)) == (1, 1)


# The receiver
@pytest.mark.parametrize(
    ("address", "organisation_id"),
    [(IN_AMSTERDAM, AMSTERDAM), (IN_GRONINGEN, GRONINGEN), (NOWHERE, NATIONAL)],
)
def test_a_report_goes_to_the_organisation_of_its_area(
    sqlite_world: World, address: Address, organisation_id: object
) -> None:
    assert sqlite_world.receive(1, address).organisation.id == organisation_id
    [row] = sqlite_world.sealed()
    assert row.organisation_id == organisation_id


@pytest.mark.parametrize("postcode", ["1000AA", "1001ZZ", "1120AA"])
def test_an_unknown_postcode_is_accepted_for_the_national_desk(world: World, postcode: str) -> None:
    answer = world.receive(1, Address(postcode=postcode, number=1))
    [row] = world.sealed()
    assert answer.organisation.kind is OrganisationKind.NATIONAL
    assert row.unrouted


def test_without_a_key_of_the_week_the_national_desk_receives_unrouted(world: World) -> None:
    _without_public_keys(world, AMSTERDAM)
    answer = world.receive(1)
    [row] = world.sealed()
    assert (answer.organisation.id, row.organisation_id) == (NATIONAL, NATIONAL)
    assert row.mailbox_key_id == _key_id(world, NATIONAL)
    assert row.unrouted
    assert world.worker().arrive() == 1


def test_without_any_key_nothing_is_stored(world: World) -> None:
    _without_public_keys(world)
    with pytest.raises(NoMailboxKey):
        world.receive(1)
    assert world.count(SealedReport) == 0


def test_the_key_of_the_week_is_used(world: World) -> None:
    world.receive(1)
    world.move(days=7)
    world.receive(2)
    weeks = {row.received_on: row.mailbox_key_id for row in world.sealed()}
    assert weeks == {
        date(2026, 11, 24): _key_id(world, AMSTERDAM),
        date(2026, 12, 1): _key_id(world, AMSTERDAM, THIS_WEEK + timedelta(weeks=1)),
    }


# Keys that were tampered with
def test_a_public_key_swapped_in_the_database_is_refused_logged_and_not_used(world: World) -> None:
    _private, public = generate_mailbox_keypair()
    _change_key(world, AMSTERDAM, public_key=public)
    with capture_logs() as lines:
        answer = world.receive(1)
    assert {"event": "routing.mailbox_key_refused", "key_id": str(_key_id(world, AMSTERDAM))}.items() <= (
        lines[0].items()
    )
    assert answer.organisation.id == NATIONAL


def test_a_running_process_refuses_a_swapped_key_too(world: World) -> None:
    intake = world.intake()
    assert intake.receive(world.clock, key=key(1), report=report()).organisation.id == AMSTERDAM
    _private, public = generate_mailbox_keypair()
    _change_key(world, AMSTERDAM, public_key=public)
    assert intake.receive(world.clock, key=key(2), report=report()).organisation.id == NATIONAL


def test_a_key_that_was_given_another_week_is_refused_by_a_running_process(world: World) -> None:
    intake = world.intake()
    intake.receive(world.clock, key=key(1), report=report())
    _without_public_keys(world, AMSTERDAM, week=THIS_WEEK)
    _change_key(world, AMSTERDAM, THIS_WEEK + timedelta(weeks=1), week=THIS_WEEK)
    assert intake.receive(world.clock, key=key(2), report=report()).organisation.id == NATIONAL


def test_a_key_that_was_given_to_another_organisation_is_refused(world: World) -> None:
    _without_public_keys(world, GRONINGEN)
    _change_key(world, AMSTERDAM, organisation_id=GRONINGEN)
    assert world.receive(1, IN_GRONINGEN).organisation.id == NATIONAL


def test_without_a_pinned_root_no_key_is_trusted(sqlite_world: World) -> None:
    intake = sqlite_world.intake(router=sqlite_world.router(root_public_key=None))
    with pytest.raises(NoMailboxKey):
        intake.receive(sqlite_world.clock, key=key(1), report=report())


def test_a_report_is_stored_over_a_connection_that_was_lost_meanwhile(postgres_world: World) -> None:
    intake = postgres_world.intake(limit=10**6)
    intake.receive(postgres_world.clock, key=key(1), report=report())
    with postgres_world.engine.connect() as connection:
        ended = connection.scalars(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle'"
            )
        ).all()
    assert ended
    intake.receive(postgres_world.clock, key=key(2), report=report())
    assert postgres_world.count(SealedReport) == 2


# The stored report
def test_every_stored_report_has_one_size(sqlite_world: World) -> None:
    intake = sqlite_world.intake(notes=True)
    long = report(
        IN_AMSTERDAM,
        note="\N{SLIGHTLY SMILING FACE}" * 280,
        concern_types=tuple(ConcernType),
        seen=Seen.CHANGED,
        noticed_on=date(2026, 11, 20),
    )
    for number, each in enumerate([report(), long]):
        intake.receive(sqlite_world.clock, key=key(number), report=each)
    first, second = (row.envelope for row in sqlite_world.sealed())
    assert len(first) == len(second)


def test_the_receipt_is_not_stored_and_not_in_the_answers_repr(sqlite_world: World) -> None:
    answer = sqlite_world.receive(1)
    [row] = sqlite_world.sealed()
    assert answer.receipt not in repr(answer)
    with sqlite_world.sessions() as session:
        known = session.scalars(select(IdempotencyKey)).one()
    values = [*vars(row).values(), *vars(known).values()]
    assert answer.receipt.encode() not in b"".join(value for value in values if isinstance(value, bytes))


@pytest.mark.parametrize("days_back", [-1, 15])
def test_a_date_ahead_or_more_than_fourteen_days_back_is_refused(sqlite_world: World, days_back: int) -> None:
    noticed = date(2026, 11, 24) - timedelta(days=days_back)
    with pytest.raises(Invalid) as refused:
        sqlite_world.receive(1, noticed_on=noticed)
    assert [(p.field, p.code) for p in refused.value.problems] == [("noticed_on", "out_of_range")]
    assert sqlite_world.count(SealedReport) == 0


def test_ids_do_not_tell_the_order_of_arrival(sqlite_world: World) -> None:
    for number in range(12):
        sqlite_world.receive(number)
    in_order = [_signal_id(sqlite_world, number) for number in range(12)]
    assert in_order != sorted(in_order)
    assert {signal_id.version for signal_id in in_order} == {4}  # the kind without a clock in it


def _signal_id(world: World, number: int) -> uuid.UUID:
    same = IdempotencyKey.receipt_hash == SealedReport.receipt_hash
    query = select(SealedReport.signal_id).join(IdempotencyKey, same)
    query = query.where(IdempotencyKey.idempotency_hash == idempotency_hash(key(number)))
    return world.row(query)


def _receipt() -> dict[str, object]:
    state = ReceiptState.RECEIVED
    return {
        "receipt_hash": random.Random(1).randbytes(32),
        "state": state,
        "state_before": state,
        "changed_on": date(2026, 11, 24),
    }


def _without_public_keys(world: World, *organisation_ids: object, week: date | None = None) -> None:
    statement = delete(MailboxPublicKey)
    if organisation_ids:
        statement = statement.where(MailboxPublicKey.organisation_id.in_(organisation_ids))
    if week is not None:
        statement = statement.where(MailboxPublicKey.week == week)
    with world.sessions.begin() as session:
        session.execute(statement)
        routing_changed(session)


def _change_key(world: World, of_organisation: object, of_week: date = THIS_WEEK, **values: object) -> None:
    with world.sessions.begin() as session:
        session.execute(
            update(MailboxPublicKey)
            .where(MailboxPublicKey.organisation_id == of_organisation, MailboxPublicKey.week == of_week)
            .values(values)
        )
        routing_changed(session)


def _key_id(world: World, organisation_id: object, week: date = THIS_WEEK) -> object:
    with world.sessions() as session:
        return session.scalar(
            select(MailboxPublicKey.key_id).where(
                MailboxPublicKey.organisation_id == organisation_id, MailboxPublicKey.week == week
            )
        )
