"""Test what a conclusion asks, what it refuses, and what it records of the answers."""

from datetime import timedelta
from typing import Any

import pytest

from signals import casework
from signals.casework.questions import Question, missing
from signals.errors import Invalid
from signals.models import Signal, StatusChange
from signals.vocabulary import (
    Action,
    AttemptKind,
    AttemptResult,
    ContactBy,
    DeferralReason,
    NotifiedBy,
    NotReachedReason,
    Outcome,
)
from tests import factories
from tests.casework.states import CLAIMED, CONCLUDED, DAY, IN_FOLLOW_UP, NEW
from tests.support.answers import TALKED, TOLD
from tests.support.desk_fixtures import By, Team

Q = Question
NOBODY, IMPOSSIBLE = {"contact_by": ContactBy.NOBODY}, {"deferred_because": DeferralReason.IMPOSSIBLE}
VOID = {Outcome.DUPLICATE, Outcome.WRONG_ADDRESS, Outcome.MISUSE}


def conclude(by: By, team: Team, signal: Signal, outcome: Outcome, **how: Any) -> None:
    casework.conclude(by(team.worker), signal_id=signal.id, outcome=outcome, **how)


def problems(by: By, team: Team, signal: Signal, outcome: Outcome, **how: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        conclude(by, team, signal, outcome, **how)
    return {problem.field: problem.code for problem in refused.value.problems}


@pytest.mark.parametrize("outcome", Outcome)
def test_each_outcome_asks_only_for_what_is_not_recorded(team: Team, outcome: Outcome) -> None:
    fresh = missing(team.signal(CLAIMED), outcome)
    known = missing(team.signal(IN_FOLLOW_UP, first_contact_at=factories.MOMENT, notified_on=DAY), outcome)
    assert known == fresh - {Q.CONTACT_BY, Q.NOTIFIED_BY}
    assert (Q.NOTIFIED_BY in fresh) is (outcome not in VOID)
    assert (Q.CONTACT_BY in fresh) is (outcome not in VOID | {Outcome.NOT_REACHED})
    assert (Q.REFERRED_TO in fresh) is (outcome in {Outcome.REFERRED, Outcome.ESCALATED})
    assert known & fresh == known


def test_a_conclusion_names_everything_that_is_missing(by: By, team: Team) -> None:
    signal = team.signal(CLAIMED)
    found = problems(by, team, signal, Outcome.TALK_SUFFICED)
    assert found == {"contact_by": "required", "notified_by": "required"}
    assert (signal.state, signal.attempts) == (CLAIMED, [])


@pytest.mark.parametrize(
    ("outcome", "how", "field", "code"),
    [
        (Outcome.HELP_DECLINED, NOBODY | TOLD, "contact_by", "takes_a_talk"),
        (Outcome.NO_CONCERN, TALKED | IMPOSSIBLE, "notified_by", "exactly_one"),
        (Outcome.MISUSE, {"contact_by": ContactBy.VISIT}, "contact_by", "not_asked"),
        (Outcome.MISUSE, TOLD, "notified_by", "not_asked"),
        (Outcome.MISUSE, {"newly_known": True}, "newly_known", "not_asked"),
        (Outcome.NO_CONCERN, TOLD | NOBODY | {"newly_known": False}, "newly_known", "not_asked"),
        (Outcome.ALREADY_KNOWN, TALKED | {"newly_known": True}, "newly_known", "not_asked"),
    ],
)  # fmt: skip
def test_an_answer_that_contradicts_is_refused(
    by: By, team: Team, outcome: Outcome, how: dict[str, Any], field: str, code: str
) -> None:
    signal = team.signal(CLAIMED)
    assert problems(by, team, signal, outcome, **how) == {field: code}
    assert signal.outcome is None


def test_the_answers_become_an_attempt_with_contact_and_a_notice(by: By, team: Team) -> None:
    signal = team.signal(CLAIMED)
    conclude(by, team, signal, Outcome.HELP_ACCEPTED, newly_known=True, **TALKED)
    (made,) = signal.attempts
    assert (made.kind, made.result, made.attempted_at) == (
        AttemptKind.VISIT,
        AttemptResult.CONTACT,
        factories.MOMENT,
    )
    assert (signal.first_contact_at, signal.newly_known) == (factories.MOMENT, True)
    assert (signal.state, signal.notified_on) == (CONCLUDED, DAY)


def test_an_outcome_that_is_known_without_a_talk_counts_no_contact(by: By, team: Team) -> None:
    signal = team.signal(CLAIMED)
    how = {"contact_by": ContactBy.NOBODY, "deferred_because": DeferralReason.ALREADY_INFORMED}
    conclude(by, team, signal, Outcome.ALREADY_KNOWN, **how)
    assert (signal.attempts, signal.first_contact_at, signal.newly_known) == ([], None, False)
    assert (signal.notified_on, signal.deferred_because) == (None, "already_informed")


def tried(team: Team, *kinds: AttemptKind, **values: Any) -> Signal:
    signal = team.signal(IN_FOLLOW_UP, **values)
    for kind in kinds:
        factories.ContactAttemptFactory.create(signal=signal, kind=kind, recorded_by_id=team.worker.id)
    return signal


VISIT, PHONE = AttemptKind.VISIT, AttemptKind.PHONE


@pytest.mark.parametrize("reason", [None, NotReachedReason.TRIED_ENOUGH])
def test_enough_tried_takes_the_attempts_that_the_team_asks(
    by: By, team: Team, reason: NotReachedReason | None
) -> None:
    signal = tried(team, VISIT, PHONE)
    found = problems(by, team, signal, Outcome.NOT_REACHED, reason=reason, **TOLD)
    assert found == {"reason": "too_few_attempts"}


def test_the_letter_that_told_the_resident_counts_as_one_of_the_attempts(by: By, team: Team) -> None:
    signal = tried(team, VISIT, PHONE, letter_printed_on=DAY)
    by_letter = {"reason": NotReachedReason.TRIED_ENOUGH, "notified_by": NotifiedBy.LETTER}
    conclude(by, team, signal, Outcome.NOT_REACHED, **by_letter)
    assert sorted(attempt.kind for attempt in signal.attempts) == ["letter", "phone", "visit"]
    assert (signal.notified_on, signal.history[-1].reason) == (DAY, "tried_enough")


def test_a_letter_that_told_a_resident_who_was_met_is_no_attempt(by: By, team: Team) -> None:
    signal = tried(team, letter_printed_on=DAY)
    conclude(
        by, team, signal, Outcome.HELP_ACCEPTED, contact_by=ContactBy.PHONE, notified_by=NotifiedBy.LETTER
    )
    assert ([attempt.kind for attempt in signal.attempts], signal.notified_on) == ([PHONE], DAY)


def test_not_reached_before_an_agreed_day_asks_why(by: By, team: Team) -> None:
    agreed = DAY + timedelta(days=1)
    signal = tried(team, VISIT, VISIT, PHONE, postponed_until=agreed)
    signal.attempts[-1].postponed_until = agreed
    found = problems(by, team, signal, Outcome.NOT_REACHED, **TOLD)
    assert found == {"reason": "before_agreed_day"}
    conclude(by, team, signal, Outcome.NOT_REACHED, reason=NotReachedReason.TRIED_ENOUGH, **TOLD)
    assert signal.state is CONCLUDED


def test_a_resident_who_was_told_before_a_referral_is_told_again(by: By, team: Team) -> None:
    signal = team.signal(CLAIMED, notified_on=DAY - timedelta(days=1))
    assert Q.NOTIFIED_BY not in missing(signal, Outcome.NO_CONCERN)
    signal.history.append(StatusChange(sequence=2, action=Action.REFER, before=NEW, after=NEW, on=DAY))
    assert Q.NOTIFIED_BY in missing(signal, Outcome.NO_CONCERN)
    conclude(by, team, signal, Outcome.NO_CONCERN, **TALKED)
    assert signal.notified_on == DAY
