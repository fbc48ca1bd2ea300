"""Make the records of a signal: history, orders and records of deletion, audit entries."""

import factory

from signals.models import AuditEntry, DeletionOrder, DeletionRecord, StatusChange
from signals.vocabulary import Action, AuditAction, DeletionReason, SignalState
from tests.factories.base import EPOCH_DAY, MOMENT, RowFactory, numbered_id


class StatusChangeFactory(RowFactory):
    """A claim as second step; `signal_id` must be given."""

    class Meta:
        model = StatusChange

    id = factory.Sequence(lambda n: numbered_id(0x5C, n))
    sequence = 2
    action = Action.CLAIM
    before = SignalState.NEW
    after = SignalState.CLAIMED
    on = EPOCH_DAY


class DeletionOrderFactory(RowFactory):
    """An erasure that waits for a worker; `organisation_id` must be given."""

    class Meta:
        model = DeletionOrder

    signal_id = factory.Sequence(lambda n: numbered_id(0x51, n))
    reason = DeletionReason.ERASURE
    ordered_on = EPOCH_DAY


class DeletionRecordFactory(RowFactory):
    """A deletion after the conclusion whose key still exists; `organisation_id` must be given."""

    class Meta:
        model = DeletionRecord

    signal_id = factory.Sequence(lambda n: numbered_id(0x51, n))
    reference = factory.Sequence(lambda n: f"{n // 10_000:04d}-{n % 10_000:04d}")
    case_key_id = factory.Sequence(lambda n: numbered_id(0xCA, n))
    reason = DeletionReason.CONCLUDED
    deleted_on = EPOCH_DAY


class AuditEntryFactory(RowFactory):
    """An opening with a wrong MAC, as nobody but an attacker writes it."""

    class Meta:
        model = AuditEntry

    id = factory.Sequence(lambda n: numbered_id(0xAE, n))
    at = MOMENT
    actor_role = "worker"
    action = AuditAction.SIGNAL_OPENED
    ground = ""
    outcome = "ok"
    mac = bytes(32)
