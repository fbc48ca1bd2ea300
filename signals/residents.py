"""Residents' rights (art. 15-18 and 21 AVG) inside one organisation: find, export, mend, restrict, erase.

A resident is found by address, through the pseudonym. An address alone proves nothing (an ex-partner,
a landlord), so an export and an erasure ask for recorded proof of identity and of residence. The
register keeps that it was done, never what.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, selectinload

from privacy.keystore import Keystore
from signals.audit import Actor, AuditLog, require_role
from signals.clock import AMSTERDAM, Clock, today
from signals.contents import Report, Summary, case_context, open_report, seal_for_case
from signals.db import set_local
from signals.errors import ContentGone, FieldProblem, Forbidden, Invalid, NotFound
from signals.followup import life_of
from signals.models import (
    AddressLink,
    AuditEntry,
    ContactAttempt,
    DeletionRecord,
    FollowUpNote,
    Organisation,
    Referral,
    RegisterEntry,
    Signal,
    StatusChange,
)
from signals.models.base import new_id
from signals.postcodes import Address
from signals.referral import referred_away
from signals.repeats import Probe, probes_for
from signals.retention import DEFAULT_PERIODS, LINKS_KEPT_DAYS, Period, order_deletion
from signals.triage.notes import open_notes, seal_note
from signals.vocabulary import AuditAction, ConcernType, DeletionReason, RetentionRule, Role

MAX_STATEMENT = 1000
STATEMENT_HEAD = "Aanvullende verklaring van de bewoner (art. 16 AVG):"
RECIPIENTS = ("own_team", "referred_to", "processor")
"""Who may receive what is kept of a resident (art. 15(1)(c) AVG)."""


class Right(StrEnum):
    """The rights of the AVG that a request can be about."""

    ACCESS = "access"  # art. 15
    RECTIFICATION = "rectification"  # art. 16
    ERASURE = "erasure"  # art. 17
    RESTRICTION = "restriction"  # art. 18
    OBJECTION = "objection"  # art. 21


class IdentityProof(StrEnum):
    """How the privacy officer made sure of who asks."""

    SEEN_IN_PERSON = "seen_in_person"
    DIGID = "digid"
    KNOWN_CLIENT = "known_client"
    AUTHORISED = "authorised"  # by a written authorisation


class ResidenceProof(StrEnum):
    """How the privacy officer made sure that the person lives or lived there."""

    BRP = "brp"
    LETTER_ANSWERED = "letter_answered"  # a code sent to the address came back
    VISITED = "visited"
    DOCUMENT = "document"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was checked before content leaves or is deleted; `third_parties`: art. 15(4) was looked at."""

    identity: IdentityProof
    residence: ResidenceProof
    third_parties: bool


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the organisation has on an address: live signals, links of deleted ones, and what it referred."""

    probe: Probe = field(repr=False)
    signals: Sequence[Signal]
    deleted: Sequence[AddressLink] = field(repr=False)
    referrals: Sequence[Referral]

    @property
    def deleted_received_on(self) -> list[date]:
        """When those came in that were deleted, oldest first."""
        return [link.received_on for link in self.deleted]


@dataclass(frozen=True, kw_only=True)
class ReferenceAnswer:
    """What is said of a reference: the signal, or that and when it was deleted or referred."""

    signal: Signal | None = None
    deleted_on: date | None = None
    referred_on: date | None = None
    referred_to: str | None = None


def find_by_reference(session: Session, *, organisation_id: uuid.UUID, reference: str) -> ReferenceAnswer:
    """What may be said of a reference on a letter; raises `NotFound` when the organisation never had it."""
    normal = "".join(reference.split()).upper()
    owned = select(Signal).where(Signal.organisation_id == organisation_id, Signal.reference == normal)
    if (signal := session.scalar(owned)) is not None:
        return ReferenceAnswer(signal=signal)
    if (referral := referred_away(session, organisation_id=organisation_id, reference=normal)) is not None:
        receiver = session.get_one(Organisation, referral.to_organisation_id)
        return ReferenceAnswer(referred_on=referral.referred_on, referred_to=receiver.name)
    gone = select(DeletionRecord.deleted_on).where(
        DeletionRecord.organisation_id == organisation_id, DeletionRecord.reference == normal
    )
    if (deleted_on := session.scalar(gone)) is not None:
        return ReferenceAnswer(deleted_on=deleted_on)
    raise NotFound


def find_by_address(
    session: Session,
    clock: Clock,
    *,
    keystore: Keystore,
    actor: Actor,
    audit: AuditLog,
    address: Address,
) -> Findings:
    """Everything of the officer's own organisation at exactly this address; the search itself is audited."""
    organisation_id = _officer(actor)
    (probe,) = probes_for(keystore, [(organisation_id, address)], today(clock))
    links = session.scalars(
        select(AddressLink).where(
            AddressLink.organisation_id == organisation_id,
            AddressLink.house_pseudonym.in_(probe.house),
            AddressLink.pseudonym.in_(probe.exact),
        )
    ).all()
    ids = [link.signal_id for link in links if link.signal_id is not None]
    signals = session.scalars(
        select(Signal)
        .where(Signal.id.in_(ids), Signal.organisation_id == organisation_id)
        .options(selectinload(Signal.attempts), selectinload(Signal.notes), selectinload(Signal.history))
        .order_by(Signal.received_on, Signal.id)
    ).all()
    referrals = session.scalars(
        select(Referral).where(Referral.signal_id.in_(ids), Referral.from_organisation_id == organisation_id)
    ).all()
    audit.record(session, clock, actor=actor, action=AuditAction.SEARCHED, ground="right_of_resident")
    return Findings(
        probe=probe,
        signals=signals,
        deleted=sorted((link for link in links if link.signal_id is None), key=lambda link: link.received_on),
        referrals=referrals,
    )


