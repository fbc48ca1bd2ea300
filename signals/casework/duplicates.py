"""Two reports of one concern: one is concluded as a duplicate, in one step, and the worked one goes on."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.log import Actor, AuditLog
from signals.casework.claims import claim
from signals.casework.earlier import EarlierSignal, is_worked
from signals.casework.work import conclude
from signals.clock import Clock
from signals.errors import Conflict, OtherRestricted
from signals.models import Signal
from signals.vocabulary import Outcome, SignalState

_Standing = tuple[bool, int, bool]


def to_join(signal: Signal, earlier: Iterable[EarlierSignal]) -> EarlierSignal | None:
    """The open signal at exactly this address that this one may be joined into; None where this one goes on.

    The one goes on at which more was done; of two alike the earlier one; of one day the one that somebody
    has. None once either is concluded, too: a signal after a conclusion is a concern of its own; nor into one
    that nobody may work on (art. 18 AVG): no help would come of it.
    """
    if signal.state is SignalState.CONCLUDED:
        return None
    own = _standing(is_worked(signal), signal.received_on, signal.claimed_by_id is not None)
    others = ((_standing_of(other), other) for other in earlier if _is_open(other))
    going_on = [found for found in others if found[0] >= own]
    return max(going_on, key=itemgetter(0))[1] if going_on else None


def conclude_as_duplicate(
    session: Session,
    clock: Clock,
    *,
    signal_id: UUID,
    earlier_id: UUID,
    actor: Actor,
    audit: AuditLog,
    expected_version: int | None = None,
) -> Signal:
    """Claim it where nobody has it, and conclude it with `duplicate`, in one transaction.

    `earlier_id`: the one that goes on. Raises `Conflict` when that does not any more, for somebody concluded
    it or joined it with this one; `OtherRestricted` when nobody may work on that; and what `claim` and
    `conclude` raise.
    """
    held = _held(session, actor, {signal_id, earlier_id})
    signal = claim(
        session, clock, signal_id=signal_id, actor=actor, audit=audit, expected_version=expected_version
    )
    _refuse_unless_going_on(held.get(earlier_id) if earlier_id != signal_id else None)
    session.flush()  # `conclude` reads the row afresh, under its lock
    return conclude(session, clock, signal_id=signal.id, actor=actor, audit=audit, outcome=Outcome.DUPLICATE)


def _refuse_unless_going_on(earlier: Any) -> None:
    if earlier is None or earlier.state is SignalState.CONCLUDED:
        raise Conflict
    if earlier.restricted_on is not None:
        raise OtherRestricted


def _held(session: Session, actor: Actor, ids: Collection[UUID]) -> Mapping[UUID, Any]:
    """Locked, and in one order: who joins the two the other way round comes before or after, never beside."""
    query = select(Signal.id, Signal.state, Signal.restricted_on).where(
        Signal.id.in_(ids), Signal.organisation_id == actor.organisation_id
    )
    return {row.id: row for row in session.execute(query.order_by(Signal.id).with_for_update())}


def _is_open(other: EarlierSignal) -> bool:
    alive = other.signal_id is not None and other.state not in (None, SignalState.CONCLUDED)
    return alive and other.same_address and other.restricted_on is None


def _standing_of(other: EarlierSignal) -> _Standing:
    return _standing(other.worked, other.received_on, other.claimed)


def _standing(worked: bool, received_on: date, claimed: bool) -> _Standing:
    return worked, -received_on.toordinal(), claimed
