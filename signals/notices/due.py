"""Signals with a day so near that a message may be due; a reminder reads no other one."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from signals.models import Signal
from signals.retention.periods import WARNED_BEFORE
from signals.vocabulary import SignalState

CATCH_UP_DAYS: Final = 14
"""A message whose day passed longer ago, while no worker ran, is not written."""
_PAST_DAYS: Final = CATCH_UP_DAYS + 28
"""An older deadline causes no message: the last step of escalation is eleven working days later."""
_AHEAD_DAYS: Final = 21
"""A later deadline causes none yet: a reminder goes at most seven working days before it."""
_LETTER_DAYS: Final = range(10, 32)
"""Ages in days of a signal whose art. 14 month ends soon."""


def may_be_due(on: date, *, unattended_days: Mapping[UUID, int]) -> Any:
    """Select live signals with a deadline, a letter or a deletion near a day; held signals are left out.

    `unattended_days`: after how many days each organisation deletes an unattended signal. Each part has an
    index. `due_on` is the claim of an unclaimed signal, and the first contact of a claimed one.
    """
    near = on - timedelta(days=_PAST_DAYS), on + timedelta(days=_AHEAD_DAYS)
    of_all = Signal.organisation_id.in_(sorted(unattended_days))
    live = Signal.state != SignalState.CONCLUDED
    days = unattended_days.values()
    youngest, oldest = min(days, default=0), max(days, default=0)
    return _live_signals().where(
        or_(
            and_(live, of_all, Signal.due_on.between(*near)),
            and_(live, Signal.conclude_by.between(*near)),
            Signal.postponed_until.between(*near),
            _received(on, _LETTER_DAYS.start, _LETTER_DAYS.stop),
            _received(on, youngest - WARNED_BEFORE, oldest),
        )
    )


def _received(on: date, youngest: int, oldest: int) -> ColumnElement[bool]:
    return Signal.received_on.between(on - timedelta(days=oldest), on - timedelta(days=youngest))


def _live_signals() -> Any:
    """Select open signals and those that wait for their art. 14 letter, without those that are held."""
    uninformed = and_(Signal.notified_on.is_(None), Signal.deferred_because.is_(None))
    return select(
        Signal.id,
        Signal.organisation_id,
        Signal.state,
        Signal.received_on,
        Signal.claim_by,
        Signal.contact_by,
        Signal.conclude_by,
        Signal.notified_on,
        Signal.deferred_because,
        Signal.postponed_until,
        Signal.claimed_by_id,
    ).where(
        Signal.restricted_on.is_(None),
        Signal.state != SignalState.SET_ASIDE,
        or_(Signal.state != SignalState.CONCLUDED, uninformed),
    )
