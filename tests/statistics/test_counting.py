"""Counting a quarter, on both databases: live signals and stored facts alike, each once."""

import uuid
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from signals import casework
from signals.casework.referral import refer
from signals.clock import today
from signals.models import Signal
from signals.statistics import ledger
from signals.statistics import old_menu as menu
from signals.statistics.counting import Counted, count, mark
from signals.statistics.pool import move_facts
from signals.vocabulary import (
    AttemptKind,
    AttemptResult,
    ConcernType,
    DeletionReason,
    Outcome,
    ReferralReason,
)
from tests.support.figures import Story, fact_rows, facts, live
from tests.support.world import GRONINGEN, IN_GRONINGEN, NOWHERE, World

IN_Q3 = date(2026, 8, 17)
CONTACT = (AttemptKind.VISIT, AttemptResult.CONTACT, 4)
NO_ANSWER = (AttemptKind.LETTER, AttemptResult.NO_ANSWER, 28)
REACHED = Story(
    received_on=IN_Q3,
    concern_types=(ConcernType.FRAIL, ConcernType.NOT_SEEN),
    claimed_after=2,
    attempts=(NO_ANSWER, CONTACT),
    concluded_on=IN_Q3 + timedelta(days=9),
    outcome=Outcome.HELP_ACCEPTED,
    newly_known=True,
)
UNTOUCHED = Story(received_on=IN_Q3)


def counted(world: World, session: Session, quarter: str = "2026-Q3") -> Counted:
    retention = world.worker().retention()
    return count(
        session, keys=world.keystore, locate=retention.locate, quarter=quarter, on=today(world.clock)
    )


def count_and_mark(world: World, quarter: str = "2026-Q3") -> ledger.Ledger:
    with world.sessions.begin() as session:
        found = counted(world, session, quarter)
        assert mark(session, found, quarter=quarter)
    return ledger.ledger_of(found.groups)


def purge(world: World, ids: list[uuid.UUID]) -> None:
    world.worker().retention().purge_now(world.clock, ids, DeletionReason.ERASURE)
    with world.sessions.begin() as session:
        move_facts(session, keys=world.keystore)  # as the worker does before it counts


def total(book: ledger.Ledger, table: str) -> int:
    (number,) = {
        n for (keys, measure), n in book[table].items() if set(keys) <= {"total"} and measure == "signals"
    }
    return number


def test_a_signal_counts_in_every_table_that_it_belongs_to(world: World) -> None:
    live(world, [REACHED])
    book = count_and_mark(world)
    assert book["intake"] == {
        (("total",), "signals"): 1,
        (("frail",), "signals"): 1,
        (("not_seen",), "signals"): 1,
    }
    assert book["follow_up"] == {
        ((), name): 1
        for name in (
            "signals", "claimed_in_time", "contacted", "contacted_in_time", "reached", "helped",
            "known_asked", "newly_known",
        )
    }  # fmt: skip
    assert book["outcomes"][("help_accepted",), "signals"] == 1
    assert book["attempts"][("mixed", "1-2", "yes"), "signals"] == 1
    assert book["regions_follow_up"][("GG3406",), "reached"] == 1
    assert book["places"] == {(("GG3406", "GM0363"), "signals"): 1}


def test_an_open_signal_counts_as_received_only(world: World) -> None:
    live(world, [UNTOUCHED])
    book = count_and_mark(world)
    assert total(book, "intake") == 1
    assert not book["follow_up"]


def test_counting_is_the_same_with_and_without_purging(world: World) -> None:
    ids = live(world, [REACHED, UNTOUCHED, REACHED])
    with world.sessions() as session:
        before = counted(world, session).groups
    purge(world, ids[:2])
    with world.sessions() as session:
        assert counted(world, session).groups == before


def test_counting_changes_nothing_until_it_is_marked(world: World) -> None:
    live(world, [REACHED])
    with world.sessions.begin() as session:
        first = counted(world, session)
        assert counted(world, session).groups == first.groups


def test_a_counted_signal_does_not_count_again_live_or_purged(world: World) -> None:
    ids = live(world, [REACHED, REACHED])
    count_and_mark(world)
    purge(world, ids[:1])
    book = count_and_mark(world, "2026-Q4")
    assert not any(book.values())


def test_a_signal_that_is_reopened_and_concluded_again_counts_once_as_concluded(world: World) -> None:
    (signal_id,) = live(world, [REACHED])
    count_and_mark(world)
    actor = world.staff()
    with world.sessions.begin() as session:
        casework.reopen(world.operation(session, actor), signal_id=signal_id)
    with world.sessions.begin() as session:
        casework.conclude(world.operation(session, actor), signal_id=signal_id, outcome=Outcome.HELP_DECLINED)
    purge(world, [signal_id])
    assert not count_and_mark(world, "2026-Q4")["outcomes"]


def test_a_signal_that_is_reopened_before_the_count_counts_in_the_quarter_of_its_last_conclusion(
    world: World,
) -> None:
    (signal_id,) = live(world, [REACHED])
    actor = world.staff()
    with world.sessions.begin() as session:
        casework.reopen(world.operation(session, actor), signal_id=signal_id)
    assert not count_and_mark(world)["outcomes"]
    with world.sessions.begin() as session:
        casework.conclude(world.operation(session, actor), signal_id=signal_id, outcome=Outcome.NO_CONCERN)
    assert count_and_mark(world, "2026-Q4")["outcomes"][("no_concern",), "signals"] == 1


