"""Test that a signal is due on the last agreed day, for any sequence of days."""

from datetime import date, datetime, time, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from signals import casework
from signals.casework.postponing import MOST_DAYS_AFTER_RECEIPT, MOST_DAYS_AHEAD
from signals.clock import AMSTERDAM, FixedClock
from signals.errors import Invalid
from signals.lifecycle.deadlines import deadlines_for, is_working_day
from signals.organisations.team_settings import BOUNDS
from signals.vocabulary import AttemptKind, AttemptResult, SignalState
from tests import factories
from tests.support.desk_fixtures import Team
from tests.support.operations import operation

DAY = factories.EPOCH_DAY
STEPS = st.lists(st.tuples(st.integers(0, 20), st.integers(-5, 40) | st.none()), min_size=1, max_size=6)
"""The days that pass before each attempt, and how many days after it a day is agreed (None: proposed)."""


@given(steps=STEPS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_signal_is_due_on_the_day_agreed_last_and_on_no_day_that_may_not_be_agreed(
    session: Session, team: Team, steps: list[tuple[int, int | None]]
) -> None:
    signal, on = team.signal(SignalState.CLAIMED), DAY
    norm, agreed = signal.conclude_by, None
    for passed, ahead in steps:
        on += timedelta(days=passed)
        until = None if ahead is None else on + timedelta(days=ahead)
        taken = attempt(session, signal, team, on, until)
        assert taken is may_be_agreed(on, until)
        agreed = until if taken else agreed
        if agreed is not None:
            assert signal.postponed_until == signal.due_on == agreed <= signal.conclude_by
        assert signal.conclude_by >= norm
        norm = signal.conclude_by
    assert signal.conclude_by <= DAY + timedelta(days=MOST_DAYS_AFTER_RECEIPT + 14)


def attempt(session: Session, signal: object, team: Team, on: date, until: date | None) -> bool:
    clock = FixedClock(datetime.combine(on, time(12), AMSTERDAM))
    try:
        casework.record_attempt(
            operation(session, clock, team.worker),
            signal_id=signal.id,
            kind=AttemptKind.VISIT,
            result=AttemptResult.POSTPONED,
            attempted_at=clock.now(),
            postponed_until=until,
        )
    except Invalid:
        return False
    session.flush()
    return True


def may_be_agreed(on: date, until: date | None) -> bool:
    """State the rule a second time, apart from the product."""
    if until is None:
        return True
    return 1 <= (until - on).days <= MOST_DAYS_AHEAD and (until - DAY).days <= MOST_DAYS_AFTER_RECEIPT


@given(
    day=st.dates(date(2020, 1, 1), date(2060, 12, 31)),
    claim=st.integers(*BOUNDS["claim_working_days"]),
    more=st.integers(0, 4),
    conclude=st.integers(*BOUNDS["conclude_calendar_days"]),
)
def test_any_norms_that_a_team_may_choose_keep_claim_contact_and_conclusion_in_order(
    day: date, claim: int, more: int, conclude: int
) -> None:
    contact = min(claim + more, BOUNDS["contact_working_days"][1])
    found = deadlines_for(day, claim_days=claim, contact_days=contact, conclude_calendar_days=conclude)
    assert day < found.claim_by <= found.contact_by <= found.conclude_by
    assert is_working_day(found.claim_by)
    assert is_working_day(found.contact_by)
