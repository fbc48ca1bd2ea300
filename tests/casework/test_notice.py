"""Test the notification of the resident (art. 14 AVG) and its deferral."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals import casework
from signals.clock import FixedClock
from signals.errors import Conflict, Invalid
from signals.models import AuditEntry, Signal
from signals.vocabulary import AttemptKind, AttemptResult, AuditAction, DeferralReason, NotifiedBy
from tests import factories
from tests.casework.states import CONCLUDED, DAY, IN_FOLLOW_UP, code_of
from tests.support.desk_fixtures import By, Team


def notice(by: By, team: Team, signal: Signal, **how: Any) -> None:
    casework.record_notice(by(team.colleague), signal_id=signal.id, **how)


def test_a_notification_of_the_resident_is_recorded_and_audited(by: By, session: Session, team: Team) -> None:
    signal = team.signal(CONCLUDED)
    notice(by, team, signal, notified_on=DAY)
    entry = session.scalars(select(AuditEntry)).one()
    assert (signal.notified_on, signal.version) == (DAY, 2)
    assert (entry.action, entry.ground) == (AuditAction.NOTICE_RECORDED, "notified")


def test_the_day_of_the_notification_replaces_a_deferral(by: By, team: Team) -> None:
    signal = team.signal()
    notice(by, team, signal, deferred_because=DeferralReason.WOULD_ENDANGER)
    deferred = signal.deferred_because
    assert deferred == "would_endanger"
    notice(by, team, signal, notified_on=DAY)
    assert (signal.notified_on, signal.deferred_because) == (DAY, None)
    with pytest.raises(Conflict):
        notice(by, team, signal, deferred_because=DeferralReason.IMPOSSIBLE)


@pytest.mark.parametrize("how", [{"notified_on": DAY}, {"deferred_because": DeferralReason.IMPOSSIBLE}])
def test_a_mistaken_notice_is_taken_back_and_the_month_runs_on(
    by: By, session: Session, team: Team, how: dict[str, Any]
) -> None:
    signal = team.signal()
    notice(by, team, signal, **how)
    notice(by, team, signal, taken_back=True)
    assert (signal.notified_on, signal.deferred_because) == (None, None)
    grounds = session.scalars(select(AuditEntry.ground)).all()
    assert "notice_taken_back" in grounds
    with pytest.raises(Conflict):
        notice(by, team, signal, taken_back=True)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({}, "exactly_one"),
        ({"notified_on": DAY, "taken_back": True}, "exactly_one"),
        ({"notified_on": DAY, "deferred_because": DeferralReason.IMPOSSIBLE}, "exactly_one"),
        ({"notified_on": DAY + timedelta(days=1)}, "in_future"),
        ({"notified_on": DAY - timedelta(days=1)}, "before_receipt"),
    ],
)
def test_a_notice_that_cannot_be_is_refused(by: By, team: Team, how: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        notice(by, team, team.signal(), **how)
    assert code_of(refused) == ("notified_on", code)


def letters(signal: Signal) -> list[tuple[AttemptKind, AttemptResult]]:
    return [(attempt.kind, attempt.result) for attempt in signal.attempts]


def test_a_delivered_letter_is_an_attempt_that_claims_and_leaves_an_agreed_day_alone(
    by: By, team: Team
) -> None:
    signal = team.signal(letter_printed_on=DAY)
    notice(by, team, signal, notified_by=NotifiedBy.LETTER)
    assert letters(signal) == [(AttemptKind.LETTER, AttemptResult.NO_ANSWER)]
    assert (signal.notified_on, signal.claimed_by_id) == (DAY, team.colleague.id)
    agreed = team.signal(
        IN_FOLLOW_UP, postponed_until=DAY + timedelta(days=7), claimed_by_id=team.colleague.id
    )
    notice(by, team, agreed, notified_by=NotifiedBy.LETTER)
    assert (len(agreed.attempts), agreed.postponed_until) == (1, DAY + timedelta(days=7))


def test_a_letter_is_counted_once_and_not_for_a_colleague_or_after_the_conclusion(by: By, team: Team) -> None:
    noted = team.signal(IN_FOLLOW_UP, claimed_by_id=team.colleague.id)
    factories.ContactAttemptFactory.create(
        signal=noted, kind=AttemptKind.LETTER, recorded_by_id=team.colleague.id
    )
    theirs, over = team.signal(IN_FOLLOW_UP), team.signal(CONCLUDED)
    for signal, attempts in ((noted, 1), (theirs, 0), (over, 0)):
        notice(by, team, signal, notified_by=NotifiedBy.LETTER)
        assert (len(signal.attempts), signal.notified_on) == (attempts, DAY)


def test_being_told_at_the_door_means_the_day_of_the_visit(by: By, clock: FixedClock, team: Team) -> None:
    signal = team.signal(IN_FOLLOW_UP)
    factories.ContactAttemptFactory.create(signal=signal, recorded_by_id=team.worker.id)
    clock.moment += timedelta(days=3)
    notice(by, team, signal, notified_by=NotifiedBy.IN_PERSON)
    assert (signal.notified_on, len(signal.attempts)) == (DAY, 1)
