"""Residents' rights in the own organisation: audit and register are committed before content leaves."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from structlog import get_logger

from signals import residents
from signals.casework import find_signal
from signals.db import set_local
from signals.errors import StaleVersion
from signals.models import (
    AuditEntry,
    DeletionOrder,
    DeletionRecord,
    Organisation,
    Signal,
)
from signals.residents import Correction, Findings, Proof, Right
from signals.retention import periods_of
from signals.routing.postcodes import Address
from signals.staff.signing_in import lock_member
from signals.vocabulary import AuditAction, DeletionReason
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.opened import changing, organisation_id
from signals.web.staff_kit.referring import retention

log = get_logger(__name__)

_REASONS: Final = {Right.ERASURE: DeletionReason.ERASURE, Right.OBJECTION: DeletionReason.OBJECTION}


@dataclass(frozen=True, kw_only=True)
class Held:
    """All that the organisation has about an address; `receivers`: names by organisation id."""

    findings: Findings = field(repr=False)
    receivers: dict[UUID, str]

    @property
    def signals(self) -> Sequence[Signal]:
        return self.findings.signals

    @property
    def deleted_received_on(self) -> Sequence[date]:
        return self.findings.deleted_received_on

    @property
    def referrals(self) -> Sequence[Mapping[str, Any]]:
        """Return each referral with the organisation that received it."""
        return [
            {
                "reference": referral.reference,
                "referred_on": referral.referred_on,
                "organisation": {
                    "id": referral.to_organisation_id,
                    "name": self.receivers[referral.to_organisation_id],
                },
            }
            for referral in self.findings.referrals
        ]


@dataclass(frozen=True, kw_only=True)
class Erased:
    """The number of signals: all, and those that another organisation had by referral.

    `at_once` is False when the worker deletes the rest within seconds.
    """

    signals: int
    elsewhere: int
    at_once: bool


def find(address: Address) -> Held:
    """Find what there is on exactly this address; the search is audited first."""
    with desk().sessions.begin() as session:
        findings = _find(session, address)
        receivers = _receivers(session, findings)
    return Held(findings=findings, receivers=receivers)


def export(address: Address, proof: Proof) -> dict[str, Any]:
    """Return all data about an address, in the clear (art. 15 AVG); register and audit come first."""
    context = desk()
    with context.sessions.begin() as session:
        findings = _find(session, address)
        residents.record_export(
            session,
            context.clock,
            actor=current().actor,
            audit=context.audit,
            findings=findings,
            proof=proof,
        )
        organisation = session.get_one(Organisation, organisation_id())
        receivers = _receivers(session, findings)
        periods = periods_of(session, organisation.id)
        accesses = residents.accesses_to(session, findings)
    return residents.export_of(context.keystore, findings, organisation, receivers, periods, accesses)


def erase(address: Address, proof: Proof, right: Right, *, seen: Collection[UUID] = ()) -> Erased:
    """Delete everything of an address, wherever it was referred (art. 17, 19 and 21 AVG).

    `seen`: the signals that the page showed. If exactly these are erased already, or ordered to be, somebody
    pressed the button twice: the answer is the same, and the register has one entry.

    Register, audit and orders are committed first. Then this process deletes what it can; the worker deletes
    the rest by the orders (another process may hold a row, or this one may not delete).
    """
    context = desk()
    with context.sessions.begin() as session:
        # The second of two simultaneous presses waits here, and then sees the first.
        lock_member(session, current().member.id)
        findings = _find(session, address)
        if seen and _are_erased(session, {*seen, *(signal.id for signal in findings.signals)}, right):
            return Erased(signals=len(seen), elsewhere=0, at_once=not findings.signals)
        ids = residents.record_erasure(
            session,
            context.clock,
            actor=current().actor,
            audit=context.audit,
            findings=findings,
            proof=proof,
            right=right,
        )
    own = {signal.id for signal in findings.signals}
    at_once = _purge_now(ids, _REASONS[right])
    return Erased(signals=len(ids), elsewhere=len(set(ids) - own), at_once=at_once)


def rectify(
    signal_id: UUID, correction: Correction, proof: Proof, *, expected_version: int | None = None
) -> Signal:
    """Correct a signal (art. 16 AVG); raises `StaleVersion` when it changed since it was read."""
    context = desk()
    with changing(signal_id) as session:
        done = _done_already(session, signal_id, AuditAction.SIGNAL_RECTIFIED, expected_version)
        if done:
            _refuse_unless(residents.is_rectified(context.keystore, context.clock, done, correction))
        return done or residents.rectify(
            session,
            context.clock,
            keystore=context.keystore,
            actor=current().actor,
            audit=context.audit,
            signal_id=signal_id,
            correction=correction,
            proof=proof,
        )


def restrict(signal_id: UUID, proof: Proof, *, lift: bool, expected_version: int | None = None) -> Signal:
    """Set a restriction or lift it (art. 18 AVG); raises `StaleVersion` when it changed since it was read."""
    context = desk()
    with changing(signal_id) as session:
        done = _done_already(session, signal_id, AuditAction.SIGNAL_RESTRICTED, expected_version)
        if done:
            _refuse_unless((done.restricted_on is None) is lift)
        return done or residents.restrict(
            session,
            context.clock,
            actor=current().actor,
            audit=context.audit,
            signal_id=signal_id,
            proof=proof,
            lift=lift,
        )


def _done_already(
    session: Session, signal_id: UUID, action: AuditAction, version: int | None
) -> Signal | None:
    """Return the signal when the caller's last step on this version was of this kind, else None.

    Then somebody pressed the button twice. Raises `StaleVersion` when anything else changed the signal.
    """
    if version is None:
        return None
    own = organisation_id()
    signal = find_signal(session, organisation_id=own, signal_id=signal_id, for_update=True)
    if signal.version == version:
        return None
    of_signal = AuditEntry.organisation_id == own, AuditEntry.subject_id == signal_id
    last = session.scalars(
        select(AuditEntry).where(*of_signal).order_by(AuditEntry.at.desc()).limit(1)
    ).first()
    did = (last.action, last.actor_id) if last else None
    if signal.version == version + 1 and did == (action, current().actor.id):
        return signal
    raise StaleVersion


def _refuse_unless(same: bool) -> None:
    """Raise `StaleVersion` for a second form of one version that asks for something else."""
    if not same:
        raise StaleVersion


def _are_erased(session: Session, ids: Collection[UUID], right: Right) -> bool:
    """Return whether all of these are deleted for this right, or ordered to be."""
    gone = select(DeletionRecord.signal_id).where(
        DeletionRecord.signal_id.in_(ids), DeletionRecord.reason == _REASONS[right]
    )
    ordered = select(DeletionOrder.signal_id).where(
        DeletionOrder.signal_id.in_(ids), DeletionOrder.reason == _REASONS[right]
    )
    return set(ids) == {*session.scalars(gone), *session.scalars(ordered)}


def _receivers(session: Session, findings: Findings) -> dict[UUID, str]:
    ids = {referral.to_organisation_id for referral in findings.referrals}
    names = session.execute(select(Organisation.id, Organisation.name).where(Organisation.id.in_(ids)))
    return {row.id: row.name for row in names}


def _find(session: Session, address: Address) -> Findings:
    context = desk()
    return residents.find_by_address(
        session,
        context.clock,
        keystore=context.keystore,
        actor=current().actor,
        audit=context.audit,
        address=address,
    )


def _purge_now(ids: Sequence[UUID], reason: DeletionReason) -> bool:
    """Delete the signals now; return whether nothing is left for the worker."""
    try:
        retention().purge_now(desk().clock, ids, reason)
    except (SQLAlchemyError, OSError) as error:
        log.info("desk.erasure_left_to_the_worker", cause=type(error).__name__)
        return False
    with desk().reading() as session:
        set_local(session, subject=",".join(map(str, ids)))
        return session.scalar(select(Signal.id).where(Signal.id.in_(ids)).limit(1)) is None
