"""Test agreed days, Wmo notifications, and standing in for a colleague."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from signals import casework
from signals.audit.log import Actor
from signals.casework.postponing import MOST_DAYS_AFTER_RECEIPT, MOST_DAYS_AHEAD
from signals.casework.queue import queue_page
from signals.clock import AMSTERDAM, FixedClock
from signals.errors import ClaimedByOther, Invalid
from signals.lifecycle.deadlines import add_working_days
from signals.models import Absence, ContactAttempt, Signal
from signals.vocabulary import AttemptKind, AttemptResult, Outcome, SignalState
from tests import factories
from tests.casework.states import code_of
from tests.support.desk_fixtures import By, Team

DAY = factories.EPOCH_DAY
CLAIMED, IN_FOLLOW_UP = SignalState.CLAIMED, SignalState.IN_FOLLOW_UP


def at(clock: FixedClock, day: date) -> None:
    clock.moment = datetime.combine(day, time(12), AMSTERDAM)


def attempt(
    by: By,
    signal: Signal,
    actor: Actor,
    *,
    until: date | None = None,
    result: AttemptResult = AttemptResult.POSTPONED,
) -> ContactAttempt:
    operation = by(actor)
    return casework.record_attempt(
        operation,
        signal_id=signal.id,
        kind=AttemptKind.PHONE,
        result=result,
        attempted_at=operation.now,
        postponed_until=until,
    )


def test_a_signal_waits_until_the_day_that_was_agreed(by: By, team: Team) -> None:
    signal = team.signal(CLAIMED)
    agreed = DAY + timedelta(days=7)
    made = attempt(by, signal, team.worker, until=agreed)
    assert (signal.state, signal.postponed_until, signal.due_on) == (IN_FOLLOW_UP, agreed, agreed)
    assert made.postponed_until == agreed
    assert signal.conclude_by == DAY + timedelta(days=28)


def test_the_norm_for_concluding_moves_along_when_the_day_lies_beyond_it(
    by: By, clock: FixedClock, team: Team
) -> None:
    signal = team.signal(CLAIMED)
    at(clock, DAY + timedelta(days=20))
    agreed = DAY + timedelta(days=40)
    attempt(by, signal, team.worker, until=agreed)
    assert signal.conclude_by == add_working_days(agreed, team.organisation.contact_working_days)
    assert signal.contact_by == DAY + timedelta(days=2)


@pytest.mark.parametrize(
    ("days", "code"),
    [(-1, "not_ahead"), (0, "not_ahead"), (MOST_DAYS_AHEAD + 1, "too_far_ahead"), (4000, "too_far_ahead")],
)
def test_a_day_that_has_come_or_lies_too_far_off_is_refused_and_nothing_is_recorded(
    by: By, team: Team, days: int, code: str
) -> None:
    signal = team.signal(CLAIMED)
    with pytest.raises(Invalid) as refused:
        attempt(by, signal, team.worker, until=DAY + timedelta(days=days))
    assert code_of(refused) == ("postponed_until", code)
    assert (signal.state, signal.attempts) == (CLAIMED, [])


@pytest.mark.parametrize(
    "result", [AttemptResult.CONTACT, AttemptResult.REFUSED, AttemptResult.WRONG_ADDRESS]
)
def test_a_day_goes_only_with_an_agreement_or_an_attempt_without_an_answer(
    by: By, team: Team, result: AttemptResult
) -> None:
    signal = team.signal(CLAIMED)
    with pytest.raises(Invalid) as refused:
        attempt(by, signal, team.worker, until=DAY + timedelta(days=7), result=result)
    assert code_of(refused) == ("postponed_until", "not_with_this_result")


def test_a_day_can_be_agreed_anew_until_twelve_weeks_after_receipt(
    by: By, clock: FixedClock, team: Team
) -> None:
    signal = team.signal(CLAIMED)
    last = DAY + timedelta(days=MOST_DAYS_AFTER_RECEIPT)
    for days in (0, 28, 56):
        at(clock, DAY + timedelta(days=days))
        attempt(by, signal, team.worker, until=DAY + timedelta(days=days + 28))
    assert signal.postponed_until == last
    at(clock, last - timedelta(days=1))
    with pytest.raises(Invalid) as refused:
        attempt(by, signal, team.worker, until=last + timedelta(days=1))
    assert code_of(refused) == ("postponed_until", "too_far_ahead")


def test_a_signal_put_back_is_to_be_claimed_before_its_agreed_day(team: Team, by: By) -> None:
    signal = team.signal(CLAIMED)
    agreed = DAY + timedelta(days=7)
    attempt(by, signal, team.worker, until=agreed)
    casework.release(by(team.worker), signal_id=signal.id)
    assert (signal.postponed_until, signal.due_on) == (agreed, signal.claim_by)
    assert signal.claim_by == add_working_days(DAY, 1)
    casework.claim(by(team.colleague), signal_id=signal.id)
    assert signal.due_on == agreed


def test_the_queue_puts_the_agreed_day_between_other_deadlines(by: By, session: Session, team: Team) -> None:
    waiting = team.signal(CLAIMED)
    attempt(by, waiting, team.worker, until=DAY + timedelta(days=7))
    session.flush()
    before = team.signal(due_on=DAY + timedelta(days=6))
    after = team.signal(due_on=DAY + timedelta(days=8))
    page = queue_page(session, organisation_id=team.organisation.id)
    assert [signal.id for signal in page.items] == [before.id, waiting.id, after.id]
    assert [signal.postponed_until for signal in page.items][1] == DAY + timedelta(days=7)


def test_the_agreed_day_comes_back_with_a_reopened_signal_while_it_lies_ahead(
    clock: FixedClock, team: Team, by: By
) -> None:
    signal, agreed = team.signal(CLAIMED), DAY + timedelta(days=7)
    attempt(by, signal, team.worker, until=agreed)
    missed = agreed + timedelta(days=1)
    for day, waits in ((agreed, agreed), (missed, add_working_days(missed, 2))):
        casework.conclude(by(team.worker), signal_id=signal.id, outcome=Outcome.MISUSE)
        at(clock, day)
        casework.reopen(by(team.worker), signal_id=signal.id)
        assert (signal.postponed_until, signal.due_on) == (waits, waits)


def test_reopening_starts_the_terms_again(clock: FixedClock, team: Team, by: By) -> None:
    signal = team.signal(SignalState.CONCLUDED, outcome=Outcome.TALK_SUFFICED, concluded_at=factories.MOMENT)
    reopened = DAY + timedelta(days=40)
    at(clock, reopened)
    casework.reopen(by(team.worker), signal_id=signal.id)
    assert signal.conclude_by == DAY + timedelta(days=68)
    assert signal.due_on == add_working_days(reopened, team.organisation.contact_working_days)


# The Wmo


def wmo(by: By, signal: Signal, team: Team, on: date | None) -> Signal:
    return casework.record_wmo(by(team.colleague), signal_id=signal.id, wmo_notified_on=on)


def test_the_date_of_a_wmo_notification_is_kept_and_can_be_taken_back(by: By, team: Team) -> None:
    signal = team.signal(CLAIMED)
    assert wmo(by, signal, team, DAY).wmo_notified_on == DAY
    assert signal.version == 2
    assert wmo(by, signal, team, None).wmo_notified_on is None


@pytest.mark.parametrize(("days", "code"), [(1, "in_future"), (-1, "before_receipt")])
def test_a_wmo_notification_lies_between_receipt_and_today(team: Team, by: By, days: int, code: str) -> None:
    signal, on = team.signal(CLAIMED), DAY + timedelta(days=days)
    conclusion: dict[str, Any] = {"outcome": Outcome.HELP_ACCEPTED, "wmo_notified_on": on}
    with pytest.raises(Invalid) as refused:
        wmo(by, signal, team, on)
    assert code_of(refused) == ("wmo_notified_on", code)
    with pytest.raises(Invalid) as refused:
        casework.conclude(by(team.worker), signal_id=signal.id, **conclusion)
    assert code_of(refused) == ("wmo_notified_on", code)
    assert (signal.state, signal.outcome) == (CLAIMED, None)


# Acting for a colleague


def away(team: Team, **values: Any) -> Absence:
    usual = {"away_from": DAY, "away_until": DAY + timedelta(days=7), "cover_id": team.colleague.id}
    whose = {"organisation_id": team.organisation.id, "staff_member_id": team.worker.id}
    return factories.AbsenceFactory.build(**whose | usual | values)


def test_a_stand_in_acts_for_an_absent_colleague(by: By, session: Session, team: Team) -> None:
    session.add(away(team))
    signal = team.signal(CLAIMED)
    attempt(by, signal, team.colleague)
    assert (signal.state, signal.claimed_by_id) == (IN_FOLLOW_UP, team.worker.id)


@pytest.mark.parametrize(
    "values",
    [
        {"away_from": DAY + timedelta(days=1)},
        {"away_from": DAY - timedelta(days=9), "away_until": DAY - timedelta(days=1)},
        {"cover_id": None},
    ],
)
def test_a_colleague_does_not_act_outside_the_days_of_standing_in(
    by: By, session: Session, team: Team, values: dict[str, Any]
) -> None:
    session.add(away(team, **values))
    signal = team.signal(CLAIMED)
    with pytest.raises(ClaimedByOther):
        attempt(by, signal, team.colleague)