def record_export(
    session: Session,
    clock: Clock,
    *,
    actor: Actor,
    audit: AuditLog,
    findings: Findings,
    proof: Proof,
) -> None:
    """Enter an access request before its content is read: commit this, then call `export_of`.

    Raises `Invalid` when third parties were not looked at (art. 15(4) AVG).
    """
    if not proof.third_parties:
        raise Invalid(FieldProblem(field="third_parties", code="required"))
    for signal in findings.signals:
        audit.record(
            session,
            clock,
            actor=actor,
            action=AuditAction.EXPORTED,
            subject_id=signal.id,
            ground="art_15_avg",
        )
    _enter(
        session, clock, actor=actor, right=Right.ACCESS, proof=proof, findings=findings, outcome="exported"
    )


def accesses_to(session: Session, findings: Findings) -> Mapping[uuid.UUID, Sequence[AuditEntry]]:
    """Who looked into each live signal or changed it, oldest first: of the own organisation's trail.

    When and for what is the resident's to know, who it was is not (Court of Justice, C-579/21).
    """
    found: dict[uuid.UUID, list[AuditEntry]] = {signal.id: [] for signal in findings.signals}
    query = select(AuditEntry).where(
        AuditEntry.organisation_id == findings.probe.organisation_id, AuditEntry.subject_id.in_(found)
    )
    for entry in session.scalars(query.order_by(AuditEntry.at, AuditEntry.id)):
        assert entry.subject_id is not None
        found[entry.subject_id].append(entry)
    return found


