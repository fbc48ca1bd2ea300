"""Find signals of the own organisation again, by the reference on a letter or by address.

The caller commits `record_search` before it searches and `record_found` before it shows what it found.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, defer

from signals.arrival.repeats import probes_for
from signals.audit.grounds import Ground
from signals.audit.log import AuditEvent
from signals.casework.access import organisation_of
from signals.casework.referral import HANDED_OVER, referred_away
from signals.lifecycle.case_numbers import reference_as_read
from signals.models import AddressLink, DeletionRecord, Signal, StaffMember
from signals.operation import Operation
from signals.routing.postcodes import Address
from signals.vocabulary import AuditAction

MOST_FOUND: Final = 50
MOST_DELETED: Final = 12


@dataclass(frozen=True, kw_only=True)
class Found:
    """Hold the found signals, newest first, and the names of their claimants.

    For a reference without a signal: when it was deleted or referred, which a resident with a letter may
    hear; `referred_id` is the signal that was referred. For an address: when the signals came in that were
    deleted since; no other day of them is kept. `more`: there are older signals than these.
    """

    items: list[Signal]
    claimants: dict[UUID, str]
    deleted_on: date | None = None
    referred_on: date | None = None
    referred_id: UUID | None = None
    deleted_received_on: Sequence[date] = ()
    more: bool = False


def record_search(operation: Operation, ground: Ground) -> None:
    """Write the audit entry of a search, without what was sought. `ground`: REFERENCE or ADDRESS."""
    operation.record(AuditAction.SEARCHED, ground=ground)


def record_found(operation: Operation, ground: Ground, signal_ids: Collection[UUID]) -> None:
    """Write an audit entry for each found signal.

    The trail of a signal must show everybody who learned that it exists (NEN 7513, art. 15 AVG).
    """
    entries = [
        AuditEvent(
            actor=operation.actor,
            action=AuditAction.SEARCHED,
            subject_id=signal_id,
            ground=ground,
            outcome="found",
        )
        for signal_id in signal_ids
    ]
    operation.audit.record_many(operation.session, operation.clock, entries)


def search_by_reference(operation: Operation, reference: str) -> Found:
    """Find the organisation's signal with this reference, or say when it was deleted or referred."""
    normal = reference_as_read(reference)
    found = _found(operation, Signal.reference == normal)
    if found.items:
        return found
    session, organisation_id = operation.session, organisation_of(operation.actor)
    # Ask for a deletion first: an organisation that referred it and deleted it got it back in between.
    gone = select(DeletionRecord.deleted_on).where(
        DeletionRecord.organisation_id == organisation_id, DeletionRecord.reference == normal
    )
    if (deleted_on := session.scalar(gone)) is not None:
        return replace(found, deleted_on=deleted_on)
    referral = referred_away(session, organisation_id=organisation_id, reference=normal)
    if referral is None:
        return found
    return replace(found, referred_on=referral.referred_on, referred_id=referral.signal_id)


def search_by_address(operation: Operation, place: Address) -> Found:
    """Find the organisation's signals of this address, or without an addition of this house.

    The search compares pseudonyms of five quarters, so it finds signals of the last twelve months.
    """
    organisation_id = organisation_of(operation.actor)
    (probe,) = probes_for(operation.keystore, [(organisation_id, place)], operation.today)
    exactly, house = (AddressLink.pseudonym.in_(probe.exact), AddressLink.house_pseudonym.in_(probe.house))
    links = and_(AddressLink.organisation_id == organisation_id, exactly if place.addition else house)
    found = _found(operation, Signal.id.in_(select(AddressLink.signal_id).where(links)))
    return replace(found, deleted_received_on=_deleted_since(operation.session, links))


def found_again(operation: Operation, signal_ids: Collection[UUID]) -> Found:
    """Return the signals of an earlier search as they are now; this is no search, so it leaves no entry."""
    return _found(operation, Signal.id.in_(signal_ids))


def _found(operation: Operation, wanted: ColumnElement[bool]) -> Found:
    query = (
        select(Signal, StaffMember.name)
        .outerjoin(StaffMember, StaffMember.id == Signal.claimed_by_id)
        .options(defer(Signal.content, raiseload=True))
        .where(Signal.organisation_id == organisation_of(operation.actor), wanted)
        .order_by(Signal.received_on.desc(), Signal.id)
        .limit(MOST_FOUND + 1)
    )
    rows = operation.session.execute(query).all()
    more, rows = len(rows) > MOST_FOUND, rows[:MOST_FOUND]
    return Found(
        more=more,
        items=[signal for signal, _ in rows],
        claimants={signal.claimed_by_id: name for signal, name in rows if signal.claimed_by_id},
    )


def _deleted_since(session: Session, links: ColumnElement[bool]) -> Sequence[date]:
    """Return when the deleted signals behind these links came in, latest first; not those handed over."""
    kept = func.coalesce(AddressLink.outcome_group, "") != HANDED_OVER
    deleted = select(AddressLink.received_on).where(links, AddressLink.signal_id.is_(None), kept).distinct()
    return session.scalars(deleted.order_by(AddressLink.received_on.desc()).limit(MOST_DELETED)).all()
