"""Test every state against every action, and the effects of a change."""

import re
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.clock import FixedClock
from signals.errors import Conflict, Invalid
from signals.lifecycle.status_changes import life_of, transition
from signals.lifecycle.transitions import next_deadline
from signals.models import AuditEntry, Receipt, Signal, StatusChange
from signals.vocabulary import Action, AuditAction, ReceiptState, SignalState
from tests import factories
from tests.support.desk_fixtures import By, Team

NEW, CLAIMED, IN_FOLLOW_UP, CONCLUDED, SET_ASIDE = SignalState
ALLOWED = {
    (NEW, Action.CLAIM): CLAIMED,
    (NEW, Action.REFER): NEW,
    (CLAIMED, Action.RELEASE): NEW,
    (CLAIMED, Action.RECORD_ATTEMPT): IN_FOLLOW_UP,
    (CLAIMED, Action.REFER): NEW,
    (CLAIMED, Action.CONCLUDE): CONCLUDED,
    (IN_FOLLOW_UP, Action.CLAIM): IN_FOLLOW_UP,
    (IN_FOLLOW_UP, Action.RELEASE): IN_FOLLOW_UP,
    (IN_FOLLOW_UP, Action.RECORD_ATTEMPT): IN_FOLLOW_UP,
    (IN_FOLLOW_UP, Action.REFER): NEW,
    (NEW, Action.TAKE_BACK): CLAIMED,
    (IN_FOLLOW_UP, Action.CONCLUDE): CONCLUDED,
    (CONCLUDED, Action.REOPEN): IN_FOLLOW_UP,
    (NEW, Action.SET_ASIDE): SET_ASIDE,
    (SET_ASIDE, Action.BRING_BACK): NEW,
}
EVERY_PAIR = list(product(SignalState, Action))
REFUSED = [pair for pair in EVERY_PAIR if pair not in ALLOWED]
SOURCES = Path(__file__).resolve().parents[2] / "signals"


def change(by: By, team: Team, signal: Signal, action: Action, reason: str | None = None) -> StatusChange:
    return transition(by(team.worker), signal, action, reason=reason)


@pytest.mark.parametrize(("before", "action"), list(ALLOWED))
def test_an_allowed_action_leads_to_the_state_of_the_table(
    by: By,
    team: Team,
    before: SignalState,
    action: Action,
) -> None:
    signal = team.signal(before)
    made = change(by, team, signal, action)
    assert signal.state is ALLOWED[before, action]
    assert (made.before, made.action, made.after) == (before, action, signal.state)


@pytest.mark.parametrize(("before", "action"), REFUSED)
def test_a_refused_action_changes_nothing(
    by: By,
    session: Session,
    team: Team,
    before: SignalState,
    action: Action,
) -> None:
    signal = team.signal(before)
    with pytest.raises(Conflict):
        change(by, team, signal, action)
    assert not session.dirty
    assert not session.new
    assert (signal.state, signal.version) == (before, 1)


def test_a_change_writes_history_and_audit_together(by: By, session: Session, team: Team) -> None:
    signal = team.signal()
    made = change(by, team, signal, Action.CLAIM)
    session.flush()
    entry = session.scalars(select(AuditEntry)).one()
    assert (made.actor_id, made.at, made.on) == (team.worker.id, factories.MOMENT, factories.EPOCH_DAY)
    assert (entry.action, entry.subject_id, entry.ground) == (
        AuditAction.SIGNAL_CHANGED,
        signal.id,
        "claim",
    )
    assert (entry.actor_id, entry.organisation_id) == (team.worker.id, signal.organisation_id)


def test_the_signal_itself_gives_the_day_of_its_arrival_without_a_moment(
    by: By, session: Session, team: Team
) -> None:
    signal = team.signal()
    change(by, team, signal, Action.CLAIM)
    session.flush()
    session.expire(signal, ["history"])
    arrival, claim = life_of(signal)
    assert (arrival.action, arrival.before, arrival.after) == (Action.ARRIVE, None, NEW)
    assert (arrival.on, arrival.at, arrival.actor_id) == (signal.received_on, None, None)
    assert (arrival.sequence, claim.sequence, claim.action) == (1, 2, Action.CLAIM)


def test_telling_the_life_of_a_signal_stores_nothing(session: Session, team: Team) -> None:
    life_of(team.signal())
    session.flush()
    assert session.scalars(select(StatusChange)).all() == []


@pytest.mark.parametrize(("state", "days"), [(NEW, 1), (CLAIMED, 2), (IN_FOLLOW_UP, 28), (CONCLUDED, 28)])
def test_the_next_deadline_depends_on_the_state(state: SignalState, days: int) -> None:
    claimant = None if state is NEW else uuid4()
    signal = factories.SignalFactory.build(state=state, claimed_by_id=claimant)
    assert next_deadline(signal) == factories.EPOCH_DAY + timedelta(days=days)


