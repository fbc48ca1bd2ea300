"""Test concluding with exactly one outcome, and reopening."""

from typing import Any

import pytest

from signals import casework
from signals.audit.log import Actor
from signals.casework.outcomes import ReopenReason
from signals.errors import Invalid
from signals.models import Signal
from signals.vocabulary import AttemptKind, NotReachedReason, Outcome, ReferredTo
from tests import factories
from tests.casework.states import CONCLUDED, DAY, IN_FOLLOW_UP, code_of
from tests.support.desk_fixtures import By, Team

MET: dict[str, Any] = {"first_contact_at": factories.MOMENT, "notified_on": DAY}


def conclude(by: By, team: Team, signal: Signal, actor: Actor | None = None, **how: Any) -> None:
    values: dict[str, Any] = {"outcome": Outcome.TALK_SUFFICED} | how
    casework.conclude(by(actor or team.worker), signal_id=signal.id, **values)


def test_a_conclusion_has_outcome_and_moment_and_keeps_the_claimant(by: By, team: Team) -> None:
    signal = team.signal(IN_FOLLOW_UP, **MET)
    conclude(by, team, signal, newly_known=True)
    assert (signal.state, signal.outcome, signal.newly_known) == (CONCLUDED, Outcome.TALK_SUFFICED, True)
    assert (signal.concluded_at, signal.claimed_by_id) == (factories.MOMENT, team.worker.id)


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("referred_to", [None, ReferredTo.HUISARTS, ReferredTo.WVGGZ])
def test_only_referral_and_escalation_name_a_destination(
    by: By,
    team: Team,
    outcome: Outcome,
    referred_to: ReferredTo | None,
) -> None:
    fits = {Outcome.REFERRED: ReferredTo.HUISARTS, Outcome.ESCALATED: ReferredTo.WVGGZ}
    signal = team.signal(IN_FOLLOW_UP, **MET)
    how: dict[str, Any] = {
        "outcome": outcome,
        "referred_to": referred_to,
        "reason": NotReachedReason.MOVED_AWAY if outcome is Outcome.NOT_REACHED else None,
    }
    if fits.get(outcome) is referred_to:
        conclude(by, team, signal, **how)
        assert (signal.outcome, signal.referred_to) == (outcome, referred_to)
    else:
        with pytest.raises(Invalid) as refused:
            conclude(by, team, signal, **how)
        assert code_of(refused)[0] == "referred_to"
        assert signal.outcome is None


@pytest.mark.parametrize(
    ("kinds", "enough"),
    [
        ([], False),
        ([AttemptKind.VISIT, AttemptKind.PHONE], False),
        ([AttemptKind.VISIT] * 3, False),
        ([AttemptKind.VISIT, AttemptKind.VISIT, AttemptKind.CARD], True),
    ],
)
def test_not_reached_needs_three_attempts_of_two_kinds(
    by: By,
    team: Team,
    kinds: list[AttemptKind],
    enough: bool,
) -> None:
    signal = team.signal(IN_FOLLOW_UP, **MET)
    for kind in kinds:
        factories.ContactAttemptFactory.create(signal=signal, kind=kind, recorded_by_id=team.worker.id)
    if enough:
        conclude(by, team, signal, outcome=Outcome.NOT_REACHED)
        assert signal.outcome is Outcome.NOT_REACHED
    else:
        with pytest.raises(Invalid) as refused:
            conclude(by, team, signal, outcome=Outcome.NOT_REACHED)
        assert code_of(refused) == ("reason", "too_few_attempts")


def test_a_reason_stands_in_for_attempts_and_is_kept_in_the_history(by: By, team: Team) -> None:
    signal = team.signal(IN_FOLLOW_UP, **MET)
    reason = NotReachedReason.DECEASED
    conclude(by, team, signal, outcome=Outcome.NOT_REACHED, reason=reason)
    assert signal.history[-1].reason == "deceased"


def test_reopening_claims_the_signal_and_clears_its_outcome(team: Team, by: By) -> None:
    signal = team.signal(IN_FOLLOW_UP, **MET)
    conclude(
        by,
        team,
        signal,
        outcome=Outcome.REFERRED,
        referred_to=ReferredTo.HUISARTS,
        newly_known=False,
    )
    casework.reopen(by(team.colleague), signal_id=signal.id, reason=ReopenReason.RESIDENT_CALLED_BACK)
    assert (signal.state, signal.claimed_by_id) == (IN_FOLLOW_UP, team.colleague.id)
    assert (signal.outcome, signal.referred_to, signal.newly_known, signal.concluded_at) == (None,) * 4
