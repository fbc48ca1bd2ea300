"""Names of places are read from files of BAG and CBS; any other file is refused with line and reason."""

import io
import zipfile
from pathlib import Path

import pytest

from signals.routing.compact_coverage import CbsFileProblem
from signals.routing.place_files import names_beside, neighbourhood_rows, street_rows
from signals.routing.place_pages import names_in, pages, with_rest_of
from signals.routing.postcodes import Address

HEADER = "postcode;huisnummer;openbareruimte;woonplaats\n"
LISTS = {
    "buurt_2024.csv": "Buurtcode2024;Buurtnaam2024\n0363AD01;De Kolk\n140001;Binnenstad-Noord\n",
    "wijk_2024.csv": "wijkcode2024;wijknaam2024\n0363AD;Burgwallen\n001400;Binnenstad\n",
}
ADDRESSES = (
    "PC6;Huisnummer;Buurt2024;Wijk2024;Gemeente2024\n1012AA;1;0363AD01;0363AD;0363\n9711AA;3;140001;1400;14\n"
)


def streets(text: str) -> list[tuple[str, int, tuple[str, ...]]]:
    return list(street_rows(io.BytesIO(text.encode())))


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}1012AB;12;Nieuwe  Kade;Amsterdam\n",
        "\ufeffstreet,number,postcode,town\nNieuwe Kade,12,1012 ab,Amsterdam\n",
        'Openbareruimte\tHuisnummer\tPostcode\tWoonplaats\n"Nieuwe Kade"\t12\t1012AB\tAmsterdam',
        f"{HEADER};3;Garage;Amsterdam\n1012AB;12;Nieuwe Kade;Amsterdam\n",
    ],
)
def test_streets_are_read_by_the_names_of_their_columns(text: str) -> None:
    assert streets(text) == [("1012AB", 12, ("Nieuwe Kade", "Amsterdam"))]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("PC6;Huisnummer;Buurt2024\n1012AA;1;0363AD01\n", "the column street is missing"),
        ("", "the column postcode is missing"),
        (f"{HEADER}1012AB;twaalf;Kade;Amsterdam\n", "line 2: the house number"),
        (f"{HEADER}1012AB;1;Kade;Amsterdam\n10122;1;Kade;Amsterdam\n", "line 3: the postcode"),
        (f"{HEADER}1012AB;1;;Amsterdam\n", "line 2: the street or the town is empty"),
        (f"{HEADER}1012AB;1;{'k' * 81};Amsterdam\n", "longer than 80"),
        (f"{HEADER}1012AB;1\n", "line 2: a column is missing"),
        (
            f"{HEADER}1012AB;1;Kade;A\n1013AB;1;Kade;A\n1012AC;1;Kade;A\n",
            "line 4: rows of one postcode lie apart: sort",
        ),
    ],
)
def test_another_file_is_refused_with_its_line_and_without_its_text(text: str, reason: str) -> None:
    with pytest.raises(CbsFileProblem, match=reason) as refused:
        streets(text)
    assert "1012" not in str(refused.value)


def test_a_file_in_another_encoding_is_refused() -> None:
    content = f"{HEADER}1012AB;1;Oude Café;Amsterdam\n".encode("cp1252")
    with pytest.raises(CbsFileProblem, match=r"line 2: .* UTF-8"):
        list(street_rows(io.BytesIO(content)))


@pytest.mark.parametrize("packed", [True, False])
def test_neighbourhoods_get_the_names_of_the_lists_in_the_zip_or_beside(tmp_path: Path, packed: bool) -> None:
    file = tmp_path / "pc6hnr20240801_gwb.csv"
    contents = LISTS | {file.name: ADDRESSES}
    if packed:
        file = tmp_path / "cbs.zip"
        with zipfile.ZipFile(file, "w") as archive:
            for name, text in contents.items():
                archive.writestr(name, text)
    else:
        for name, text in contents.items():
            (tmp_path / name).write_bytes(text.encode("cp1252"))
    assert list(neighbourhood_rows(file, names_beside(file))) == [
        ("1012AA", 1, ("De Kolk", "Burgwallen", "GM0363")),
        ("9711AA", 3, ("Binnenstad-Noord", "Binnenstad", "GM0014")),
    ]


def test_a_page_names_each_address_of_a_split_postcode_and_an_unlisted_number_by_the_larger_part() -> None:
    rows = [("1012AB", number, ("Kade", "A")) for number in (1, 3, 5)] + [("1012AB", 7, ("Steeg", "A"))]
    [(pc4, page)] = pages(rows)
    found = {number: names_in(page, Address(postcode="1012AB", number=number)) for number in (1, 4, 7, 99)}
    assert (pc4, found) == (1012, {1: ("Kade", "A"), 4: ("Kade", "A"), 7: ("Steeg", "A"), 99: ("Kade", "A")})
    assert names_in(page, Address(postcode="1012AC", number=1)) == ()
    assert names_in(b"damaged", Address(postcode="1012AB", number=1)) == ()


def test_a_page_of_a_part_keeps_the_postcodes_that_the_part_lacks() -> None:
    [(_, before)] = pages([("1012AB", 1, ("Kade", "A")), ("1012AC", 1, ("Laan", "A"))])
    [(_, part)] = pages([("1012AB", 1, ("Nieuwe Kade", "A"))])
    whole = with_rest_of(part, before)
    assert names_in(whole, Address(postcode="1012AB", number=1)) == ("Nieuwe Kade", "A")
    assert names_in(whole, Address(postcode="1012AC", number=1)) == ("Laan", "A")
