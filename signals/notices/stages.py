"""The deadlines of a signal as messages see them: the states in which each runs, and its events."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from notifications.events import Event
from signals.models import Signal
from signals.vocabulary import OPEN_STATES, SignalState

_NEW, _CLAIMED, _IN_FOLLOW_UP, *_OVER = SignalState


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A deadline of a signal: the states in which it runs, and the events before and after it.

    `unclaimed`: in follow-up it runs only while nobody has the signal.
    """

    states: frozenset[SignalState]
    unclaimed: bool = False
    deadline: str
    before: Event
    missed: Event


STAGES: Final = (
    Stage(
        states=frozenset({_NEW, _IN_FOLLOW_UP}),
        unclaimed=True,
        deadline="claim_by",
        before=Event.REMINDER,
        missed=Event.MISSED_DEADLINE,
    ),
    Stage(
        states=frozenset({_CLAIMED}),
        deadline="contact_by",
        before=Event.CONTACT_REMINDER,
        missed=Event.MISSED_CONTACT,
    ),
    Stage(
        states=frozenset({_CLAIMED, _IN_FOLLOW_UP}),
        deadline="conclude_by",
        before=Event.CONCLUDE_REMINDER,
        missed=Event.MISSED_CONCLUSION,
    ),
)
UNCLAIMED_ONLY: Final = frozenset({Event.UNATTENDED, Event.REMINDER, Event.MISSED_DEADLINE})
STATES_OF: Final[Mapping[str, frozenset[SignalState]]] = {
    Event.NEW_SIGNAL: frozenset({_NEW}),
    Event.UNATTENDED: OPEN_STATES,
    Event.NEXT_CONTACT: frozenset({_IN_FOLLOW_UP}),
    **{event: stage.states for stage in STAGES for event in (stage.before, stage.missed)},
}


def open_with_deadline(session: Session) -> dict[uuid.UUID, date | None]:
    """Return the first deadline of each organisation with open signals; None when all are restricted."""
    runs = case((Signal.restricted_on.is_(None), Signal.due_on))
    query = (
        select(Signal.organisation_id, func.min(runs).label("first"))
        .where(Signal.state.in_(OPEN_STATES))
        .group_by(Signal.organisation_id)
    )
    return {row.organisation_id: row.first for row in session.execute(query)}
