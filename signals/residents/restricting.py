"""Restriction (art. 18 AVG): a signal is kept, and nobody works on it."""

import uuid

from sqlalchemy.orm import Session

from signals.audit.log import Actor, AuditLog
from signals.clock import Clock, today
from signals.errors import Conflict
from signals.models import Signal
from signals.residents.requests import Proof, Right, enter, own_signal
from signals.vocabulary import AuditAction


def restrict(
    session: Session,
    clock: Clock,
    *,
    actor: Actor,
    audit: AuditLog,
    signal_id: uuid.UUID,
    proof: Proof,
    lift: bool = False,
) -> Signal:
    """Set or lift a restriction (art. 18): the signal is kept, not worked on and not purged meanwhile.

    One that is asked for again stays of the day on which it was set. Raises `Conflict` where there is none to
    lift.
    """
    signal = own_signal(session, actor, signal_id)
    if lift and signal.restricted_on is None:
        raise Conflict
    signal.restricted_on = None if lift else signal.restricted_on or today(clock)
    signal.version += 1
    outcome = "lifted" if lift else "restricted"
    audit.record(
        session,
        clock,
        actor=actor,
        action=AuditAction.SIGNAL_RESTRICTED,
        subject_id=signal.id,
        ground="art_18_avg",
        outcome=outcome,
    )
    enter(session, clock, actor=actor, right=Right.RESTRICTION, proof=proof, outcome=outcome, found=1)
    return signal
