"""Erase everything of an address: on request (art. 17 AVG) or after a valid objection (art. 21 AVG)."""

import uuid
from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from signals.arrival.repeats import at_probe
from signals.audit.grounds import Ground
from signals.db import set_local
from signals.models import AddressLink, DeletionOrder, DeletionRecord
from signals.operation import Operation
from signals.residents.finding import Findings
from signals.residents.requests import Proof, Right, enter, officers_organisation
from signals.retention.orders import order_deletion
from signals.vocabulary import AuditAction, DeletionReason

REASONS = {Right.ERASURE: DeletionReason.ERASURE, Right.OBJECTION: DeletionReason.OBJECTION}


def record_erasure(
    operation: Operation, *, findings: Findings, proof: Proof, right: Right = Right.ERASURE
) -> list[uuid.UUID]:
    """Enter an erasure or an objection in the register; return the ids of the signals to purge now.

    The ids include referred signals, because an erasure follows the referral (art. 19 AVG). The links of the
    address go at once. An order stays: the worker deletes whatever `Retention.purge_now` cannot.
    """
    session, ids = operation.session, findings.signal_ids
    set_local(session, subject=",".join(map(str, ids)))  # opens these referred signals and no others
    for signal_id in ids:
        ground = Ground.ART_17_AVG if right is Right.ERASURE else Ground.ART_21_AVG
        operation.record(AuditAction.SIGNAL_ERASED, subject_id=signal_id, ground=ground)
    session.execute(delete(AddressLink).where(*at_probe(findings.probe)))
    order_deletion(
        session,
        operation.clock,
        organisation_id=officers_organisation(operation.actor),
        signal_ids=ids,
        reason=REASONS[right],
    )
    outcome = "nothing_found" if findings.is_empty else "erased"
    enter(operation, right=right, proof=proof, outcome=outcome, found=len(ids))
    return ids


def are_erased(session: Session, signal_ids: Collection[uuid.UUID], right: Right) -> bool:
    """Return whether all of these signals are deleted for this right, or ordered to be."""
    found = {
        signal_id
        for kept in (DeletionRecord, DeletionOrder)
        for signal_id in session.scalars(
            select(kept.signal_id).where(kept.signal_id.in_(signal_ids), kept.reason == REASONS[right])
        )
    }
    return found == set(signal_ids)
