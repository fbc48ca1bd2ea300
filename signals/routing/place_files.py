"""Read the names of places: streets and towns from a file of the BAG, neighbourhoods from the CBS file."""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final

from signals.routing.address_file import Wanted, careful_rows, opened
from signals.routing.compact_coverage import CbsFileProblem, canonical_pc6, house_number
from signals.routing.place_pages import PlaceRow

LONGEST_NAME: Final = 80
"""The longest name of a street or town in the BAG."""

_PC6: Final = re.compile(r"pc6|postcode6?|pc6code")
_NUMBER: Final = re.compile(r"huisnummer|huisnr|hnr|(house)?number")
_STREETS: Final[Wanted] = {
    "postcode": _PC6,
    "number": _NUMBER,
    "street": re.compile(r"(openbareruimte|straat)(naam)?|street"),
    "town": re.compile(r"(woon)?plaats(naam)?|town"),
}
_NEIGHBOURHOODS: Final[Wanted] = {
    "pc6": _PC6,
    "huisnummer": _NUMBER,
    "buurt": re.compile(r"(buurt|bu|gwb)(code)?(\d{4})?(code)?"),
}
_LISTS: Final = ("buurt", "wijk")

Names = Mapping[str, Mapping[str, str]]
"""The names of neighbourhoods and districts by code, under `buurt` and `wijk`."""


def street_rows(source: Path | BinaryIO) -> Iterator[PlaceRow]:
    """Yield postcode, house number, and street and town; rows of the same four digits are adjacent.

    Leave out addresses without a postcode. Raises `CbsFileProblem` with the line and what is expected.
    """
    named, number_in = lru_cache(maxsize=4096)(_name), lru_cache(maxsize=None)(house_number)
    with opened(source) as stream, careful_rows(stream, _STREETS) as (rows, (pc6, number, street, town)):
        order = _Order()
        for row in rows:
            if row[pc6].strip():
                place = order.next(row[pc6])
                yield place, number_in(row[number]), (named(row[street]), named(row[town]))


def neighbourhood_rows(source: Path | BinaryIO, names: Names) -> Iterator[PlaceRow]:
    """Yield postcode, house number, and neighbourhood, district and municipality code of the CBS file.

    Raises `CbsFileProblem`, with `missing` for a file without the column.
    """
    with opened(source) as stream, careful_rows(stream, _NEIGHBOURHOODS) as (rows, (pc6, number, code)):
        order, number_in = _Order(), lru_cache(maxsize=None)(house_number)
        known: dict[str, tuple[str, ...]] = {}
        for row in rows:
            written = row[code]
            if written not in known:
                known[written] = _names_of(_code(written, 8), names)
            yield order.next(row[pc6]), number_in(row[number]), known[written]


def names_beside(file: Path) -> Names:
    """Return the names in the code lists inside the zip, or beside the csv, as `buurt_2024.csv`."""
    return {kind: dict(_listed(kind, file)) for kind in _LISTS}


class _Order:
    """Checks that the rows of four digits are adjacent: an import goes on after the last complete one."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._text = self._pc6 = ""

    def next(self, text: str) -> str:
        """Return the canonical postcode."""
        if text != self._text:
            before, self._text, self._pc6 = self._pc6[:4], text, canonical_pc6(text)
            if before != self._pc6[:4]:
                if self._pc6[:4] in self._seen:
                    raise CbsFileProblem("rows of one postcode lie apart: sort the file by postcode")
                self._seen.add(self._pc6[:4])
        return self._pc6


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME:
        raise CbsFileProblem(f"the street or the town is empty, or longer than {LONGEST_NAME} characters")
    if "\ufffd" in name or not name.isprintable():
        raise CbsFileProblem("the street or the town is not UTF-8 text: save the file as UTF-8")
    return name


def _names_of(code: str, names: Names) -> tuple[str, ...]:
    return names["buurt"].get(code, ""), names["wijk"].get(code[:6], ""), f"GM{code[:4]}"


def _code(text: str, digits: int) -> str:
    code = re.sub(r"^(BU|WK)", "", text.strip()).zfill(digits)
    if not re.fullmatch(r"[0-9]{4}[0-9A-Z]+", code) or len(code) != digits:
        raise CbsFileProblem("the code of the neighbourhood is not one")
    return code


def _listed(kind: str, file: Path) -> Iterator[tuple[str, str]]:
    wanted = {
        "code": re.compile(rf"({kind}|{kind[:1]}[uk])(code)?(\d{{4}})?(code)?"),
        "name": re.compile(rf"({kind}|{kind[:1]}[uk])?naam(\d{{4}})?"),
    }
    for text in _lists(kind, file):
        with (
            opened(io.BytesIO(text.encode())) as stream,
            careful_rows(stream, wanted) as (rows, (code, name)),
        ):
            for row in rows:
                yield (
                    _code(row[code], 8 if kind == "buurt" else 6),
                    " ".join(row[name].split())[:LONGEST_NAME],
                )


def _lists(kind: str, file: Path) -> Iterator[str]:
    """Yield each code list of a kind; older ones are in the encoding of Windows."""
    pattern = re.compile(rf"(?i)(?:.*[^a-z])?{kind}[^/]*\.csv")
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            found = [archive.read(name) for name in archive.namelist() if pattern.fullmatch(name)]
    else:
        beside = sorted(path for path in file.parent.iterdir() if pattern.fullmatch(path.name))
        found = [path.read_bytes() for path in beside if path != file]
    for content in found:
        try:
            yield content.decode("utf-8-sig")
        except UnicodeDecodeError:
            yield content.decode("cp1252", errors="replace")
