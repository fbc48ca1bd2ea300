"""The demo's figures: two years of facts at the rates of the field, released by the product's own code."""

from collections import Counter
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from privacy.disclosure.folder import read_folder
from privacy.disclosure.verification import verified
from signals.clock import FixedClock
from signals.demo import seed_demo
from signals.demo.facts import closed_quarters, demo_facts
from signals.demo.simulator import Simulator
from signals.models import SignalFact
from signals.settings import Settings
from signals.statistics import released
from signals.statistics.due_periods import next_due
from signals.statistics.exports import write_folder
from signals.statistics.releases import published
from signals.vocabulary import AttemptResult, ConcernType, Outcome
from tests.support.installation import install, opened, settings_in

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A demo that tests only look at."""
    return seeded(tmp_path_factory.mktemp("demo"))


def seeded(folder: Path) -> Settings:
    install(folder)
    settings = settings_in(folder)
    assert seed_demo(settings, clock=FixedClock(NOW))
    return settings


def test_eight_closed_quarters_and_the_whole_year_among_them_are_released(demo: Settings) -> None:
    with opened(demo) as session:
        periods = [release.period for release in released(session)]
        assert periods == [
            "2026-Q3", "2026-Q2", "2026-Q1", "2025", "2025-Q4", "2025-Q3", "2025-Q2", "2025-Q1", "2024-Q4",
        ]  # fmt: skip
        assert next_due(session, NOW.date()) is None


def test_each_was_released_some_weeks_after_its_end_and_none_tomorrow(demo: Settings) -> None:
    with opened(demo) as session:
        days = {release.period: release.released_on for release in released(session)}
    assert days["2025"] == date(2026, 2, 5)
    assert max(days.values()) <= NOW.date()


def test_the_quarters_go_up_and_down_as_real_ones_do() -> None:
    sizes = Counter(fact["received_quarter"] for fact in demo_facts(closed_quarters(NOW.date())))
    steps = [after - before for before, after in pairwise(sizes[quarter] for quarter in sorted(sizes))]
    assert min(steps) < 0 < max(steps)


def test_the_facts_are_counted_and_keep_neither_municipality_nor_types(demo: Settings) -> None:
    with opened(demo) as session:
        assert 7_800 < (session.scalar(select(func.count()).select_from(SignalFact)) or 0) < 8_200
        known = select(func.count()).where(SignalFact.municipality_code.is_not(None))
        assert session.scalar(known) == 0
        assert session.scalar(select(func.count()).where(SignalFact.intake_counted.is_(None))) == 0


def test_most_of_the_tables_by_quarter_can_be_seen(demo: Settings) -> None:
    with opened(demo) as session:
        cells = [value for cell, value in published(session).items() if "Q" in cell.period]
    assert sum(value is not None for value in cells) > 0.8 * len(cells)


def test_an_outsider_finds_no_hidden_cell_that_can_be_narrowed(demo: Settings, tmp_path: Path) -> None:
    with opened(demo) as session:
        write_folder(session, tmp_path, licence="CC-BY-4.0")
    assert verified(read_folder(tmp_path)).ok


def test_two_demos_of_one_day_release_the_same(demo: Settings, tmp_path: Path) -> None:
    with opened(demo) as session, opened(seeded(tmp_path)) as other:
        assert published(session) == published(other)


@pytest.mark.parametrize(
    ("on", "first", "last"),
    [
        (date(2026, 11, 24), "2024-Q4", "2026-Q3"),
        (date(2026, 1, 1), "2024-Q1", "2025-Q4"),
        (date(2028, 2, 29), "2026-Q1", "2027-Q4"),
        (date(2026, 12, 31), "2024-Q4", "2026-Q3"),
    ],
)
def test_the_eight_quarters_before_this_one_are_taken(on: date, first: str, last: str) -> None:
    quarters = closed_quarters(on)
    assert (quarters[0], quarters[-1], len(quarters)) == (first, last, 8)


def test_one_signal_in_five_leads_to_contact() -> None:
    facts = _concluded()
    assert sum(fact["reached"] for fact in facts) / len(facts) == pytest.approx(0.2, abs=0.03)


def test_teams_obey_the_desk() -> None:
    simulator = Simulator(chance=Random(1))
    for _ in range(1_000):
        course = simulator.course(date(2026, 3, 2))
        results = [result for _, result, _ in course.attempts]
        moments = [at for *_, at in course.attempts]
        assert AttemptResult.CONTACT not in results[:-1]
        assert moments == sorted(moments)
        if course.outcome is Outcome.NOT_REACHED:
            assert AttemptResult.CONTACT not in results
            assert len(results) >= 3
            assert len({kind for kind, *_ in course.attempts}) >= 2


def test_a_first_visit_reaches_more_people_than_a_first_letter() -> None:
    simulator = Simulator(chance=Random(1))
    reached: dict[str, list[bool]] = {}
    for _ in range(4_000):
        for kind, result, _ in simulator.course(date(2026, 3, 2)).attempts[:1]:
            reached.setdefault(kind, []).append(result is AttemptResult.CONTACT)
    share = {kind: sum(each) / len(each) for kind, each in reached.items()}
    assert share["visit"] > 2 * share["letter"]


def test_some_forty_per_cent_of_those_asked_are_newly_known() -> None:
    asked = [fact for fact in _concluded() if fact["newly_known"] is not None]
    assert sum(fact["newly_known"] for fact in asked) / len(asked) == pytest.approx(0.4, abs=0.03)


def test_every_code_of_a_fact_is_one_of_the_product() -> None:
    types = {code for fact in _concluded() for code in fact["concern_types"].split()}
    assert types == {each.value for each in ConcernType}
    assert {fact["outcome"] for fact in _concluded()} == {each.value for each in Outcome}


def _concluded() -> list[dict[str, Any]]:
    facts = demo_facts(closed_quarters(NOW.date()))
    return [fact for fact in facts if fact.get("outcome") is not None]
