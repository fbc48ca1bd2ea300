"""Search signals and plan rounds for the signed-in caller: commit the audit entries, then read."""

from collections.abc import Collection
from uuid import UUID

from signals.audit.grounds import Ground
from signals.casework import search
from signals.casework.rounds import Stop, plan_round, resume_round, stops_of
from signals.casework.search import Found
from signals.routing.postcodes import Address
from signals.web.staff_kit.context import desk, operation, reading_operation


def find_by_reference(reference: str) -> Found:
    """Find a signal by the reference on a letter."""
    return _find(Ground.REFERENCE, reference)


def find_by_address(address: Address) -> Found:
    """Find the signals of an address, or without an addition of the house."""
    return _find(Ground.ADDRESS, address)


def found_again(signal_ids: Collection[UUID]) -> Found:
    """Return what an earlier search found, as it is now."""
    with reading_operation() as reading:
        return search.found_again(reading, signal_ids)


def walk(signal_ids: Collection[UUID], *, again: bool = False) -> list[Stop]:
    """Open the addresses of a round; `again` leaves out the signals that nobody can visit any more."""
    with operation() as begun:
        planned = (resume_round if again else plan_round)(begun, signal_ids)
    return stops_of(desk().keystore, planned)


def _find(ground: Ground, wanted: str | Address) -> Found:
    with operation() as begun:
        search.record_search(begun, ground)
    with reading_operation() as reading:
        if isinstance(wanted, Address):
            found = search.search_by_address(reading, wanted)
        else:
            found = search.search_by_reference(reading, wanted)
    with operation() as begun:
        search.record_found(begun, ground, found.items)
    return found
