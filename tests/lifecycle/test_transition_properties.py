"""Test that the history of a signal tells any sequence of actions."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from signals.clock import FixedClock
from signals.errors import Conflict
from signals.lifecycle.status_changes import transition
from signals.lifecycle.transitions import TRANSITIONS, next_deadline
from signals.models import AuditEntry, Receipt, StatusChange
from signals.vocabulary import Action, ReceiptState, SignalState
from tests import factories
from tests.support.desk_fixtures import Team
from tests.support.operations import operation

STEPS = st.lists(st.tuples(st.sampled_from(Action), st.integers(0, 2), st.booleans()), max_size=25)
"""Actions, the days that pass before each, and whether the lead does it."""


@given(steps=STEPS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_actions_leaves_a_history_that_replays_to_the_state(
    session: Session, team: Team, steps: list[tuple[Action, int, bool]]
) -> None:
    clock = FixedClock(factories.MOMENT)
    receipt = factories.ReceiptFactory.create()
    signal = team.signal(receipt_hash=receipt.receipt_hash)
    expected, made, seen_before = SignalState.NEW, 0, receipt.state
    for action, days, by_lead in steps:
        if days:
            clock.moment += timedelta(days=days)
            seen_before = receipt.state
        actor, allowed = team.lead if by_lead else team.worker, (expected, action) in TRANSITIONS
        try:
            transition(operation(session, clock, actor), signal, action)
        except Conflict:
            assert not allowed
        else:
            assert allowed
            expected, made = TRANSITIONS[expected, action], made + 1
        assert (signal.state, signal.version) == (expected, 1 + made)
        assert signal.state is SignalState.SET_ASIDE or signal.due_on == next_deadline(signal)
        assert shown_today(receipt, clock) is seen_before
    session.flush()
    assert replayed(session, signal.id) == (expected, made)
    audited = select(func.count()).select_from(AuditEntry).where(AuditEntry.subject_id == signal.id)
    assert session.scalar(audited) == made


def shown_today(receipt: Receipt, clock: FixedClock) -> ReceiptState:
    """Return the state that a carrier reads: that of the previous day."""
    changed_today = receipt.changed_on >= clock.moment.date()
    return receipt.state_before if changed_today else receipt.state


def replayed(session: Session, signal_id: object) -> tuple[SignalState, int]:
    """Return the state that the stored history leads to, and the number of steps."""
    query = select(StatusChange).where(StatusChange.signal_id == signal_id).order_by(StatusChange.sequence)
    state = SignalState.NEW
    changes = session.scalars(query).all()
    for number, change in enumerate(changes, start=2):
        assert (change.sequence, change.before) == (number, state)
        state = TRANSITIONS[change.before, change.action]
        assert change.after is state
    return state, len(changes)


def test_the_replay_notices_a_history_that_was_changed(session: Session, team: Team) -> None:
    signal = team.signal()
    factories.StatusChangeFactory.create(signal_id=signal.id, after=SignalState.CONCLUDED)
    with pytest.raises(AssertionError):
        replayed(session, signal.id)
