"""Test the day that the desk proposes for the next attempt."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals import casework
from signals.casework.postponing import choose_day
from signals.clock import AMSTERDAM, FixedClock
from signals.errors import Conflict, Invalid
from signals.lifecycle.deadlines import add_working_days, is_working_day, next_attempt_on
from signals.models import Signal
from signals.vocabulary import AttemptKind, AttemptResult
from tests import factories
from tests.casework.states import CLAIMED, IN_FOLLOW_UP, code_of
from tests.support.desk_fixtures import By, Team

DAY = factories.EPOCH_DAY


def try_in_vain(
    by: By, team: Team, signal: Signal, *, kind: AttemptKind = AttemptKind.VISIT, until: date | None = None
) -> date | None:
    operation = by(team.worker)
    casework.record_attempt(
        operation,
        signal_id=signal.id,
        kind=kind,
        result=AttemptResult.NO_ANSWER,
        attempted_at=operation.now,
        postponed_until=until,
    )
    return signal.postponed_until


def at(clock: FixedClock, day: date) -> None:
    clock.moment = datetime.combine(day, time(12), AMSTERDAM)


def test_each_attempt_without_an_answer_plans_the_next_further_off(
    by: By, clock: FixedClock, team: Team
) -> None:
    signal, on = team.signal(CLAIMED), DAY
    signal.conclude_by = DAY + timedelta(days=60)
    for kind, days in zip(AttemptKind, (2, 4, 7, 7), strict=False):
        at(clock, on)
        planned = try_in_vain(by, team, signal, kind=kind)
        assert planned == signal.due_on == add_working_days(on, days)
        on = planned


def test_the_team_settings_say_how_many_working_days_lie_in_between(by: By, team: Team) -> None:
    team.organisation.retry_working_days = "3"
    signal = team.signal(CLAIMED)
    for _ in range(2):
        assert try_in_vain(by, team, signal) == add_working_days(DAY, 3)


def test_no_attempt_is_planned_after_the_norm_for_concluding(by: By, clock: FixedClock, team: Team) -> None:
    signal = team.signal(CLAIMED)
    at(clock, signal.conclude_by - timedelta(days=1))
    assert try_in_vain(by, team, signal) is None
    assert signal.due_on == signal.conclude_by


@pytest.mark.parametrize(("days", "code"), [(0, "not_ahead"), (29, "after_conclusion")])
def test_a_worker_chooses_another_day_within_the_norm_for_concluding(
    by: By, team: Team, days: int, code: str
) -> None:
    signal = team.signal(CLAIMED)
    try_in_vain(by, team, signal)
    chosen = DAY + timedelta(days=9)
    choose_day(by(team.worker), signal_id=signal.id, postponed_until=chosen)
    assert (signal.postponed_until, signal.due_on, signal.version) == (chosen, chosen, 3)
    with pytest.raises(Invalid) as refused:
        choose_day(by(team.worker), signal_id=signal.id, postponed_until=DAY + timedelta(days=days))
    assert code_of(refused) == ("postponed_until", code)
    with pytest.raises(Invalid):
        try_in_vain(by, team, signal, until=DAY + timedelta(days=days))


def test_a_signal_that_nobody_tried_has_no_day_to_choose(by: By, team: Team) -> None:
    signal = team.signal(CLAIMED)
    with pytest.raises(Conflict):
        choose_day(by(team.worker), signal_id=signal.id, postponed_until=DAY + timedelta(days=3))


def test_a_signal_claimed_again_after_its_planned_day_gets_a_new_day(
    by: By, clock: FixedClock, team: Team
) -> None:
    signal = team.signal(IN_FOLLOW_UP, claimed_by_id=None, postponed_until=DAY)
    later = DAY + timedelta(days=7)
    at(clock, later)
    casework.claim(by(team.colleague), signal_id=signal.id)
    assert signal.due_on == add_working_days(later, team.organisation.contact_working_days)


DAYS = st.dates(date(2020, 1, 1), date(2060, 12, 31))


@given(
    tried_on=DAYS,
    passed=st.integers(0, 40),
    tried=st.integers(1, 9),
    retry_days=st.lists(st.integers(1, 15), min_size=1, max_size=5),
)
def test_any_proposed_day_is_a_working_day_after_today_with_the_chosen_days_in_between(
    tried_on: date, passed: int, tried: int, retry_days: list[int]
) -> None:
    on = tried_on + timedelta(days=passed)
    day = next_attempt_on(tried_on, on, tried=tried, retry_days=retry_days)
    wanted = [*retry_days, *[retry_days[-1]] * 9][tried - 1]
    between = sum(is_working_day(tried_on + timedelta(days=n)) for n in range(1, (day - tried_on).days + 1))
    assert is_working_day(day)
    assert day > on
    assert between == wanted or (between > wanted and day == add_working_days(on, 1))


@pytest.mark.parametrize(
    ("moment", "planned"),
    [
        (datetime(2026, 3, 28, 23, 30), date(2026, 3, 31)),  # a Saturday; the clock goes forward at 2:00
        (datetime(2026, 10, 25, 2, 30, fold=1), date(2026, 10, 27)),  # the hour that the clock repeats
        (datetime(2026, 4, 2, 0, 30), date(2026, 4, 8)),  # Thursday before Good Friday and Easter Monday
        (datetime(2026, 12, 23, 23, 59), date(2026, 12, 28)),
    ],
)
def test_the_proposed_day_counts_by_the_clock_in_amsterdam(
    by: By, clock: FixedClock, team: Team, moment: datetime, planned: date
) -> None:
    clock.moment = moment.replace(tzinfo=AMSTERDAM)
    signal = team.signal(CLAIMED, conclude_by=date(2027, 2, 1), received_on=clock.moment.date())
    assert try_in_vain(by, team, signal) == planned