def export_of(
    keystore: Keystore,
    findings: Findings,
    organisation: Organisation,
    receivers: Mapping[uuid.UUID, str] = MappingProxyType({}),
    periods: Mapping[RetentionRule, Period] = DEFAULT_PERIODS,
    accesses: Mapping[uuid.UUID, Sequence[AuditEntry]] = MappingProxyType({}),
) -> dict[str, Any]:
    """All that is kept of the address, in the clear, as JSON values; staff are not named.

    `receivers`: the names of organisations that signals were referred to (art. 15(1)(c) AVG). `periods`: how
    long the organisation keeps what (art. 15(1)(d)). `accesses`: see `accesses_to`. A test holds the signals
    against the columns that docs/privacy/velden.md calls the resident's.
    """
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
            _exported(keystore, signal) | {"accesses": _accesses(accesses.get(signal.id, ()))}
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
            }
            for referral in findings.referrals
        ],
    }


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What is put right (art. 16 AVG): the address; and of what was said at it what does not hold.

    `withdrawn`: kinds of concern that go. `drop_seen`, `drop_noticed_on`, `drop_note`: how often it was seen,
    the day and the carrier's note go. `statement`: the resident's own supplementary statement, kept sealed
    among the notes.
    """

    address: Address = field(repr=False)
    withdrawn: frozenset[ConcernType] = field(default=frozenset(), repr=False)
    drop_seen: bool = False
    drop_noticed_on: bool = False
    drop_note: bool = False
    statement: str = field(default="", repr=False)

    def of(self, report: Report) -> Report:
        """The report as it should have been."""
        left = tuple(kind for kind in report.summary.concern_types if kind not in self.withdrawn)
        return replace(
            report,
            address=self.address,
            summary=Summary(concern_types=left, seen=None if self.drop_seen else report.summary.seen),
            noticed_on=None if self.drop_noticed_on else report.noticed_on,
            note=None if self.drop_note else report.note,
        )


def rectify(
    session: Session,
    clock: Clock,
    *,
    keystore: Keystore,
    actor: Actor,
    audit: AuditLog,
    signal_id: uuid.UUID,
    correction: Correction,
    proof: Proof,
) -> Signal:
    """Correct a signal (art. 16): sealed anew, its link moved to the right address.

    Raises `Invalid` for a statement of more than 1,000 characters, `ContentGone` when the key was destroyed.
    """
    signal = _own(session, actor, signal_id)
    statement = correction.statement.strip()
    if len(statement) > MAX_STATEMENT:
        raise Invalid(FieldProblem(field="statement", code="too_long"))
    key = keystore.case_keys([signal.case_key_id]).get(signal.case_key_id)
    if key is None:
        raise ContentGone
    report = correction.of(open_report(keystore, signal))
    signal.content, signal.summary = seal_for_case(report, key, case_context(signal))
    signal.version += 1
    if statement:
        _add_statement(session, clock, keystore, actor, signal, statement)
    _move_link(session, keystore, signal, report, today(clock))
    _audited(session, clock, audit, actor, signal, AuditAction.SIGNAL_RECTIFIED, "art_16_avg")
    _enter(session, clock, actor=actor, right=Right.RECTIFICATION, proof=proof, outcome="rectified", found=1)
    return signal


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
    """Set or lift a restriction (art. 18): the signal is kept, not worked on and not purged meanwhile."""
    signal = _own(session, actor, signal_id)
    signal.restricted_on = None if lift else today(clock)
    signal.version += 1
    outcome = "lifted" if lift else "restricted"
    _audited(session, clock, audit, actor, signal, AuditAction.SIGNAL_RESTRICTED, "art_18_avg")
    _enter(session, clock, actor=actor, right=Right.RESTRICTION, proof=proof, outcome=outcome, found=1)
    return signal


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
    ids = [*(s.id for s in findings.signals), *(r.signal_id for r in findings.referrals)]
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
    _forget_links(session, findings.probe)
    order_deletion(session, clock, organisation_id=_officer(actor), signal_ids=ids, reason=_REASONS[right])
    _enter(session, clock, actor=actor, right=right, proof=proof, findings=findings, outcome="erased")
    return list(dict.fromkeys(ids))


_REASONS = {Right.ERASURE: DeletionReason.ERASURE, Right.OBJECTION: DeletionReason.OBJECTION}


def register(session: Session, *, organisation_id: uuid.UUID, limit: int = 200) -> Sequence[RegisterEntry]:
    """The organisation's register of requests, newest first."""
    query = (
        select(RegisterEntry)
        .where(RegisterEntry.organisation_id == organisation_id)
        .order_by(RegisterEntry.recorded_on.desc(), RegisterEntry.id)
        .limit(limit)
    )
    return session.scalars(query).all()


