"""Restrict a signal (art. 18 AVG): it is kept, and nobody works on it."""

import uuid

from signals.audit.grounds import Ground
from signals.errors import Conflict, StaleVersion
from signals.models import Signal
from signals.operation import Operation
from signals.residents.requests import Proof, Right, enter, own_signal, was_last_step
from signals.vocabulary import AuditAction


def restrict(
    operation: Operation,
    *,
    signal_id: uuid.UUID,
    proof: Proof,
    lift: bool = False,
    expected_version: int | None = None,
) -> Signal:
    """Set or lift a restriction. While it lasts, nobody works on the signal and no run purges it.

    A second request keeps the first day. Raises `Conflict` when there is no restriction to lift, and
    `StaleVersion` when the signal changed since `expected_version`, unless this step did so.
    """
    signal = own_signal(operation, signal_id)
    if was_last_step(operation, signal, AuditAction.SIGNAL_RESTRICTED, expected_version):
        if (signal.restricted_on is None) is not lift:
            raise StaleVersion
        return signal
    if lift and signal.restricted_on is None:
        raise Conflict
    signal.restricted_on = None if lift else signal.restricted_on or operation.today
    signal.version += 1
    outcome = "lifted" if lift else "restricted"
    operation.record(
        AuditAction.SIGNAL_RESTRICTED, subject_id=signal.id, ground=Ground.ART_18_AVG, outcome=outcome
    )
    enter(operation, right=Right.RESTRICTION, proof=proof, outcome=outcome, found=1)
    return signal
