"""Finding signals of the own organisation again: by reference or address, and as a round to walk."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, defer

from signals.arrival.repeats import probes_for
from signals.audit.log import AuditEvent
from signals.casework import claimant_name, find_signal
from signals.casework.referral import HANDED_OVER
from signals.clock import today
from signals.errors import ClaimedByOther, Conflict, NotFound, Restricted
from signals.intake.content import open_report
from signals.lifecycle.case_numbers import reference_as_read
from signals.models import AddressLink, Signal, StaffMember
from signals.residents import ReferenceAnswer, find_by_reference
from signals.routing.postcodes import Address
from signals.staff.absence import stood_in_for
from signals.vocabulary import AuditAction, SignalState
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.opened import organisation_id

MOST_FOUND = 50
MOST_DELETED = 12


@dataclass(frozen=True, kw_only=True)
class Found:
    """Signals, newest first, and the names of who has claimed them.

    Of a reference without a signal: when it was deleted or referred, which a resident with a letter may hear.
    Of an address: when those came in that were deleted since; what is kept of them knows no other day.
    `more`: there are older ones than these.
    """

    items: list[Signal]
    claimants: dict[UUID, str]
    deleted_on: date | None = None
    referred_on: date | None = None
    deleted_received_on: Sequence[date] = ()
    more: bool = False


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One signal of a round, with its address in the clear."""

    signal: Signal
    address: Address = field(repr=False)


def search(*, reference: str | None = None, postcode: str = "", number: int = 0, addition: str = "") -> Found:
    """The organisation's signals with this reference, or of this address (without addition: of this house).

    The audit entry is committed first, without what was sought; then one for each signal found, before
    it is shown: who was told that there is one must be found by the signal, too (NEN 7513, art. 15 AVG). By
    address the pseudonyms of five quarters are compared, so signals of the last twelve months are found.
    """
    ground = "reference" if reference else "address"
    _record(_searched(ground))
    if reference:
        found = _by_reference(reference)
    else:
        found = _by_address(Address(postcode=postcode, number=number, addition=addition))
    _record(*(_searched(ground, signal.id, outcome="found") for signal in found.items))
    return found


def found_before(ids: Collection[UUID]) -> Found:
    """The same signals as they are now, for who goes back to what a search found: no search, so no entry."""
    with desk().reading() as session:
        return _found(session, Signal.id.in_(ids))


def round_of(ids: Collection[UUID]) -> list[Stop]:
    """The addresses of signals that the caller has claimed, in walking order; an audit entry for each first.

    And of those of whom the caller stands in for. Raises `NotFound` when one is not the organisation's,
    `ClaimedByOther` when a colleague has one, and `Restricted` when nobody may work on one (art. 18 AVG).
    """
    return _walk(lambda session: [_claimed(session, signal_id) for signal_id in dict.fromkeys(ids)])


def left_of_round(ids: Collection[UUID]) -> list[Stop]:
    """As `round_of`, without what cannot be walked any more: for who comes back to a round of this morning.

    Left out is what was released, handed over, concluded, restricted or deleted since.
    """
    return _walk(lambda session: [one for one in map(partial(_walkable, session), dict.fromkeys(ids)) if one])


def _walk(choose: Callable[[Session], Sequence[Signal]]) -> list[Stop]:
    context = desk()
    with context.sessions.begin() as session:
        signals = choose(session)
        for signal in signals:
            context.audit.record(
                session,
                context.clock,
                actor=current().actor,
                action=AuditAction.ROUND_PRINTED,
                subject_id=signal.id,
            )
    return in_walking_order(
        [Stop(signal=signal, address=open_report(context.keystore, signal).address) for signal in signals]
    )


def looked_after(session: Session) -> list[UUID]:
    """The caller, and for whom the caller stands in today."""
    own = current().member.id
    on = today(desk().clock)
    others = stood_in_for(session, organisation_id=organisation_id(), staff_id=own, on=on)
    return [own, *sorted(others)]


