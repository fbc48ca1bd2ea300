"""Plan a round on foot: the addresses of claimed signals, by postcode."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from signals.audit.admission import Admission
from signals.casework.access import (
    admit,
    claimed_by_other,
    find_signal,
    organisation_of,
    report_of,
    staff_id_of,
)
from signals.errors import Conflict, ContentGone, NotFound, Restricted
from signals.models import Signal
from signals.operation import Operation
from signals.routing.places import Place, places_of
from signals.routing.postcodes import Address
from signals.staff.absence import stood_in_for
from signals.vocabulary import OPEN_STATES, AuditAction

MOST_STOPS: Final = 12


@dataclass(frozen=True, kw_only=True)
class Round:
    """Hold the signals of a round and the permit to open their addresses."""

    signals: Sequence[Signal]
    admission: Admission


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Hold one signal of a round with its address in the clear, and its place."""

    signal: Signal
    address: Address = field(repr=False)
    place: Place = field(repr=False)


def plan_round(operation: Operation, signal_ids: Collection[UUID]) -> Round:
    """Write an audit entry for each signal that the actor, or somebody the actor stands in for, claimed.

    Raises `NotFound` for a signal of another organisation, `Conflict` and `ClaimedByOther` for one that the
    actor does not have, and `Restricted` for one that nobody may work on (art. 18 AVG).
    """
    return _admitted(operation, [_claimed(operation, one) for one in dict.fromkeys(signal_ids)])


def resume_round(operation: Operation, signal_ids: Collection[UUID]) -> Round:
    """Plan the same round again, without the signals that nobody can visit any more.

    A signal is left out after it was released, handed over, concluded, restricted or deleted.
    """
    found = (_claimed_or_none(operation, one) for one in dict.fromkeys(signal_ids))
    return _admitted(operation, [signal for signal in found if signal is not None])


def stops_of(operation: Operation, planned: Round) -> list[Stop]:
    """Open the addresses of a round, by postcode, after the commit of its audit entries.

    A signal whose key was lost has no address: it is left out, as one that was deleted.
    """
    opened = [(signal, _address_of(signal, planned.admission)) for signal in planned.signals]
    found = [(signal, address) for signal, address in opened if address is not None]
    places = places_of(operation.session, [address for _, address in found])
    stops = [Stop(signal=signal, address=address, place=places[address]) for signal, address in found]
    return sorted(stops, key=_by_postcode)


def _address_of(signal: Signal, admission: Admission) -> Address | None:
    try:
        return report_of(signal, admission).address
    except ContentGone:
        return None


def covered_staff(operation: Operation) -> list[UUID]:
    """Return the actor and everybody for whom the actor stands in today."""
    own = staff_id_of(operation.actor)
    others = stood_in_for(
        operation.session, organisation_id=organisation_of(operation.actor), staff_id=own, on=operation.today
    )
    return [own, *sorted(others)]


def _by_postcode(stop: Stop) -> tuple[str, bool, int, str]:
    """Return a key that goes up the odd side of a street and down the even side; it knows no route.

    A postcode of six characters is one side of a street or a part of it. In most streets the two sides lie
    opposite each other.
    """
    place = stop.address
    even = place.number % 2 == 0
    return place.postcode, even, -place.number if even else place.number, place.addition


def _admitted(operation: Operation, signals: Sequence[Signal]) -> Round:
    admission = admit(operation, [signal.id for signal in signals], AuditAction.ROUND_PRINTED)
    return Round(signals=signals, admission=admission)


def _claimed(operation: Operation, signal_id: UUID) -> Signal:
    signal = find_signal(
        operation.session, organisation_id=organisation_of(operation.actor), signal_id=signal_id
    )
    if signal.claimed_by_id is None:
        raise Conflict
    if signal.claimed_by_id not in covered_staff(operation):
        raise claimed_by_other(operation.session, signal)
    if signal.restricted_on is not None:
        raise Restricted
    return signal


def _claimed_or_none(operation: Operation, signal_id: UUID) -> Signal | None:
    try:
        signal = _claimed(operation, signal_id)
    except (NotFound, Conflict):
        return None
    return signal if signal.state in OPEN_STATES else None
