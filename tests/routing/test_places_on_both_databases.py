"""Places in both databases: an import that was killed goes on, and shows nothing until it is complete."""

from collections.abc import Iterator
from itertools import chain

import pytest

from signals.models.place import NEIGHBOURHOOD, STREET
from signals.routing.compact_coverage import CbsFileProblem
from signals.routing.place_import import FewerPlaces, ImportedMeanwhile, PlaceImport, import_places
from signals.routing.place_pages import PlaceRow
from signals.routing.places import Place, municipality_name, place_of
from signals.routing.postcodes import Address
from tests.support.world import NOW, World

FILE, NEWER = b"f" * 32, b"n" * 32
SOMEWHERE = Address(postcode="1012AB", number=12, addition="A")
COUNTRY = range(1000, 1250)


def rows(street: str, pc4s: range = COUNTRY) -> Iterator[PlaceRow]:
    return ((f"{pc4}AB", 12, (street, "Amsterdam")) for pc4 in pc4s)


def killed(after: int) -> Iterator[PlaceRow]:
    yield from rows("Nieuwe Kade", COUNTRY[:after])
    raise CbsFileProblem("the process ends here")


def take(world: World, found: Iterator[PlaceRow], file: bytes = FILE, **how: bool) -> PlaceImport:
    return import_places(world.begin, kind=STREET, file=file, rows=found, **how)


def street_of(world: World, pc4: int = 1012, letters: str = "AB") -> str:
    with world.sessions() as session:
        return place_of(session, Address(postcode=f"{pc4}{letters}", number=12)).street


def test_a_killed_import_shows_nothing_and_goes_on_where_it_stopped(world: World) -> None:
    take(world, rows("Kade"), NEWER)
    with pytest.raises(CbsFileProblem):
        take(world, killed(220))
    assert street_of(world) == "Kade"
    assert take(world, rows("Nieuwe Kade")) == PlaceImport(postcodes=250, resumed=200)
    assert {street_of(world, pc4) for pc4 in COUNTRY} == {"Nieuwe Kade"}


def test_places_that_another_file_left_unfinished_do_not_count(world: World) -> None:
    with pytest.raises(CbsFileProblem):
        take(world, killed(220))
    assert take(world, rows("Kade"), NEWER).resumed == 0
    assert take(world, rows("Nieuwe Kade")).resumed == 0


def test_a_file_with_fewer_places_is_refused_and_is_taken_as_a_part(world: World) -> None:
    take(world, chain([("1000AC", 12, ("Kade", "Amsterdam"))], rows("Kade")))
    with pytest.raises(FewerPlaces, match="20 of the 250"):
        take(world, rows("Nieuwe Kade", COUNTRY[:20]), NEWER)
    assert street_of(world) == "Kade"
    take(world, rows("Nieuwe Kade", COUNTRY[:20]), NEWER, partial=True)
    assert (street_of(world), street_of(world, 1200)) == ("Nieuwe Kade", "Kade")
    assert street_of(world, 1000, "AC") == "Kade"  # though the refused run left pages of the same file


def test_of_two_imports_at_once_the_one_that_lost_pages_is_not_put_in_use(world: World) -> None:
    def interrupted() -> Iterator[PlaceRow]:
        yield from rows("Kade", COUNTRY[:220])
        take(world, rows("Nieuwe Kade"), NEWER)
        yield from rows("Kade", COUNTRY[220:])

    with pytest.raises(ImportedMeanwhile):
        take(world, interrupted())
    assert street_of(world) == "Nieuwe Kade"


def test_an_address_has_a_street_and_a_neighbourhood_each_from_its_own_file(world: World) -> None:
    with world.sessions() as session:
        assert place_of(session, SOMEWHERE) == Place(municipality_code="GM0363")
    take(world, rows("Kade"))
    quarter = [("1012AB", 12, ("De Kolk", "Burgwallen", "GM1696"))]
    import_places(world.begin, kind=NEIGHBOURHOOD, file=FILE, rows=quarter)
    with world.sessions() as session:
        place = place_of(session, SOMEWHERE)
    assert place == Place(
        street="Kade",
        town="Amsterdam",
        neighbourhood="De Kolk",
        district="Burgwallen",
        municipality_code="GM1696",
    )
    assert "Kade" not in repr(place)


def test_a_municipality_that_merged_has_the_name_of_its_successor() -> None:
    before = NOW.date()
    assert municipality_name("GM1696", before) == "Wijdemeren"
    assert municipality_name("GM1696", before.replace(year=2027)) == "Hilversum"
    assert municipality_name("", before) == ""
