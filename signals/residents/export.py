"""Export everything that the organisation keeps of an address, for the resident (art. 15 AVG)."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.keystore import Keystore
from signals.audit.grounds import Ground
from signals.casework.access import Admission, admit, notes_of, report_of
from signals.clock import AMSTERDAM
from signals.errors import ContentGone, FieldProblem, Invalid
from signals.lifecycle.status_changes import life_of
from signals.models import AuditEntry, ContactAttempt, Organisation, Signal, StatusChange
from signals.operation import Operation
from signals.residents.finding import Findings
from signals.residents.requests import Proof, Right, enter
from signals.retention.expiry import LINKS_KEPT_DAYS
from signals.retention.periods import DEFAULT_PERIODS, Period
from signals.routing.postcodes import Address
from signals.vocabulary import AuditAction, RetentionRule

RECIPIENTS = ("own_team", "referred_to", "processor")
"""The recipients that the law makes us name to a resident (art. 15(1)(c) AVG)."""


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
    keystore: Keystore,
    findings: Findings,
    admission: Admission,
    organisation: Organisation,
    receivers: Mapping[uuid.UUID, str] = MappingProxyType({}),
    periods: Mapping[RetentionRule, Period] = DEFAULT_PERIODS,
    accesses: Mapping[uuid.UUID, Sequence[AuditEntry]] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return everything that is kept of the address, in the clear, as JSON values; it names no staff.

    `receivers`: names of organisations that received a referral (art. 15(1)(c) AVG). `periods`: how long the
    organisation keeps things (art. 15(1)(d) AVG). `accesses`: see `accesses_to`. A test compares the signals
    with the columns that docs/privacy/velden.md calls the resident's.
    """
    here = {signal.id for signal in findings.signals}
    elsewhere = {signal_id: entries for signal_id, entries in accesses.items() if signal_id not in here}
    return {
        "organisation": organisation.name,
        "legal_basis": organisation.legal_basis,
        "retention_basis": organisation.retention_basis,
        "retention": [
            {"rule": rule.value, "days": period.days, "legal_basis": period.legal_basis}
            for rule, period in periods.items()
        ],
        "earlier_kept_days": LINKS_KEPT_DAYS,
        "recipients": list(RECIPIENTS),
        "source": "een bezorger",
        "signals": [
            _exported(keystore, signal, admission) | {"accesses": _accesses(accesses.get(signal.id, ()))}
            for signal in findings.signals
        ],
        "earlier_signals_received_on": [day.isoformat() for day in findings.deleted_received_on],
        "earlier_signals": [
            {"received_on": link.received_on.isoformat(), "outcome_group": link.outcome_group}
            for link in findings.deleted
        ],
        "referred": [
            {
                "reference": referral.reference,
                "on": referral.referred_on.isoformat(),
                "to": receivers.get(referral.to_organisation_id),
                "reason": referral.reason,
                "accesses": _accesses(elsewhere.get(referral.signal_id, ())),
            }
            for referral in findings.referrals
        ],
    }


def _exported(keystore: Keystore, signal: Signal, admission: Admission) -> dict[str, Any]:
    kept = _reception(signal) | _follow_up(signal)
    try:
        report = report_of(keystore, signal, admission)
        notes = notes_of(keystore, signal, admission)
    except ContentGone:
        return kept | {"content": "deleted"}
    return kept | {
        "address": _address(report.address),
        "concern_types": list(report.summary.concern_types),
        "seen": report.summary.seen,
        "noticed_on": _day(report.noticed_on),
        "note": report.note,
        "follow_up_notes": [{"at": _iso(note.written_at), "text": note.text} for note in notes],
    }


def _reception(signal: Signal) -> dict[str, Any]:
    """Describe how the signal came in, and its deadlines."""
    return {
        "reference": signal.reference,
        "received_on": _day(signal.received_on),
        "unrouted": signal.unrouted,
        "repeat": signal.repeat,
        "team_told": signal.team_notified,
        "state": signal.state,
        "claim_by": _day(signal.claim_by),
        "contact_by": _day(signal.contact_by),
        "conclude_by": _day(signal.conclude_by),
        "due_on": _day(signal.due_on),
    }


def _follow_up(signal: Signal) -> dict[str, Any]:
    """Describe the follow-up, the outcome, and what the resident was told."""
    return {
        "contact_attempts": [_attempt(attempt) for attempt in signal.attempts],
        "postponed_until": _day(signal.postponed_until),
        "first_contact_at": _iso(signal.first_contact_at),
        "concluded_at": _iso(signal.concluded_at),
        "outcome": signal.outcome,
        "referred_to": signal.referred_to,
        "newly_known": signal.newly_known,
        "letter_printed_on": _day(signal.letter_printed_on),
        "notified_on": _day(signal.notified_on),
        "deferred_because": signal.deferred_because,
        "wmo_notified_on": _day(signal.wmo_notified_on),
        "restricted_on": _day(signal.restricted_on),
        "history": [_change(change) for change in life_of(signal)],
    }


def _attempt(attempt: ContactAttempt) -> dict[str, Any]:
    return {
        "kind": attempt.kind,
        "result": attempt.result,
        "at": _iso(attempt.attempted_at),
        "workers": attempt.workers,
        "agreed_for": _day(attempt.postponed_until),
    }


def _change(change: StatusChange) -> dict[str, Any]:
    return {
        "action": change.action,
        "on": _day(change.on),
        "before": change.before,
        "after": change.after,
        "reason": change.reason,
    }


def _accesses(entries: Sequence[AuditEntry]) -> list[dict[str, Any]]:
    return [{"on": _day(entry.at.astimezone(AMSTERDAM).date()), "action": entry.action} for entry in entries]


def _address(address: Address) -> dict[str, Any]:
    return {"postcode": address.postcode, "house_number": address.number, "addition": address.addition}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _iso(moment: datetime | None) -> str | None:
    """Write whole minutes; RFC 3339 wants the seconds too."""
    return moment.replace(second=0, microsecond=0).isoformat() if moment else None