def _officer(actor: Actor) -> uuid.UUID:
    """The organisation of a privacy officer; never another's."""
    require_role(actor, Role.PRIVACY_OFFICER)
    if actor.organisation_id is None:
        raise Forbidden
    return actor.organisation_id


def _own(session: Session, actor: Actor, signal_id: uuid.UUID) -> Signal:
    query = select(Signal).where(Signal.id == signal_id, Signal.organisation_id == _officer(actor))
    signal = session.scalar(query.with_for_update())
    if signal is None:
        raise NotFound
    return signal


def _exported(keystore: Keystore, signal: Signal) -> dict[str, Any]:
    kept = _reception(signal) | _follow_up(signal)
    try:
        report = open_report(keystore, signal)
        notes = open_notes(keystore, signal)
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
    """How a signal came in, and by when what is to be done."""
    return {
        "reference": signal.reference,
        "received_on": _day(signal.received_on),
        "unrouted": signal.unrouted,
        "repeat": signal.repeat,
        "team_told": signal.team_told,
        "state": signal.state,
        "claim_by": _day(signal.claim_by),
        "contact_by": _day(signal.contact_by),
        "conclude_by": _day(signal.conclude_by),
        "due_on": _day(signal.due_on),
    }


def _follow_up(signal: Signal) -> dict[str, Any]:
    """What was done about it, what came of it, and what the resident was told."""
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
    return moment.isoformat(timespec="minutes") if moment else None


def _add_statement(
    session: Session, clock: Clock, keystore: Keystore, actor: Actor, signal: Signal, statement: str
) -> None:
    assert actor.id is not None
    note = FollowUpNote(
        id=new_id(),
        signal_id=signal.id,
        sealed_text=b"",
        written_by_id=actor.id,
        written_at=clock.now(),
    )
    seal_note(keystore, signal, note, f"{STATEMENT_HEAD}\n{statement}")
    session.add(note)


def _move_link(session: Session, keystore: Keystore, signal: Signal, report: Report, on: date) -> None:
    (probe,) = probes_for(keystore, [(signal.organisation_id, report.address)], on)
    session.execute(
        delete(AddressLink).where(
            AddressLink.signal_id == signal.id, AddressLink.organisation_id == signal.organisation_id
        )
    )
    session.add(
        AddressLink(
            organisation_id=signal.organisation_id,
            quarter=probe.quarter,
            pseudonym=probe.exact[0],
            house_pseudonym=probe.house[0],
            received_on=signal.received_on,
            signal_id=signal.id,
        )
    )


def _forget_links(session: Session, probe: Probe) -> None:
    session.execute(
        delete(AddressLink).where(
            AddressLink.organisation_id == probe.organisation_id,
            AddressLink.house_pseudonym.in_(probe.house),
            AddressLink.pseudonym.in_(probe.exact),
        )
    )


def _audited(
    session: Session,
    clock: Clock,
    audit: AuditLog,
    actor: Actor,
    signal: Signal,
    action: AuditAction,
    ground: str,
) -> None:
    audit.record(session, clock, actor=actor, action=action, subject_id=signal.id, ground=ground)


def _enter(
    session: Session,
    clock: Clock,
    *,
    actor: Actor,
    right: Right,
    proof: Proof,
    outcome: str,
    findings: Findings | None = None,
    found: int | None = None,
) -> None:
    """Write the register: that, when and by whom; never the address nor what was found."""
    assert actor.id is not None
    session.add(
        RegisterEntry(
            organisation_id=_officer(actor),
            right=right,
            recorded_on=today(clock),
            recorded_by_id=actor.id,
            signals_found=len(findings.signals) if findings else found or 0,
            identity_checked=proof.identity,
            residence_checked=proof.residence,
            third_parties_checked=proof.third_parties,
            outcome=outcome,
        )
    )
    session.flush()
