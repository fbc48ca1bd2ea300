"""Set the reports of a flood aside, unread and together, and bring them back.

Nothing finer than a day is known of a report. So a flood is what one organisation received on one day and
nobody opened. A signal that another team referred is no part of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, func, select

from signals.audit.log import day_only, require_role
from signals.casework.access import organisation_of
from signals.lifecycle.status_changes import begin_deadlines, transition
from signals.models import AuditEntry, Organisation, Signal, StatusChange
from signals.operation import Operation
from signals.vocabulary import Action, AuditAction, Role, SignalState

_CHANGED_UNREAD: Final = (AuditAction.SIGNAL_ARRIVED, AuditAction.SIGNAL_CHANGED)
"""The acts on a signal that open nothing."""


@dataclass(frozen=True, kw_only=True)
class Flood:
    """How many signals of a day nobody opened, how many are set aside, and the first day of a deletion."""

    unread: int
    aside: int
    deleted_on: date | None


def flood_of(operation: Operation, *, day: date) -> Flood:
    """Count the unread and the set-aside signals of the actor's organisation on a day."""
    session = operation.session
    unread = select(func.count()).select_from(Signal).where(*_unread(operation, day))
    aside = select(func.count(), func.min(Signal.due_on)).where(*_aside(operation, day))
    number, deleted_on = session.execute(aside).one()
    return Flood(unread=session.scalar(unread) or 0, aside=number, deleted_on=deleted_on)


def set_aside(operation: Operation, *, day: date) -> int:
    """Set aside every new signal of a day that nobody opened, as its lead; return how many.

    They are deleted after `KEPT_ASIDE`. A signal that somebody else changes at this moment stays.
    """
    require_role(operation.actor, Role.LEAD)
    found = _locked(operation, _unread(operation, day))
    for signal in found:
        transition(operation, signal, Action.SET_ASIDE)
    return len(found)


def bring_back(operation: Operation, *, day: date) -> int:
    """Bring back what was set aside of a day, as its lead; return how many. Their deadlines begin today."""
    require_role(operation.actor, Role.LEAD)
    found = _locked(operation, _aside(operation, day))
    team = operation.session.get_one(Organisation, organisation_of(operation.actor))
    for signal in found:
        begin_deadlines(signal, team, operation.today)
        transition(operation, signal, Action.BRING_BACK)
    return len(found)


_Conditions = tuple[ColumnElement[bool], ...]


def _unread(operation: Operation, day: date) -> _Conditions:
    opened = select(AuditEntry.subject_id).where(
        AuditEntry.organisation_id == organisation_of(operation.actor),
        AuditEntry.at >= day_only(day),
        AuditEntry.subject_id.is_not(None),
        AuditEntry.action.not_in(_CHANGED_UNREAD),
    )
    # The team that referred a signal here read it, and its entries stay its own.
    referred = Signal.history.any(StatusChange.action == Action.REFER)
    return *_of(operation, day), Signal.state == SignalState.NEW, Signal.id.not_in(opened), ~referred


def _aside(operation: Operation, day: date) -> _Conditions:
    return (*_of(operation, day), Signal.state == SignalState.SET_ASIDE)


def _of(operation: Operation, day: date) -> _Conditions:
    own = Signal.organisation_id == organisation_of(operation.actor)
    return own, Signal.received_on == day, Signal.restricted_on.is_(None)


def _locked(operation: Operation, conditions: _Conditions) -> Sequence[Signal]:
    query = select(Signal).where(*conditions).order_by(Signal.id).with_for_update(skip_locked=True)
    return operation.session.scalars(query.execution_options(populate_existing=True)).all()
