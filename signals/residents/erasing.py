"""Erasure (art. 17 AVG), or an objection that holds (art. 21): everything of an address goes."""

import uuid

from sqlalchemy import delete
from sqlalchemy.orm import Session

from signals.arrival.repeats import at_probe
from signals.audit.log import Actor, AuditLog
from signals.clock import Clock
from signals.db import set_local
from signals.models import AddressLink
from signals.residents.finding import Findings
from signals.residents.requests import Proof, Right, enter, officers_organisation
from signals.retention import order_deletion
from signals.vocabulary import AuditAction, DeletionReason


def record_erasure(
    session: Session,
    clock: Clock,
    *,
    actor: Actor,
    audit: AuditLog,
    findings: Findings,
    proof: Proof,
    right: Right = Right.ERASURE,
) -> list[uuid.UUID]:
    """Enter an erasure (art. 17) or an objection that holds (art. 21); returns the signals to purge now.

    Signals that were referred are among them: an erasure follows the referral (art. 19). The links of the
    address go at once. An order is left with them: what the caller cannot purge (`Retention.purge_now`),
    the worker does.
    """
    ids = findings.signal_ids
    set_local(session, subject=",".join(map(str, ids)))  # of what was referred on, this and nothing else
    for signal_id in ids:
        audit.record(
            session,
            clock,
            actor=actor,
            action=AuditAction.SIGNAL_ERASED,
            subject_id=signal_id,
            ground="art_17_avg" if right is Right.ERASURE else "art_21_avg",
        )
    session.execute(delete(AddressLink).where(*at_probe(findings.probe)))
    order_deletion(
        session, clock, organisation_id=officers_organisation(actor), signal_ids=ids, reason=_REASONS[right]
    )
    outcome = "nothing_found" if findings.is_empty else "erased"
    enter(session, clock, actor=actor, right=right, proof=proof, outcome=outcome, found=len(ids))
    return ids


_REASONS = {Right.ERASURE: DeletionReason.ERASURE, Right.OBJECTION: DeletionReason.OBJECTION}