def test_a_signal_counts_as_received_in_one_quarter_and_as_concluded_in_the_next(
    world: World,
) -> None:
    (signal_id,) = live(world, [UNTOUCHED])
    count_and_mark(world)
    actor = world.staff()
    with world.sessions.begin() as session:
        casework.claim(world.operation(session, actor), signal_id=signal_id)
    with world.sessions.begin() as session:
        casework.conclude(world.operation(session, actor), signal_id=signal_id, outcome=Outcome.NO_CONCERN)
    purge(world, [signal_id])
    book = count_and_mark(world, "2026-Q4")
    assert not book["intake"]
    assert total(book, "outcomes") == 1


@pytest.mark.parametrize("is_purged", [False, True])
def test_a_late_one_of_a_counted_quarter_counts_in_the_next(world: World, is_purged: bool) -> None:
    live(world, [REACHED])
    count_and_mark(world)
    late = live(world, [REACHED])
    if is_purged:
        purge(world, late)
    book = count_and_mark(world, "2026-Q4")
    assert (total(book, "intake"), total(book, "outcomes")) == (1, 1)


def test_a_later_signal_waits_for_its_own_quarter(world: World) -> None:
    live(world, [Story(received_on=date(2026, 9, 30)), Story(received_on=date(2026, 10, 1))])
    assert total(count_and_mark(world), "intake") == 1
    assert total(count_and_mark(world, "2026-Q4"), "intake") == 1


def test_a_quarter_ends_at_midnight_in_amsterdam(world: World) -> None:
    ids = live(world, [REACHED, REACHED])
    for signal_id, at in zip(ids, ("2026-09-30 21:59:59", "2026-09-30 22:00:00"), strict=True):
        with world.sessions.begin() as session:
            session.execute(update(Signal).where(Signal.id == signal_id).values(concluded_at=_utc(at)))
    assert total(count_and_mark(world), "outcomes") == 1
    assert total(count_and_mark(world, "2026-Q4"), "outcomes") == 1


def test_a_signal_that_is_referred_counts_once_at_its_address(world: World) -> None:
    (signal_id,) = live(world, [REACHED])
    actor = world.staff()
    with world.sessions.begin() as session:
        casework.reopen(world.operation(session, actor), signal_id=signal_id)
    with world.sessions.begin() as session:
        refer(
            world.operation(session, actor),
            signal_id=signal_id,
            to_organisation_id=GRONINGEN,
            reason=ReferralReason.MOVED,
        )
    book = count_and_mark(world)
    assert book["places"] == {(("GG3406", "GM0363"), "signals"): 1}
    assert book["regions_received"] == {(("total",), "signals"): 1, (("GG3406",), "signals"): 1}


def test_an_address_on_no_map_counts_as_unknown(world: World) -> None:
    live(world, [Story(received_on=IN_Q3, address=NOWHERE), Story(received_on=IN_Q3, address=IN_GRONINGEN)])
    book = count_and_mark(world)
    assert book["regions_received"] == {
        (("total",), "signals"): 2,
        (("unknown",), "signals"): 1,
        (("GG0111",), "signals"): 1,
    }


def test_a_counted_fact_keeps_neither_municipality_nor_types(world: World) -> None:
    ids = live(world, [REACHED, REACHED])
    purge(world, ids[:1])
    with world.sessions.begin() as session:
        move_facts(session, keys=world.keystore)
    assert {(row.municipality_code, row.concern_types) for row in fact_rows(world)} == {
        ("GM0363", "frail not_seen")
    }
    count_and_mark(world)
    purge(world, ids[1:])
    count_and_mark(world, "2026-Q4")
    assert Counter((row.municipality_code, row.concern_types) for row in fact_rows(world)) == {(None, ""): 2}
    assert {row.region_code for row in fact_rows(world)} == {"GG3406"}


def test_a_fact_that_is_not_counted_yet_keeps_them(world: World) -> None:
    with world.sessions.begin() as session:
        facts(session, [{"received_quarter": "2026-Q4", "concluded_quarter": None, "outcome": None}])
    count_and_mark(world)
    (row,) = fact_rows(world)
    assert (row.municipality_code, row.intake_counted, row.outcome_counted) == ("GM0363", None, None)


def test_a_signal_whose_content_cannot_be_read_counts_without_place_and_types(world: World) -> None:
    (signal_id,) = live(world, [REACHED])
    with world.sessions() as session:
        key_id = session.scalar(select(Signal.case_key_id).where(Signal.id == signal_id))
    world.keystore.destroy_case_keys([key_id])
    book = count_and_mark(world)
    assert book["intake"] == {(("total",), "signals"): 1}
    assert book["regions_follow_up"][("unknown",), "signals"] == 1


def test_a_median_of_hours_is_that_of_the_signals_that_have_one(world: World) -> None:
    hours = [1, 2, 3, 40, None]
    with world.sessions.begin() as session:
        facts(session, [{"hours_to_contact": taken, "attempts": ""} for taken in hours])
    book = count_and_mark(world)
    cells = ledger.cells(book, menu.tables_for("quarter"), "2026-Q3")
    medians = {cell.measure: value for cell, value in cells.items() if cell.measure.startswith("median")}
    assert medians == {"median_hours_to_claim": 4, "median_hours_to_contact": 2}


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
