"""Test that the last change of a signal can be undone, only by its maker, and until the next change."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from signals import casework
from signals.audit.grounds import Ground
from signals.audit.log import Actor
from signals.casework.undoing import UndoOver, undo, undoable
from signals.clock import FixedClock
from signals.errors import Restricted
from signals.models import AuditEntry, Receipt, Signal, StaffMember, StatusChange
from signals.vocabulary import (
    AttemptKind,
    AttemptResult,
    ContactBy,
    DeferralReason,
    NotifiedBy,
    Outcome,
    ReceiptState,
    SignalState,
)
from tests import factories
from tests.casework.states import CLAIMED, CONCLUDED, IN_FOLLOW_UP, NEW
from tests.support.desk_fixtures import By, Team

DAY = factories.EPOCH_DAY
ATTEMPT = {"kind": AttemptKind.VISIT, "attempted_at": factories.MOMENT}
AGREED = {"result": AttemptResult.POSTPONED, "postponed_until": DAY + timedelta(days=28)}
CONCLUSION = {
    "outcome": Outcome.TALK_SUFFICED, "contact_by": ContactBy.VISIT, "newly_known": True,
    "notified_by": NotifiedBy.IN_PERSON,
}  # fmt: skip
LATER = {"postponed_until": DAY + timedelta(days=9)}
DEFERRED = {"deferred_because": DeferralReason.WOULD_ENDANGER}
CHANGES: list[tuple[SignalState, Callable[..., Any], dict[str, Any]]] = [
    (NEW, casework.claim, {}),
    (NEW, casework.record_attempt, {**ATTEMPT, "result": AttemptResult.NO_ANSWER}),
    (CLAIMED, casework.release, {}),
    (CLAIMED, casework.record_attempt, {**ATTEMPT, "result": AttemptResult.CONTACT}),
    (CLAIMED, casework.record_attempt, {**ATTEMPT, **AGREED}),
    (CLAIMED, casework.record_notice, {"notified_on": DAY}),
    (CLAIMED, casework.record_notice, {"notified_by": NotifiedBy.LETTER}),
    (CLAIMED, casework.record_notice, DEFERRED),
    (CLAIMED, casework.record_wmo, {"wmo_notified_on": DAY}),
    (CLAIMED, casework.mark_urgent, {"urgent": True}),
    (CLAIMED, casework.conclude, CONCLUSION),
    (CLAIMED, casework.add_note, {"text": "Bij de verkeerde bewoner genoteerd."}),
    (IN_FOLLOW_UP, casework.choose_day, LATER),
    (CONCLUDED, casework.reopen, {}),
]


def everything(session: Session, signal: Signal) -> dict[str, Any]:
    """Return what the row holds, without its version, and the entries of its history and follow-up."""
    session.flush()
    session.expire_all()
    columns = {each.key for each in inspect(Signal).column_attrs} - {"version", "undo"}
    entries = {name: {each.id for each in getattr(signal, name)} for name in ("attempts", "notes", "history")}
    return {name: getattr(signal, name) for name in columns} | entries


@pytest.mark.parametrize(("state", "change", "values"), CHANGES)
def test_undoing_brings_back_what_was_before_any_change(
    by: By,
    session: Session,
    team: Team,
    state: SignalState,
    change: Callable[..., Any],
    values: dict[str, Any],
) -> None:
    signal = team.signal(state)
    before = everything(session, signal)
    undoable(by(team.worker), change, signal_id=signal.id, **values)
    assert everything(session, signal) != before
    undo(by(team.worker), signal_id=signal.id, expected_version=signal.version)
    assert everything(session, signal) == before
    assert signal.undo is None
    trail = select(AuditEntry.ground).where(AuditEntry.subject_id == signal.id)
    assert Ground.UNDONE in set(session.scalars(trail))


def test_undoing_a_conclusion_opens_the_receipt_again(by: By, session: Session, team: Team) -> None:
    signal = team.signal(CLAIMED, receipt_hash=b"r" * 32)
    undoable(by(team.worker), casework.conclude, signal_id=signal.id, **CONCLUSION)
    assert session.get_one(Receipt, b"r" * 32).state is ReceiptState.CLOSED
    undo(by(team.worker), signal_id=signal.id)
    assert session.get_one(Receipt, b"r" * 32).state is ReceiptState.IN_PROGRESS


def test_a_lead_undoes_a_gift_in_one_step(by: By, session: Session, team: Team) -> None:
    signal = team.signal(CLAIMED)
    before = everything(session, signal)
    undoable(by(team.lead), casework.reassign, signal_id=signal.id, to_staff_id=team.colleague.id)
    assert signal.claimed_by_id == team.colleague.id
    undo(by(team.lead), signal_id=signal.id)
    assert everything(session, signal) == before


def claimed(by: By, team: Team) -> Signal:
    signal = team.signal(NEW)
    undoable(by(team.worker), casework.claim, signal_id=signal.id)
    return signal


def test_only_the_maker_undoes_a_change(by: By, team: Team) -> None:
    signal = claimed(by, team)
    for other in (team.colleague, team.lead):
        refuse(by, signal, other)


def test_any_later_change_ends_the_undoing(by: By, session: Session, team: Team) -> None:
    signal = claimed(by, team)
    shown = signal.version
    undoable(by(team.lead), casework.reassign, signal_id=signal.id, to_staff_id=team.colleague.id)
    refuse(by, signal, team.worker)
    refuse(by, signal, team.lead, expected_version=shown)
    signal.version += 1  # another change, such as a restriction that was lifted again
    refuse(by, signal, team.lead)
    assert signal.claimed_by_id == team.colleague.id


def test_a_change_is_undone_weeks_later(by: By, clock: FixedClock, team: Team) -> None:
    signal = claimed(by, team)
    clock.moment += timedelta(days=60)
    undo(by(team.worker), signal_id=signal.id)
    assert signal.state is NEW


def test_a_conclusion_stays_once_its_year_may_be_counted(by: By, clock: FixedClock, team: Team) -> None:
    """Otherwise two years count the signal: undoing removes the first conclusion from its history."""
    signal = team.signal(CLAIMED)
    undoable(by(team.worker), casework.conclude, signal_id=signal.id, **CONCLUSION)
    clock.moment = datetime(DAY.year, 12, 31, 23, tzinfo=UTC)  # the next year in Amsterdam
    refuse(by, signal, team.worker)
    clock.moment -= timedelta(hours=1)
    undo(by(team.worker), signal_id=signal.id)
    assert signal.outcome is None


def test_nobody_gets_a_signal_back_whose_account_is_closed(
    by: By, clock: FixedClock, session: Session, team: Team
) -> None:
    signal = team.signal(CLAIMED)
    undoable(by(team.lead), casework.reassign, signal_id=signal.id, to_staff_id=team.colleague.id)
    session.get_one(StaffMember, team.worker.id).disabled_at = clock.now()
    refuse(by, signal, team.lead)


def test_a_change_is_undone_once(by: By, session: Session, team: Team) -> None:
    signal = claimed(by, team)
    undo(by(team.worker), signal_id=signal.id)
    refuse(by, signal, team.worker)
    assert session.scalars(select(StatusChange).where(StatusChange.signal_id == signal.id)).all() == []


def test_a_change_that_changes_nothing_leaves_the_last_one_to_undo(by: By, team: Team) -> None:
    signal = claimed(by, team)
    undoable(by(team.worker), casework.claim, signal_id=signal.id)
    undo(by(team.worker), signal_id=signal.id)
    assert signal.state is NEW


def test_nobody_undoes_anything_of_a_restricted_signal(by: By, team: Team) -> None:
    signal = claimed(by, team)
    signal.restricted_on = DAY
    with pytest.raises(Restricted):
        undo(by(team.worker), signal_id=signal.id)


def refuse(by: By, signal: Signal, actor: Actor, **values: Any) -> None:
    state, version = signal.state, signal.version
    with pytest.raises(UndoOver):
        undo(by(actor), signal_id=signal.id, **values)
    assert (signal.state, signal.version) == (state, version)
