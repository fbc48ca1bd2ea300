"""Join two signals of one concern: conclude one as a duplicate in one step, and let the other go on."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import select

from signals.casework.claims import claim
from signals.casework.earlier import EarlierSignal, is_worked
from signals.casework.outcomes import conclude
from signals.errors import Conflict, OtherRestricted
from signals.models import Signal
from signals.operation import Operation
from signals.vocabulary import OPEN_STATES, Outcome

_Standing = tuple[bool, int, bool]


def to_join(signal: Signal, earlier: Iterable[EarlierSignal]) -> EarlierSignal | None:
    """Return the open signal at exactly this address that this one may join; None when this one goes on.

    The signal with more follow-up goes on; of two equal ones the earlier; of one day the claimed one.
    No signal joins a concluded one, because a later signal is a concern of its own. No signal joins a
    restricted one (art. 18 AVG), because nobody may work on it.
    """
    if signal.state not in OPEN_STATES:
        return None
    own = _standing(is_worked(signal), signal.received_on, signal.claimed_by_id is not None)
    others = ((_standing_of(other), other) for other in earlier if _is_open(other))
    going_on = [found for found in others if found[0] >= own]
    return max(going_on, key=itemgetter(0))[1] if going_on else None


def conclude_as_duplicate(
    operation: Operation, *, signal_id: UUID, earlier_id: UUID, expected_version: int | None = None
) -> Signal:
    """Claim a signal when nobody has it, and conclude it with `duplicate`, in one transaction.

    `earlier_id` names the signal that goes on. Raises `Conflict` when somebody concluded that signal or
    joined it with this one, `OtherRestricted` when nobody may work on it, and what `claim` and `conclude`
    raise.
    """
    locked = _lock_both(operation, {signal_id, earlier_id})
    signal = claim(operation, signal_id=signal_id, expected_version=expected_version)
    _refuse_unless_going_on(locked.get(earlier_id) if earlier_id != signal_id else None)
    operation.session.flush()  # `conclude` reads the row afresh, under its lock
    return conclude(operation, signal_id=signal.id, outcome=Outcome.DUPLICATE)


def _refuse_unless_going_on(earlier: Any) -> None:
    if earlier is None or earlier.state not in OPEN_STATES:
        raise Conflict
    if earlier.restricted_on is not None:
        raise OtherRestricted


def _lock_both(operation: Operation, ids: Collection[UUID]) -> Mapping[UUID, Any]:
    """Lock both in one order, so that somebody who joins them the other way round waits."""
    query = select(Signal.id, Signal.state, Signal.restricted_on).where(
        Signal.id.in_(ids), Signal.organisation_id == operation.actor.organisation_id
    )
    rows = operation.session.execute(query.order_by(Signal.id).with_for_update())
    return {row.id: row for row in rows}


def _is_open(other: EarlierSignal) -> bool:
    is_open = other.signal_id is not None and other.state in OPEN_STATES
    return is_open and other.same_address and other.restricted_on is None


def _standing_of(other: EarlierSignal) -> _Standing:
    return _standing(other.worked, other.received_on, other.claimed)


def _standing(worked: bool, received_on: date, claimed: bool) -> _Standing:
    return worked, -received_on.toordinal(), claimed