def in_walking_order(stops: Sequence[Stop]) -> list[Stop]:
    """Street by street (a six-character postcode is one side of a street, or a part): up the odd side, down
    the even one, which in most streets lie opposite each other."""
    return sorted(stops, key=_walking_key)


def _walking_key(stop: Stop) -> tuple[str, bool, int, str]:
    place = stop.address
    even = place.number % 2 == 0
    return place.postcode, even, -place.number if even else place.number, place.addition


def _claimed(session: Session, signal_id: UUID) -> Signal:
    signal = find_signal(session, organisation_id=organisation_id(), signal_id=signal_id)
    if signal.claimed_by_id is None:
        raise Conflict
    if signal.claimed_by_id not in looked_after(session):
        raise ClaimedByOther(claimant_name(session, signal) or "", signal.claimed_at)
    if signal.restricted_on is not None:
        raise Restricted
    return signal


def _walkable(session: Session, signal_id: UUID) -> Signal | None:
    try:
        signal = _claimed(session, signal_id)
    except (NotFound, Conflict):
        return None
    return None if signal.state is SignalState.CONCLUDED else signal


def _found(session: Session, wanted: ColumnElement[bool]) -> Found:
    query = (
        select(Signal, StaffMember.name)
        .outerjoin(StaffMember, StaffMember.id == Signal.claimed_by_id)
        .options(defer(Signal.content, raiseload=True))
        .where(Signal.organisation_id == organisation_id(), wanted)
        .order_by(Signal.received_on.desc(), Signal.id)
        .limit(MOST_FOUND + 1)
    )
    rows = session.execute(query).all()
    more, rows = len(rows) > MOST_FOUND, rows[:MOST_FOUND]
    return Found(
        more=more,
        items=[signal for signal, _ in rows],
        claimants={signal.claimed_by_id: name for signal, name in rows if signal.claimed_by_id},
    )


def _what_became_of(session: Session, reference: str) -> ReferenceAnswer:
    try:
        return find_by_reference(session, organisation_id=organisation_id(), reference=reference)
    except NotFound:
        return ReferenceAnswer()


def _by_reference(reference: str) -> Found:
    with desk().reading() as session:
        found = _found(session, Signal.reference == reference_as_read(reference))
        gone = ReferenceAnswer() if found.items else _what_became_of(session, reference)
    return replace(found, deleted_on=gone.deleted_on, referred_on=gone.referred_on)


def _by_address(place: Address) -> Found:
    context, organisation = desk(), organisation_id()
    (probe,) = probes_for(context.keystore, [(organisation, place)], today(context.clock))
    exactly, house = (
        AddressLink.pseudonym.in_(probe.exact),
        AddressLink.house_pseudonym.in_(probe.house),
    )
    links = and_(AddressLink.organisation_id == organisation, exactly if place.addition else house)
    with context.reading() as session:
        found = _found(session, Signal.id.in_(select(AddressLink.signal_id).where(links)))
        return replace(found, deleted_received_on=_deleted_since(session, links))


def _deleted_since(session: Session, links: ColumnElement[bool]) -> Sequence[date]:
    """When those came in of which only the link is left, the latest first; not those that were handed over:
    what became of them is the receiver's to tell.
    """
    kept = func.coalesce(AddressLink.outcome_group, "") != HANDED_OVER
    deleted = select(AddressLink.received_on).where(links, AddressLink.signal_id.is_(None), kept).distinct()
    return session.scalars(deleted.order_by(AddressLink.received_on.desc()).limit(MOST_DELETED)).all()


def _searched(ground: str, signal_id: UUID | None = None, *, outcome: str = "ok") -> AuditEvent:
    return AuditEvent(
        actor=current().actor,
        action=AuditAction.SEARCHED,
        subject_id=signal_id,
        ground=ground,
        outcome=outcome,
    )


def _record(*events: AuditEvent) -> None:
    context = desk()
    if events:
        with context.sessions.begin() as session:
            context.audit.record_many(session, context.clock, events)
