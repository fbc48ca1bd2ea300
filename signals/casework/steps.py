"""Decide which steps a person may take on a signal now, by its state, its claim and their role.

Pages show these steps. Each step checks again when somebody takes it: see `access`.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from signals.audit.log import Actor
from signals.errors import Conflict, Restricted
from signals.lifecycle.transitions import TRANSITIONS
from signals.models import Signal
from signals.vocabulary import MAY_LEAVE, OPEN_STATES, Action, Role, SignalState


class Step(StrEnum):
    """Something that a person does with a signal; the codes are the forms of its page."""

    CLAIM = "claim"
    ATTEMPT = "contact-attempts"
    NEXT_DAY = "next-day"
    CONCLUDE = "conclude"
    RELEASE = "release"
    NOTE = "notes"
    URGENT = "urgent"
    REASSIGN = "reassign"
    NOTICE = "notice"
    WMO = "wmo"
    REOPEN = "reopen"
    REFER = "refer"


_NEEDS_CLAIM: Final = {
    Step.ATTEMPT: Action.RECORD_ATTEMPT,
    Step.CONCLUDE: Action.CONCLUDE,
    Step.RELEASE: Action.RELEASE,
}


def steps_on(signal: Signal, actor: Actor, *, acts: bool) -> Iterator[Step]:
    """Yield the steps that a member of the team may take; `acts`: they may act on the claim."""
    if signal.restricted_on is not None or signal.state is SignalState.SET_ASIDE:
        return  # nobody works on it (art. 18 AVG, or part of a flood)
    is_open = signal.state in OPEN_STATES
    claimed = signal.claimed_by_id is not None
    if not claimed and _allows(signal, Action.CLAIM):
        yield from (Step.CLAIM, Step.ATTEMPT)  # the first attempt claims by itself
    if claimed and acts:
        yield from (step for step, action in _NEEDS_CLAIM.items() if _allows(signal, action))
        if signal.state is SignalState.IN_FOLLOW_UP:
            yield Step.NEXT_DAY
    if is_open:
        yield from (Step.NOTE, Step.URGENT)
    if is_open and actor.role == Role.LEAD:
        yield Step.REASSIGN
    yield from (Step.NOTICE, Step.WMO)
    if _allows(signal, Action.REOPEN):
        yield Step.REOPEN
    if (acts or not claimed) and _allows(signal, Action.REFER):
        yield Step.REFER


def may_leave(signal: Signal) -> bool:
    """Return whether the signal is concluded with an outcome after which somebody else goes on."""
    return signal.state is SignalState.CONCLUDED and signal.outcome in MAY_LEAVE


def require_may_leave(signal: Signal) -> None:
    """Raise `Restricted` (art. 18 AVG), or `Conflict` for a signal that may not leave."""
    if signal.restricted_on is not None:
        raise Restricted
    if not may_leave(signal):
        raise Conflict


def _allows(signal: Signal, action: Action) -> bool:
    return (signal.state, action) in TRANSITIONS
