"""Erase everything of an address: on request (art. 17 AVG) or after a valid objection (art. 21 AVG)."""

import uuid
from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from signals.arrival.repeats import at_probe
from signals.audit.admission import Admission
from signals.audit.grounds import Ground
from signals.casework.access import admission
from signals.db import set_local
from signals.models import AddressLink, DeletionOrder, DeletionRecord, Signal
from signals.operation import Operation
from signals.residents.finding import Findings
from signals.residents.requests import Proof, Right, enter, officers_organisation
from signals.retention.orders import order_deletion
from signals.vocabulary import AuditAction, DeletionReason

REASONS = {Right.ERASURE: DeletionReason.ERASURE, Right.OBJECTION: DeletionReason.OBJECTION}


def record_erasure(
    operation: Operation, *, findings: Findings, proof: Proof, right: Right = Right.ERASURE
) -> Admission:
    """Enter an erasure or an objection in the register; return the admission to purge them now.

    The signals include referred ones, because an erasure follows the referral (art. 19 AVG). The links of the
    address go at once. An order stays: the worker deletes whatever `Retention.purge_now` cannot.
    """
    session, ids = operation.session, findings.signal_ids
    set_local(session, subject=",".join(map(str, ids)))  # opens these referred signals and no others
    ground = Ground.ART_17_AVG if right is Right.ERASURE else Ground.ART_21_AVG
    entries = {
        one: operation.record(AuditAction.SIGNAL_ERASED, subject_id=one, ground=ground).id for one in ids
    }
    there = session.execute(select(Signal.id, Signal.case_key_id).where(Signal.id.in_(ids))).all()
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
    return admission(operation, {row.id: row.case_key_id for row in there}, entries)


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