@pytest.mark.parametrize("action", [Action.RELEASE, Action.REFER])
def test_a_releasing_worker_has_the_signal_no_longer(by: By, team: Team, action: Action) -> None:
    signal = team.signal(IN_FOLLOW_UP)
    change(by, team, signal, action)
    assert (signal.claimed_by_id, signal.claimed_at) == (None, None)


def test_a_reason_in_free_text_is_refused_for_it_would_lie_unsealed(by: By, team: Team) -> None:
    signal = team.signal(CONCLUDED)
    with pytest.raises(Invalid) as refused:
        change(by, team, signal, Action.REOPEN, "Mevrouw Jansen belde")
    assert refused.value.problems[0].field == "reason"
    assert signal.state is CONCLUDED


def with_receipt(team: Team, state: SignalState, receipt: ReceiptState, on: date) -> tuple[Signal, Receipt]:
    kept = factories.ReceiptFactory.create(state=receipt, state_before=receipt, changed_on=on)
    return team.signal(state, receipt_hash=kept.receipt_hash), kept


@pytest.mark.parametrize(
    ("before", "action", "receipt", "after"),
    [
        (NEW, Action.CLAIM, ReceiptState.RECEIVED, ReceiptState.IN_PROGRESS),
        (CLAIMED, Action.RECORD_ATTEMPT, ReceiptState.IN_PROGRESS, ReceiptState.IN_PROGRESS),
        (CLAIMED, Action.RELEASE, ReceiptState.IN_PROGRESS, ReceiptState.IN_PROGRESS),
        (NEW, Action.REFER, ReceiptState.RECEIVED, ReceiptState.RECEIVED),
        (CLAIMED, Action.CONCLUDE, ReceiptState.IN_PROGRESS, ReceiptState.CLOSED),
        (CONCLUDED, Action.REOPEN, ReceiptState.CLOSED, ReceiptState.IN_PROGRESS),
    ],
)
def test_the_receipt_follows_the_signal(
    by: By,
    team: Team,
    before: SignalState,
    action: Action,
    receipt: ReceiptState,
    after: ReceiptState,
) -> None:
    signal, kept = with_receipt(team, before, receipt, factories.EPOCH_DAY - timedelta(days=1))
    change(by, team, signal, action)
    assert (kept.state, kept.state_before) == (after, receipt)


def test_the_receipt_keeps_the_state_at_the_start_of_the_day_through_several_changes(
    by: By, clock: FixedClock, team: Team
) -> None:
    signal, kept = with_receipt(team, NEW, ReceiptState.RECEIVED, factories.EPOCH_DAY)
    clock.moment += timedelta(days=1)
    change(by, team, signal, Action.CLAIM)
    change(by, team, signal, Action.CONCLUDE)
    assert (kept.state_before, kept.state) == (ReceiptState.RECEIVED, ReceiptState.CLOSED)
    assert kept.changed_on == factories.EPOCH_DAY + timedelta(days=1)


def test_the_receipt_moves_on_with_a_change_on_a_later_day(by: By, clock: FixedClock, team: Team) -> None:
    signal, kept = with_receipt(team, NEW, ReceiptState.RECEIVED, factories.EPOCH_DAY)
    change(by, team, signal, Action.CLAIM)
    clock.moment += timedelta(days=2)
    change(by, team, signal, Action.CONCLUDE)
    assert (kept.state_before, kept.state) == (ReceiptState.IN_PROGRESS, ReceiptState.CLOSED)


def test_the_first_change_gives_the_receipt_a_row_that_was_received_until_then(
    by: By, session: Session, team: Team
) -> None:
    signal = team.signal(receipt_hash=b"r" * 32)
    change(by, team, signal, Action.CLAIM)
    kept = session.get_one(Receipt, b"r" * 32)
    assert (kept.state_before, kept.state) == (ReceiptState.RECEIVED, ReceiptState.IN_PROGRESS)


def test_a_change_that_tells_the_carrier_nothing_gives_the_receipt_no_row(
    by: By, session: Session, team: Team
) -> None:
    change(by, team, team.signal(receipt_hash=b"r" * 32), Action.REFER)
    assert session.get(Receipt, b"r" * 32) is None


def test_no_other_module_writes_the_state_of_a_signal() -> None:
    writes = re.compile(r"\b(?!receipt\b)\w+\.state\s*=(?!=)|setattr\([^)]*[\"']state[\"']")
    found = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if writes.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"lifecycle/status_changes.py"}
