"""Properties of counting: each signal counts once in each way, whenever a purge deletes it."""

import tempfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signals.clock import today
from signals.statistics import ledger
from signals.statistics.counting import Counted, count, located_by, mark
from signals.vocabulary import AttemptKind, AttemptResult, ConcernType, DeletionReason, Outcome
from tests.support.figures import Story, live
from tests.support.world import IN_AMSTERDAM, IN_GRONINGEN, NOWHERE, World, make_template, make_world

pytestmark = pytest.mark.slow  # worlds of their own for each example

QUARTERS = ("2026-Q2", "2026-Q3", "2026-Q4")
attempts = st.tuples(st.sampled_from(AttemptKind), st.sampled_from(AttemptResult), st.integers(1, 400))
days = st.integers(0, 160)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Draw a signal of the last three quarters, with any follow-up."""
    received = date(2026, 4, 1) + timedelta(days=draw(days))
    is_concluded = draw(st.booleans())
    return Story(
        received_on=received,
        address=draw(st.sampled_from([IN_AMSTERDAM, IN_GRONINGEN, NOWHERE])),
        concern_types=tuple(draw(st.lists(st.sampled_from(ConcernType), max_size=3, unique=True))),
        claimed_after=draw(st.none() | st.integers(0, 200)),
        attempts=tuple(draw(st.lists(attempts, max_size=5))),
        concluded_on=received + timedelta(days=draw(st.integers(0, 70))) if is_concluded else None,
        outcome=draw(st.sampled_from(Outcome)) if is_concluded else None,
        newly_known=draw(st.none() | st.booleans()),
        repeat=draw(st.booleans()),
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    make_template(folder)
    return folder


@given(drawn=st.lists(stories(), min_size=1, max_size=6), data=st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_counting_with_and_without_purging_is_the_same_at_every_moment_and_nothing_counts_twice(
    template: Path, drawn: list[Story], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(template, Path(folder))
        try:
            _live_and_die(world, drawn, data)
        finally:
            world.close()


def _live_and_die(world: World, drawn: list[Story], data: st.DataObject) -> None:
    alive = live(world, drawn)
    world.clock.moment = datetime(2027, 1, 5, 12, tzinfo=UTC)
    books: list[ledger.Ledger] = []
    for quarter in QUARTERS:
        before = _counted(world, quarter)
        gone = data.draw(st.sets(st.sampled_from(alive))) if alive else set()
        world.worker().retention().purge_now(world.clock, list(gone), DeletionReason.OBJECTION)
        alive = [signal_id for signal_id in alive if signal_id not in gone]
        assert _counted(world, quarter).groups == before.groups
        books.append(_count_and_mark(world, quarter))
    assert sum(_total(book, "intake", 1) for book in books) == len(drawn)
    ended = Counter(story.outcome for story in drawn if story.outcome is not None)
    assert _sum(books, "outcomes") == {((outcome.value,), "signals"): n for outcome, n in ended.items()}
    assert sum(_total(book, "regions_received", 1) for book in books) == len(drawn)
    assert sum(sum(book["places"].values()) for book in books) == len(drawn)


def _counted(world: World, quarter: str) -> Counted:
    with world.sessions.begin() as session:
        locate = located_by(world.router())
        return count(session, keys=world.keystore, locate=locate, quarter=quarter, on=today(world.clock))


def _count_and_mark(world: World, quarter: str) -> ledger.Ledger:
    with world.sessions.begin() as session:
        found = count(
            session,
            keys=world.keystore,
            locate=located_by(world.router()),
            quarter=quarter,
            on=today(world.clock),
        )
        assert mark(session, found, quarter=quarter)
    return ledger.ledger_of(found.groups)


def _total(book: ledger.Ledger, table: str, dimensions: int) -> int:
    return book[table][("total",) * dimensions, "signals"]


def _sum(books: list[ledger.Ledger], table: str) -> Counter[ledger.Place]:
    total: Counter[ledger.Place] = Counter()
    for book in books:
        total.update(book[table])
    return Counter({place: n for place, n in total.items() if "total" not in place[0]})
