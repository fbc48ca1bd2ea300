"""Define which action leads from one state of a signal to another, without a database."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from itertools import product
from typing import Final, Protocol
from uuid import UUID

from signals.errors import Conflict
from signals.vocabulary import OPEN_STATES, Action, SignalState

_NEW, _CLAIMED, _IN_FOLLOW_UP, _CONCLUDED, _SET_ASIDE = SignalState

ARRIVES_AS = _NEW
TRANSITIONS: Mapping[tuple[SignalState, Action], SignalState] = {
    (_NEW, Action.CLAIM): _CLAIMED,
    # A released signal in follow-up keeps its state, without a claimant: its attempts still count.
    (_IN_FOLLOW_UP, Action.CLAIM): _IN_FOLLOW_UP,
    (_CLAIMED, Action.RELEASE): _NEW,
    (_IN_FOLLOW_UP, Action.RELEASE): _IN_FOLLOW_UP,
    **dict.fromkeys(product((_CLAIMED, _IN_FOLLOW_UP), [Action.RECORD_ATTEMPT]), _IN_FOLLOW_UP),
    # The signal is new at the other organisation.
    **dict.fromkeys(product((_NEW, _CLAIMED, _IN_FOLLOW_UP), [Action.REFER]), _NEW),
    (_NEW, Action.TAKE_BACK): _CLAIMED,  # the sender has it again, before anybody opened it there
    **dict.fromkeys(product((_CLAIMED, _IN_FOLLOW_UP), [Action.CONCLUDE]), _CONCLUDED),
    (_CONCLUDED, Action.REOPEN): _IN_FOLLOW_UP,
    (_NEW, Action.SET_ASIDE): _SET_ASIDE,
    (_SET_ASIDE, Action.BRING_BACK): _NEW,
}
"""Everything that may happen to a signal after its arrival. Every other pair is refused."""

KEPT_ASIDE: Final = timedelta(days=7)
"""How long a signal stays set aside: `due_on` is then the day of its deletion."""


class NextStep(StrEnum):
    """The next step of an open signal."""

    CLAIM = "claim"
    FIRST_ATTEMPT = "first_attempt"
    NEXT_CONTACT = "next_contact"
    CONCLUSION = "conclusion"


class Scheduled(Protocol):
    """Name the columns of a signal for its state and its deadlines."""

    @property
    def state(self) -> SignalState: ...
    @property
    def claimed_by_id(self) -> UUID | None: ...
    @property
    def claim_by(self) -> date: ...
    @property
    def contact_by(self) -> date: ...
    @property
    def conclude_by(self) -> date: ...
    @property
    def postponed_until(self) -> date | None: ...
    @property
    def due_on(self) -> date: ...
    @property
    def restricted_on(self) -> date | None: ...


def state_after(before: SignalState, action: Action) -> SignalState:
    """Return the state that the action leads to; raise `Conflict` when the state does not allow it."""
    try:
        return TRANSITIONS[before, action]
    except KeyError:
        raise Conflict from None


def awaits_claim(signal: Scheduled) -> bool:
    """Return whether an open signal has no claimant: it is new, or a worker released it in follow-up."""
    return signal.state is _NEW or (signal.state is _IN_FOLLOW_UP and signal.claimed_by_id is None)


def next_step(signal: Scheduled) -> tuple[NextStep, date]:
    """Return what comes next, and its last day; every open signal has both."""
    if awaits_claim(signal):
        return NextStep.CLAIM, signal.claim_by
    if signal.state is _IN_FOLLOW_UP and signal.postponed_until is not None:
        return NextStep.NEXT_CONTACT, signal.postponed_until
    if signal.state is _CLAIMED:
        return NextStep.FIRST_ATTEMPT, signal.contact_by
    return NextStep.CONCLUSION, signal.conclude_by


def next_deadline(signal: Scheduled) -> date:
    """Return the last day of the next step."""
    return next_step(signal)[1]


def is_overdue(signal: Scheduled, on: date) -> bool:
    """Return whether the next deadline passed before `on`.

    No deadline runs for a signal that is concluded, set aside or restricted (art. 18 AVG).
    """
    runs = signal.state in OPEN_STATES and signal.restricted_on is None
    return runs and signal.due_on < on
