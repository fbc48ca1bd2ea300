"""Name the place of an address: street, town, neighbourhood and municipality, looked up locally."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from signals import reference
from signals.models.place import NEIGHBOURHOOD, STREET, PlacePage
from signals.routing.municipalities import municipalities_on, successors_on
from signals.routing.place_pages import names_in
from signals.routing.postcodes import Address

_PAGES: Final = select(PlacePage.kind, PlacePage.pc4, PlacePage.page).where(
    PlacePage.pc4.in_(bindparam("pc4s", expanding=True)),
    PlacePage.kind.in_(bindparam("kinds", expanding=True)),
    PlacePage.in_use,
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """The names of an address; each is empty when no imported file has it. The repr shows nothing of it.

    `municipality_code`: of the day of the file; `municipality_name` gives the name of another day.
    """

    street: str = field(default="", repr=False)
    town: str = field(default="", repr=False)
    neighbourhood: str = field(default="", repr=False)
    district: str = field(default="", repr=False)
    municipality_code: str = field(default="", repr=False)


def place_of(session: Session, address: Address) -> Place:
    """Return the place of an address."""
    return places_of(session, [address])[address]


def places_of(session: Session, addresses: Collection[Address], *kinds: str) -> dict[Address, Place]:
    """Return the place of each address, by one statement; `kinds` limits it to streets or neighbourhoods."""
    wanted = {"pc4s": sorted({_pc4(each) for each in addresses}), "kinds": kinds or (STREET, NEIGHBOURHOOD)}
    pages = {(row.kind, row.pc4): row.page for row in session.execute(_PAGES, wanted)}
    return {address: _place(address, pages) for address in addresses}


def municipality_name(code: str, on: date) -> str:
    """Return the name of a municipality, or of its successor on a date; empty for an unknown code."""
    return _names_on(on).get(code, "")


def _place(address: Address, pages: dict[tuple[str, int], bytes]) -> Place:
    def names(kind: str, count: int) -> Iterator[str]:
        page = pages.get((kind, _pc4(address)))
        found = names_in(page, address) if page else ()
        return iter(found if len(found) == count else [""] * count)

    street, town = names(STREET, 2)
    neighbourhood, district, code = names(NEIGHBOURHOOD, 3)
    return Place(
        street=street,
        town=town,
        neighbourhood=neighbourhood,
        district=district,
        municipality_code=code or reference.municipality_of_pc4(_pc4(address)) or "",
    )


def _pc4(address: Address) -> int:
    return int(address.postcode[:4])


@lru_cache(maxsize=4)
def _names_on(on: date) -> dict[str, str]:
    geography = reference.geography()
    present = municipalities_on(geography, on)
    names = {code: each.name for code, each in present.items()}
    successors = successors_on(geography, on).items()
    return names | {old: present[new].name for old, new in successors if new in present}
