"""Test that a signal adds to the tables once, in its own period, and at most as the menu says."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from privacy.sealing import EnvelopeRefused
from signals.demo.facts import Simulator
from signals.intake.content import Report, Summary
from signals.models import Signal, SignalFact
from signals.statistics.counting import count_quarter, count_year
from signals.statistics.facts import Course, Fact, cells_of, fact_from
from signals.statistics.menu import BUDGET, PeriodKind, menu, tables_of
from signals.statistics.sealed_facts import SIZE
from signals.vocabulary import AttemptKind, AttemptResult, ConcernType, NotReachedReason, Outcome, SignalState
from tests.support.figures import USUAL, Story, add, conclusion, live, releasing, stored
from tests.support.world import AMSTERDAM, GRONINGEN, IN_AMSTERDAM, IN_GRONINGEN, World

IN_JULY = date(2026, 7, 8)
TRIED = (AttemptKind.VISIT, AttemptResult.NO_ANSWER, 24)
STORIES = (
    Story(
        received_on=IN_JULY,
        concern_types=(ConcernType.FRAIL, ConcernType.SEEMS_LONELY),
        attempts=(TRIED, (AttemptKind.CARD, AttemptResult.CONTACT, 72)),
        concluded_on=IN_JULY + timedelta(days=9),
        outcome=Outcome.HELP_ACCEPTED,
        newly_known=True,
    ),
    Story(received_on=IN_JULY, address=IN_GRONINGEN, concluded_on=IN_JULY, outcome=Outcome.ALREADY_KNOWN),
    Story(received_on=IN_JULY, attempts=(TRIED,)),  # nobody has concluded it
)

attempts = st.lists(
    st.tuples(
        st.sampled_from(AttemptKind),
        st.sampled_from(AttemptResult),
        st.datetimes(datetime(2026, 7, 8), datetime(2026, 8, 8), timezones=st.just(UTC)),
    ),
    max_size=9,
)
courses = st.builds(
    Course,
    received_on=st.just(IN_JULY),
    contact_by=st.just(IN_JULY + timedelta(days=2)),
    concluded_on=st.just(IN_JULY + timedelta(days=30)),
    attempts=attempts,
    outcome=st.sampled_from(Outcome),
    newly_known=st.none() | st.booleans(),
    repeat=st.booleans(),
    reason=st.none() | st.sampled_from(NotReachedReason),
    organisation_id=st.just(AMSTERDAM),
)


def fact_of(course: Course, *kinds: ConcernType) -> Fact:
    return fact_from(course, Report(address=IN_AMSTERDAM, summary=Summary(concern_types=kinds)), "GM0363")


def counts(world: World, year: str = "2026") -> dict[str, Counter[tuple[str, ...]]]:
    """Return every count above 0 of the yearly tables."""
    made = releasing(world)
    with world.sessions() as session:
        found, _ = count_year(
            session.connection(), year, keys=world.keystore, locate=made.locate, on=date(2027, 2, 5)
        )
    return {code: +cells for code, cells in found.items()}


def test_the_budget_of_the_menu_is_two() -> None:
    assert sum(table.epsilon for table in menu()) == BUDGET == 2
    shares = {table.code: (table.sensitivity, float(table.epsilon)) for table in menu()}
    assert shares == {
        "attempts": (4, 0.9), "regions": (1, 0.4), "outcomes": (1, 0.25), "kinds": (2, 0.2),
        "received": (1, 0.15), "course": (3, 0.1),
    }  # fmt: skip


@given(course=courses, kinds=st.sets(st.sampled_from(ConcernType)))
def test_no_signal_changes_a_table_by_more_than_its_sensitivity(
    course: Course, kinds: set[ConcernType]
) -> None:
    changed = Counter(code for code, _ in cells_of(fact_of(course, *kinds)))
    for table in tables_of(PeriodKind.YEAR):
        cells = [cell for code, cell in cells_of(fact_of(course, *kinds)) if code == table.code]
        assert changed[table.code] <= table.sensitivity
        assert len(set(cells)) == len(cells)
        assert set(cells) <= set(table.cells)


@given(courses)
def test_every_fact_fits_into_its_fixed_size(course: Course) -> None:
    assert len("|".join(fact_of(course, *ConcernType))) <= SIZE


@given(courses)
def test_attempts_count_in_their_place_until_contact(course: Course) -> None:
    in_order = sorted(course.attempts, key=lambda attempt: attempt[2])
    contacts = [result is AttemptResult.CONTACT for _, result, _ in in_order]
    last = contacts.index(True) + 1 if True in contacts else len(contacts)
    counted = [attempt.split(":") for attempt in fact_of(course).attempts.split()]
    assert [kind for kind, _ in counted] == [kind for kind, _, _ in in_order[: min(4, last)]]
    assert [contact == "yes" for _, contact in counted] == contacts[: min(4, last)]


def test_the_rule_of_the_desk_selects_no_group() -> None:
    """Each attempt has one chance of contact in truth. A measure by number of attempts finds an effect."""
    flat = Simulator(chance=random.Random(17), contact=dict.fromkeys(AttemptKind, 0.2), later=1.0)
    told = [flat.course(IN_JULY) for _ in range(6000)]
    tried, reached = Counter[int](), Counter[int]()
    for course in told:
        for place, attempt in enumerate(fact_of(course).attempts.split(), start=1):
            tried[place] += 1
            reached[place] += attempt.endswith(":yes")
    for place in (1, 2, 3, 4):
        assert abs(reached[place] / tried[place] - 0.2) < 3.3 * sqrt(0.16 / tried[place]), place
    few = [course for course in told if len(course.attempts) in (1, 2)]
    assert sum(fact_of(course).reached == "yes" for course in few) / len(few) > 0.7  # of "1 or 2 attempts"


def test_a_purge_changes_no_count(world: World) -> None:
    live(world, STORIES)
    before = counts(world), _quarter(world)
    world.move(days=90)
    assert world.worker().retain().total == len(STORIES)
    assert (counts(world), _quarter(world)) == before
    assert before[1] == len(STORIES)
    assert sum(before[0]["outcomes"].values()) == 2
    assert before[0]["regions"] == {("GG3406", "yes"): 1, ("GG0111", "no"): 1}
    assert before[0]["attempts"] == {("1", "visit", "no"): 1, ("2", "card", "yes"): 1}
    assert before[0]["kinds"] == {("frail",): 1, ("seems_lonely",): 1}
    assert before[0]["course"] == {
        ("in_time", "yes"): 1, ("in_time", "no"): 1, ("repeat", "no"): 2, ("newly_known", "yes"): 1,
    }  # fmt: skip


def test_a_signal_counts_in_the_year_of_its_first_conclusion_alone(world: World) -> None:
    """It was reopened in the next year, and concluded again."""
    (signal_id, *_) = live(world, [STORIES[0]])
    with world.sessions.begin() as session:
        session.add(conclusion(signal_id, date(2027, 3, 1), world.staff().id, sequence=12))
    assert sum(counts(world, "2026")["outcomes"].values()) == 1
    assert sum(counts(world, "2027")["outcomes"].values()) == 0


def test_a_reopened_signal_counts_in_no_outcome(world: World) -> None:
    (signal_id, *_) = live(world, [STORIES[0]])
    with world.sessions.begin() as session:
        changed = update(Signal).where(Signal.id == signal_id)
        session.execute(changed.values(state=SignalState.IN_FOLLOW_UP, outcome=None, concluded_at=None))
    assert {code: sum(cells.values()) for code, cells in counts(world).items()} == dict.fromkeys(
        ("attempts", "regions", "outcomes", "kinds", "course"), 0
    )


def test_an_early_end_counts_with_its_reason(world: World) -> None:
    (signal_id, *_) = live(world, [STORIES[0]])
    again = conclusion(signal_id, IN_JULY, world.staff().id, sequence=12, reason="moved_away")
    with world.sessions.begin() as session:
        session.execute(update(Signal).where(Signal.id == signal_id).values(outcome=Outcome.NOT_REACHED))
        session.add(again)
    assert counts(world)["outcomes"] == {("not_reached_moved_away",): 1}


def test_an_organisation_gets_its_own_totals_exactly(world: World) -> None:
    *_, flood = live(world, [*STORIES, Story(received_on=IN_JULY)])
    with world.sessions.begin() as session:
        session.execute(update(Signal).where(Signal.id == flood).values(state=SignalState.SET_ASIDE))
    add(world, 5, received="2025-Q4")
    with world.sessions() as session:
        _, own = count_year(
            session.connection(), "2026", keys=world.keystore, locate=lambda *_: None, on=IN_JULY
        )
    by_id = {total.organisation_id: total for total in own}
    mine, theirs = by_id[AMSTERDAM], by_id[GRONINGEN]
    assert (mine.received, mine.concluded, mine.in_time, mine.reached) == (2, 6, 6, 1)
    assert mine.outcomes == '{"help_accepted": 1, "not_reached_tried_enough": 5}'
    assert (theirs.received, theirs.concluded, theirs.reached) == (1, 1, 0)


def test_two_kinds_of_many_are_drawn_so_that_each_has_its_turn() -> None:
    course = Course(
        received_on=IN_JULY, contact_by=IN_JULY, concluded_on=IN_JULY, attempts=(), outcome=Outcome.MISUSE,
        newly_known=None, repeat=False,
    )  # fmt: skip
    seen = Counter(kind for _ in range(400) for kind in fact_of(course, *ConcernType).kinds.split())
    assert sum(seen.values()) == 800
    assert set(seen) == set(ConcernType)


def test_a_stored_fact_is_sealed_and_says_nothing_by_its_length(world: World) -> None:
    add(world, attempts="", kinds="", outcome="misuse")
    add(world)
    with world.sessions() as session:
        rows = session.query(SignalFact).all()
    assert len({len(row.sealed) for row in rows}) == 1
    assert not any(word in row.sealed for row in rows for word in (b"frail", b"GG3406", b"not_reached"))
    assert Counter(fact.outcome for fact in stored(world)) == {"misuse": 1, USUAL.outcome: 1}


def test_a_fact_exchanged_for_another_is_left_out_and_a_lost_key_leaves_out_none(world: World) -> None:
    add(world, 2)
    with world.sessions.begin() as session:
        first, second = session.query(SignalFact).all()
        first.sealed = second.sealed
    assert len(stored(world)) == 1
    with world.sessions.begin() as session:
        session.execute(update(SignalFact).values(sealed=bytes(60)))
    with pytest.raises(EnvelopeRefused):
        stored(world)


def _quarter(world: World) -> int:
    with world.sessions() as session:
        return count_quarter(session.connection(), "2026-Q3")["received"][()]
