"""Search signals and plan rounds for the signed-in caller: commit the audit entries, then read."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from signals.audit.grounds import Ground
from signals.casework import search
from signals.casework.rounds import Stop, plan_round, resume_round, stops_of
from signals.casework.search import Found
from signals.routing.postcodes import Address
from signals.web.staff_kit.context import act, look, reading_operation


def find(wanted: Mapping[str, Any]) -> Found:
    """Find signals by the values of a form or body: a reference, or else an address.

    Without an addition the search finds the whole house.
    """
    by_reference = wanted.get("reference") is not None
    ground = Ground.REFERENCE if by_reference else Ground.ADDRESS
    act(search.record_search, ground)
    with reading_operation() as reading:
        if by_reference:
            found = search.search_by_reference(reading, wanted["reference"])
        else:
            found = search.search_by_address(reading, _address_in(wanted))
    act(search.record_found, ground, [signal.id for signal in found.items])
    return found


def found_again(signal_ids: Collection[UUID]) -> Found:
    """Return what an earlier search found, as it is now."""
    return look(search.found_again, signal_ids)


def walk(signal_ids: Collection[UUID], *, again: bool = False) -> list[Stop]:
    """Open the addresses of a round; `again` leaves out the signals that nobody can visit any more."""
    planned = act(resume_round if again else plan_round, signal_ids)
    return look(stops_of, planned)


def _address_in(wanted: Mapping[str, Any]) -> Address:
    return Address(
        postcode=wanted["postcode"], number=wanted["house_number"], addition=wanted["house_number_addition"]
    )
