"""Test the steps that a person may take on a signal, by state, claim and role."""

from datetime import date

import pytest

from signals.casework.steps import Step, may_leave, steps_on
from signals.vocabulary import Outcome, SignalState
from tests.casework.states import CLAIMED, CONCLUDED, IN_FOLLOW_UP, NEW
from tests.support.desk_fixtures import Team

ALWAYS = {Step.NOTICE, Step.WMO}
UNCLAIMED = ALWAYS | {Step.CLAIM, Step.ATTEMPT, Step.NOTE, Step.URGENT, Step.REFER}
OWN = ALWAYS | {Step.ATTEMPT, Step.CONCLUDE, Step.RELEASE, Step.NOTE, Step.URGENT, Step.REFER}
RELEASED = {"claimed_by_id": None, "claimed_at": None}


@pytest.mark.parametrize(
    ("state", "values", "acts", "steps"),
    [
        (NEW, {}, False, UNCLAIMED),
        (IN_FOLLOW_UP, RELEASED, False, UNCLAIMED),
        (CLAIMED, {}, True, OWN),
        (IN_FOLLOW_UP, {}, True, OWN | {Step.NEXT_DAY}),
        (CLAIMED, {}, False, ALWAYS | {Step.NOTE, Step.URGENT}),
        (IN_FOLLOW_UP, {}, False, ALWAYS | {Step.NOTE, Step.URGENT}),
        (CONCLUDED, {}, True, ALWAYS | {Step.REOPEN}),
        (CONCLUDED, {}, False, ALWAYS | {Step.REOPEN}),
    ],
)
def test_state_and_claim_decide_the_steps(
    team: Team, state: SignalState, values: dict[str, None], acts: bool, steps: set[Step]
) -> None:
    assert set(steps_on(team.signal(state, **values), team.worker, acts=acts)) == steps


@pytest.mark.parametrize(
    ("state", "more"), [(NEW, {Step.REASSIGN}), (CLAIMED, {Step.REASSIGN}), (CONCLUDED, set())]
)
def test_a_lead_also_reassigns_an_open_signal(team: Team, state: SignalState, more: set[Step]) -> None:
    signal = team.signal(state)
    of_worker, of_lead = (set(steps_on(signal, actor, acts=True)) for actor in (team.worker, team.lead))
    assert of_lead - of_worker == more


@pytest.mark.parametrize("state", SignalState)
def test_nobody_takes_a_step_on_a_restricted_signal(team: Team, state: SignalState) -> None:
    signal = team.signal(state, restricted_on=date(2026, 11, 24))
    assert list(steps_on(signal, team.lead, acts=True)) == []


@pytest.mark.parametrize("outcome", Outcome)
def test_a_concluded_signal_leaves_after_accepted_help_or_a_referral(team: Team, outcome: Outcome) -> None:
    signal = team.signal(CONCLUDED, outcome=outcome)
    assert may_leave(signal) is (outcome in {Outcome.HELP_ACCEPTED, Outcome.REFERRED})
