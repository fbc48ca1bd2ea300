"""Residents' rights in the own organisation: audit and register are committed before content leaves."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from structlog import get_logger

from signals.audit.admission import Admission
from signals.audit.grounds import Ground
from signals.casework.access import organisation_of
from signals.comparisons.draws import drawn_order
from signals.db import set_local
from signals.models import Organisation, Signal
from signals.residents import rectifying, restricting
from signals.residents.erasing import REASONS, are_erased, record_erasure
from signals.residents.export import Export, accesses_to, export_of, record_export
from signals.residents.finding import Findings, find_by_address
from signals.residents.rectifying import Correction
from signals.residents.requests import Proof, Right
from signals.retention.periods import periods_of
from signals.routing.postcodes import Address
from signals.staff.sign_in import lock_member
from signals.vocabulary import DeletionReason
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import desk, operation
from signals.web.staff_kit.referring import retention

log = get_logger(__name__)


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
    with operation() as begun:
        findings = find_by_address(begun, address=address)
        receivers = _receivers(begun.session, findings)
    return Held(findings=findings, receivers=receivers)


def export(address: Address, proof: Proof) -> Export:
    """Return all data about an address, in the clear (art. 15 AVG); register and audit come first."""
    with operation() as begun:
        session = begun.session
        findings = find_by_address(begun, address=address)
        admission = record_export(begun, findings=findings, proof=proof)
        organisation = session.get_one(Organisation, organisation_of(begun.actor))
        session.refresh(organisation, ["logo"])  # the head of the PDF shows it
        receivers = _receivers(session, findings)
        periods = periods_of(session, organisation.id, begun.today)
        accesses = accesses_to(session, findings)
        orders = {each.id: drawn_order(session, begun.keystore, each) for each in findings.signals}
    return export_of(findings, admission, organisation, receivers, periods, accesses, orders)


def erase(address: Address, proof: Proof, right: Right, *, seen: Collection[UUID] = ()) -> Erased:
    """Delete everything of an address, wherever it was referred (art. 17, 19 and 21 AVG).

    `seen`: the signals that the page showed. If exactly these are erased already, or ordered to be, somebody
    pressed the button twice: the answer is the same, and the register has one entry.

    Register, audit and orders are committed first. Then this process deletes what it can; the worker deletes
    the rest by the orders (another process may hold a row, or this one may not delete).
    """
    with operation() as begun:
        session = begun.session
        # The second of two simultaneous presses waits here, and then sees the first.
        lock_member(session, current().member.id)
        findings = find_by_address(begun, address=address)
        if seen and are_erased(session, {*seen, *(signal.id for signal in findings.signals)}, right):
            return Erased(signals=len(seen), elsewhere=0, at_once=not findings.signals)
        admission = record_erasure(begun, findings=findings, proof=proof, right=right)
    ids = findings.signal_ids
    own = {signal.id for signal in findings.signals}
    at_once = _purge_now(ids, REASONS[right], admission)
    return Erased(signals=len(ids), elsewhere=len(set(ids) - own), at_once=at_once)


def rectify(
    signal_id: UUID, correction: Correction, proof: Proof, *, expected_version: int | None = None
) -> Signal:
    """Correct a signal (art. 16 AVG); raises `StaleVersion` when it changed since it was read."""
    with operation(signal_id, uses=Ground.ART_16_AVG) as begun:
        return rectifying.rectify(
            begun, signal_id=signal_id, correction=correction, proof=proof, expected_version=expected_version
        )


def restrict(signal_id: UUID, proof: Proof, *, lift: bool, expected_version: int | None = None) -> Signal:
    """Set a restriction or lift it (art. 18 AVG); raises `StaleVersion` when it changed since it was read."""
    with operation(signal_id) as begun:
        return restricting.restrict(
            begun, signal_id=signal_id, proof=proof, lift=lift, expected_version=expected_version
        )


def _receivers(session: Session, findings: Findings) -> dict[UUID, str]:
    ids = {referral.to_organisation_id for referral in findings.referrals}
    names = session.execute(select(Organisation.id, Organisation.name).where(Organisation.id.in_(ids)))
    return {row.id: row.name for row in names}


def _purge_now(ids: Sequence[UUID], reason: DeletionReason, admission: Admission) -> bool:
    """Delete the signals now; return whether nothing is left for the worker."""
    try:
        retention().purge_now(desk().clock, ids, reason, admission.fetch())
    except (SQLAlchemyError, OSError) as error:
        log.info("desk.erasure_left_to_the_worker", cause=type(error).__name__)
        return False
    with desk().reading() as session:
        set_local(session, subject=",".join(map(str, ids)))
        return session.scalar(select(Signal.id).where(Signal.id.in_(ids)).limit(1)) is None
