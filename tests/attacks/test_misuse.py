"""Outcome `misuse` leads to nobody: it leaves what any other leaves, and changes nothing at the door."""

from collections.abc import Mapping

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import migrations
from signals import casework
from signals.audit.log import Actor
from signals.models import IdempotencyKey, Receipt, SealedReport, Signal
from signals.routing.postcodes import Address
from signals.vocabulary import Outcome
from tests.support.world import World, key, report

MISUSED, QUIET = Address(postcode="1012AB", number=12), Address(postcode="1013AA", number=7)


@pytest.fixture
def concluded(world: World) -> Mapping[Outcome, Signal]:
    """Two signals of one team, concluded by the same worker: one as misuse, one at a wrong address."""
    world.receive(1, MISUSED)
    world.receive(2, QUIET)
    world.worker().arrive()
    found, actor = world.addresses(), world.staff()
    outcomes = {Outcome.MISUSE: found[MISUSED], Outcome.WRONG_ADDRESS: found[QUIET]}
    for outcome, signal in outcomes.items():
        _conclude(world, signal, actor, outcome)
    with world.sessions() as session:
        return {outcome: session.get_one(Signal, signal.id) for outcome, signal in outcomes.items()}


def test_it_leaves_the_same_kinds_of_rows_and_columns_as_any_other_outcome(
    world: World, concluded: Mapping[Outcome, Signal]
) -> None:
    with world.sessions() as session:
        traces = [_trace(session, signal) for signal in concluded.values()]
    assert traces[0]
    assert traces[0] == traces[1]


def test_the_rows_behind_a_receipt_are_the_same_for_every_phone(
    world: World, concluded: Mapping[Outcome, Signal]
) -> None:
    hashes = {signal.receipt_hash for signal in concluded.values()}
    with world.sessions() as session:
        rows = session.scalars(select(IdempotencyKey).where(IdempotencyKey.receipt_hash.in_(hashes))).all()
        receipts = session.scalars(select(Receipt)).all()
    assert len(rows) == len(concluded)
    assert len({(row.received_on, row.redactions) for row in rows}) == 1
    assert world.count(SealedReport) == 0
    assert len({(row.state, row.changed_on) for row in receipts}) <= 1


def test_the_door_treats_the_next_report_from_there_like_any_other(
    world: World, concluded: Mapping[Outcome, Signal]
) -> None:
    intake = world.intake()
    answers = [
        intake.receive(world.clock, key=key(number), report=report(address))
        for number, address in ((3, MISUSED), (4, QUIET))
    ]
    assert len({(answer.organisation, answer.received_on, answer.redactions) for answer in answers}) == 1


def _conclude(world: World, signal: Signal, actor: Actor, outcome: Outcome) -> None:
    world.do(actor, casework.claim, signal_id=signal.id)
    world.do(actor, casework.conclude, signal_id=signal.id, outcome=outcome)


def _trace(session: Session, signal: Signal) -> set[tuple[str, tuple[str, ...], int]]:
    """Return (table, filled columns, rows) of all rows that name this signal."""
    found = set()
    tables = [table for metadata in migrations.TARGET for table in metadata.sorted_tables]
    for table in tables:
        for column in ("signal_id", "subject_id") if table.name != "signals" else ("id",):
            if column not in table.columns:
                continue
            rows = session.execute(select(table).where(table.columns[column] == signal.id)).mappings().all()
            filled = sorted({name for row in rows for name, value in row.items() if value is not None})
            if rows:
                found.add((table.name, tuple(filled), len(rows)))
    return found
