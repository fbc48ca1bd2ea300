"""The demo's teams obey the desk, and the figures find the effect that was put in."""

from collections import Counter
from datetime import date
from random import Random

import pytest

from privacy.noise import noisy
from signals.demo.facts import CONTACT, Simulator
from signals.statistics.estimates import Line, lines_of
from signals.statistics.facts import cells_of, fact_from
from signals.statistics.findings import attempts_apart, attempts_need
from signals.statistics.fitting import fitted
from signals.statistics.menu import Codes, table_of
from signals.statistics.publications import ReleasedTable
from signals.vocabulary import AttemptResult, Outcome

ON = date(2025, 3, 3)
ATTEMPTS = table_of("attempts")


def test_teams_stop_at_contact_and_try_three_times_in_two_ways_before_not_reached() -> None:
    simulator = Simulator(chance=Random(1))
    for _ in range(2_000):
        course = simulator.course(ON)
        results = [result for _, result, _ in course.attempts]
        moments = [at for *_, at in course.attempts]
        assert AttemptResult.CONTACT not in results[:-1]
        assert moments == sorted(moments)
        if course.outcome is Outcome.NOT_REACHED and course.reason is None:
            assert AttemptResult.CONTACT not in results
            assert len(results) >= 3
            assert len({kind for kind, *_ in course.attempts}) >= 2


def test_one_signal_in_five_leads_to_contact() -> None:
    simulator = Simulator(chance=Random(1))
    courses = [simulator.course(ON) for _ in range(4_000)]
    reached = [any(result is AttemptResult.CONTACT for _, result, _ in course.attempts) for course in courses]
    assert sum(reached) / len(courses) == pytest.approx(0.21, abs=0.02)


def test_the_figures_find_that_a_first_letter_reaches_fewer_than_a_first_visit() -> None:
    (found, *_others) = attempts_apart(_released(Random(1), dict(CONTACT)))
    assert found.codes == ("1", "letter")
    assert found.difference.low <= CONTACT["visit"] - CONTACT["letter"] <= found.difference.high


def test_without_an_effect_the_figures_say_how_many_signals_are_needed() -> None:
    lines = _released(Random(2), dict.fromkeys(CONTACT, 0.12))
    assert attempts_apart(lines) == []
    need = attempts_need(lines)
    assert need
    assert need.signals > 0


def _released(chance: Random, contact: dict[str, float]) -> list[Line]:
    """Return the lines of the table of attempts after a year of 4,000 signals, with noise."""
    simulator = Simulator(chance=chance, contact=contact)
    facts = [fact_from(simulator.course(ON), None, "GM0363", chance=chance) for _ in range(4_000)]
    counts: Counter[Codes] = Counter()
    for fact in facts:
        counts.update(codes for code, codes in cells_of(fact) if fact.concluded and code == "attempts")
    drawn = noisy({codes: counts[codes] for codes in ATTEMPTS.cells}, ATTEMPTS.scale, below=chance.randrange)
    table = ReleasedTable(**vars(ATTEMPTS), period="2025", drawn_on=ON, noisy=drawn)
    return lines_of(table, fitted([table])["attempts"])
