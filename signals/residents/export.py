"""Export everything that the organisation keeps of an address, for the resident (art. 15 AVG)."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.admission import Admission
from signals.audit.grounds import Ground
from signals.casework.access import admit, notes_of, report_of
from signals.casework.sealing import OpenedNote
from signals.errors import ContentGone, FieldProblem, Invalid
from signals.intake.content import Report
from signals.lifecycle.status_changes import life_of
from signals.models import AddressLink, AuditEntry, Organisation, Referral, Signal, StatusChange
from signals.operation import Operation
from signals.residents.finding import Findings
from signals.residents.requests import Proof, Right, enter
from signals.retention.periods import DEFAULT_PERIODS, Period
from signals.vocabulary import AttemptKind, AuditAction, RetentionRule

RECIPIENTS = ("own_team", "referred_to", "processor")
"""The recipients that the law makes us name to a resident (art. 15(1)(c) AVG)."""


@dataclass(frozen=True, kw_only=True)
class OpenedContent:
    """Hold the content of a signal in the clear."""

    report: Report = field(repr=False)
    notes: Sequence[OpenedNote] = field(repr=False)
    former_notes: Sequence[OpenedNote] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ExportedSignal:
    """Hold a signal with its content (None when its key was destroyed) and its audit entries."""

    signal: Signal
    opened: OpenedContent | None
    accesses: Sequence[AuditEntry]
    drawn_order: Sequence[AttemptKind] = ()

    @property
    def history(self) -> Sequence[StatusChange]:
        return life_of(self.signal)


@dataclass(frozen=True, kw_only=True)
class ExportedReferral:
    """Hold a referral, the name of its receiver, and the audit entries that the sender has of the signal."""

    referral: Referral
    to: str | None
    accesses: Sequence[AuditEntry]


@dataclass(frozen=True, kw_only=True)
class Export:
    """Hold everything that the organisation keeps of an address; `earlier`: links of deleted signals."""

    organisation: Organisation
    periods: Mapping[RetentionRule, Period]
    signals: Sequence[ExportedSignal]
    earlier: Sequence[AddressLink]
    referred: Sequence[ExportedReferral]

    @property
    def retention(self) -> list[dict[str, Any]]:
        return [{"rule": rule, **vars(period)} for rule, period in self.periods.items()]

    @property
    def earlier_received_on(self) -> list[date]:
        return [link.received_on for link in self.earlier]


def record_export(operation: Operation, *, findings: Findings, proof: Proof) -> Admission:
    """Enter an access request; commit this, then call `export_of` with the admission.

    Raises `Invalid` when the officer does not promise to take out what concerns others (art. 15(4) AVG). The
    officer sees no content before there is a file, and checks the file before handing it over.
    """
    if not proof.third_parties:
        raise Invalid(FieldProblem(field="third_parties", code="required"))
    ids = [signal.id for signal in findings.signals]
    admission = admit(operation, ids, AuditAction.EXPORTED, ground=Ground.ART_15_AVG)
    outcome = "nothing_found" if findings.is_empty else "exported"
    enter(operation, right=Right.ACCESS, proof=proof, outcome=outcome, found=len(ids))
    return admission


def accesses_to(session: Session, findings: Findings) -> Mapping[uuid.UUID, Sequence[AuditEntry]]:
    """Return the audit entries of each found signal, oldest first, also of those that were referred.

    The resident may know when and why somebody opened a signal, and not who (Court of Justice, C-579/21).
    """
    found: dict[uuid.UUID, list[AuditEntry]] = {signal.id: [] for signal in findings.signals}
    found |= {referral.signal_id: [] for referral in findings.referrals if referral.signal_id not in found}
    query = select(AuditEntry).where(
        AuditEntry.organisation_id == findings.probe.organisation_id, AuditEntry.subject_id.in_(found)
    )
    for entry in session.scalars(query.order_by(AuditEntry.at, AuditEntry.id)):
        if entry.subject_id is not None:
            found[entry.subject_id].append(entry)
    return found


def export_of(
    findings: Findings,
    admission: Admission,
    organisation: Organisation,
    receivers: Mapping[uuid.UUID, str] = MappingProxyType({}),
    periods: Mapping[RetentionRule, Period] = DEFAULT_PERIODS,
    accesses: Mapping[uuid.UUID, Sequence[AuditEntry]] = MappingProxyType({}),
    orders: Mapping[uuid.UUID, Sequence[AttemptKind]] = MappingProxyType({}),
) -> Export:
    """Return everything that is kept of the address, in the clear; `ExportedSchema` writes it without staff.

    `receivers`: names of organisations that received a referral (art. 15(1)(c) AVG). `periods`: how long the
    organisation keeps things (art. 15(1)(d) AVG). `accesses`: see `accesses_to`. `orders`: what comparisons
    drew. A test compares the signals with the columns that docs/privacy/velden.md calls the resident's.
    """
    here = {signal.id for signal in findings.signals}
    return Export(
        organisation=organisation,
        periods=periods,
        signals=[
            ExportedSignal(
                signal=signal,
                opened=_opened(signal, admission),
                accesses=accesses.get(signal.id, ()),
                drawn_order=orders.get(signal.id, ()),
            )
            for signal in findings.signals
        ],
        earlier=findings.deleted,
        referred=[
            ExportedReferral(
                referral=referral,
                to=receivers.get(referral.to_organisation_id),
                accesses=() if referral.signal_id in here else accesses.get(referral.signal_id, ()),
            )
            for referral in findings.referrals
        ],
    )


def _opened(signal: Signal, admission: Admission) -> OpenedContent | None:
    try:
        return OpenedContent(
            report=report_of(signal, admission),
            notes=notes_of(signal, admission),
            former_notes=notes_of(signal, admission, former=True),
        )
    except ContentGone:
        return None
