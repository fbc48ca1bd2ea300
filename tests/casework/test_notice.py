"""Test the notification of the resident (art. 14 AVG) and its deferral."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals import casework
from signals.errors import Conflict, Invalid
from signals.models import AuditEntry, Signal
from signals.vocabulary import AuditAction, DeferralReason
from tests.casework.states import CONCLUDED, DAY, code_of
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
