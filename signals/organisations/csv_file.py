"""A csv of organisations as it is read: each line in values of the domain, or everything that is wrong."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import zip_longest
from typing import Any, Final, TextIO
from unicodedata import category

from signals.models import CoverageArea
from signals.organisations.onboarding import name_key, normal_name
from signals.routing.areas import EARLIEST, Area, area_exists
from signals.routing.postcodes import HIGHEST_HOUSE_NUMBER, InvalidPostcode, parse_postcode
from signals.routing.rows import CoverageLevel
from signals.staff.identity import checked_email
from signals.vocabulary import OrganisationKind

REQUIRED: Final = ("name", "kind", "level", "area", "valid_from")
OPTIONAL: Final = (
    "valid_until",
    "agreement_on",
    "legal_basis",
    "retention_basis",
    "recipient_1",
    "recipient_2",
    "contact_phone",
    "contact_email",
)
LARGEST_FILE: Final = 20_000
"""Lines; the whole country has fewer municipalities and teams than that by far."""

RECIPIENTS: Final = ("recipient_1", "recipient_2")
_EMAILS: Final = (*RECIPIENTS, "contact_email")
_DATES: Final = ("valid_from", "valid_until", "agreement_on")
_LENGTHS: Final = {"name": 120, "contact_phone": 40}
# One value for all lines of an organisation; an empty cell leaves the matter to the other lines.
_OF_THE_ORGANISATION: Final = (
    "kind",
    "agreement_on",
    "legal_basis",
    "retention_basis",
    *_EMAILS,
    "contact_phone",
)


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """A line (the header is 1) that cannot be used, the column at fault and a stable word for why."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One area of one organisation, and what the line says of the organisation (`facts`, by column)."""

    number: int
    name: str
    area: Area
    facts: Mapping[str, Any] = field(repr=False)


Progress = Callable[[Sequence[Any], str], Iterable[Any]]
"""Goes through what is taken in hand one by one, and may show how far it is: (all of it, in a word)."""
_Check = Callable[[str], str | None]


def silent(items: Sequence[Any], description: str) -> Iterable[Any]:
    """A `Progress` that nobody sees."""
    del description
    return items


def read_lines(file: TextIO, progress: Progress = silent) -> tuple[list[Line], list[Rejected]]:
    """All lines, or everything that is wrong with them."""
    rows = _rows(csv.reader(file, delimiter=_separator(file)))
    try:
        _, header = next(rows, (1, []))
        names = [_plain(cell).casefold() for cell in header]
        problems = list(_header_problems(names))
        if problems:
            return [], problems
        return _read(names, progress([*rows], "reading"))
    except _Unreadable as refused:
        return [], list(refused.args)


class _Unreadable(Exception):
    """The file is not read any further; `args`: why, as a `Rejected`."""


def _rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line on which it begins; rows of separators only are left out: a spreadsheet has them
    below its last one. Raises `_Unreadable`.
    """
    start = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield start, row
            if reader.line_num > LARGEST_FILE:
                raise _Unreadable(Rejected(line=reader.line_num, column="", reason="file_too_long"))
            start = reader.line_num + 1
    except csv.Error:
        raise _Unreadable(Rejected(line=start, column="", reason="quote_not_closed")) from None


def _read(names: list[str], rows: Iterable[tuple[int, list[str]]]) -> tuple[list[Line], list[Rejected]]:
    lines: list[Line] = []
    problems: list[Rejected] = []
    check = cache(checked_email)  # most lines repeat the addresses of the one before
    for number, row in rows:
        cells = _cells(names, row)
        found = list(_cell_problems(cells, number, check))
        problems.extend(found)
        if cells is not None and not found:
            lines.append(_line_of(cells, number, check))
    problems.extend(_contradictions(lines))
    if not lines and not problems:
        problems.append(Rejected(line=1, column="", reason="no_lines"))
    return lines, sorted(problems, key=lambda problem: (problem.line, problem.column))


def by_name(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """The lines of each organisation by `name_key`, in their order."""
    grouped: dict[str, list[Line]] = {}
    for line in lines:
        grouped.setdefault(name_key(line.name), []).append(line)
    return grouped


def place_of(area: Area | CoverageArea) -> tuple[Any, ...]:
    """By which a line finds a coverage again: all of it but its end."""
    return (area.level, area.area, area.number_from, area.number_to, area.valid_from)


def _separator(file: TextIO) -> str:
    """Semicolon or comma, whichever the header has more of: Dutch spreadsheets write the former."""
    start = file.tell()
    header = file.readline()
    file.seek(start)
    return max(";,", key=header.count)


def _header_problems(header: Iterable[str]) -> Iterator[Rejected]:
    present = [name for name in header if name]
    for name in REQUIRED:
        if name not in present:
            yield Rejected(line=1, column=name, reason="missing")
    if any(name not in (*REQUIRED, *OPTIONAL) for name in present):
        # The name itself is not repeated: it may be a value, where somebody left the header out.
        yield Rejected(line=1, column="", reason="unknown_column")
    if len(set(present)) < len(present):
        yield Rejected(line=1, column="", reason="column_twice")


def _cell_problems(cells: Mapping[str, str] | None, number: int, check: _Check) -> Iterator[Rejected]:
    if cells is None:
        yield Rejected(line=number, column="", reason="number_of_cells")
        return
    for column, reason in _reasons(cells, check):
        yield Rejected(line=number, column=column, reason=reason)


def _cells(names: list[str], row: list[str]) -> dict[str, str] | None:
    """The cells by column; None where there are others than columns. Columns without a name are none, as
    long as they are empty: a spreadsheet writes those that it once had to the right of the last one.
    """
    cells: dict[str, str] = {}
    for name, cell in zip_longest(names, row):
        if name:
            if cell is None:
                return None
            cells[name] = _plain(cell)
        elif cell and cell.strip():
            return None
    return cells


def _plain(text: str) -> str:
    """Every kind of space is one, for spreadsheets write no-break ones unseen; none around it."""
    return "".join(" " if category(one) == "Zs" else one for one in text).strip()


def _reasons(cells: Mapping[str, str], check: _Check) -> Iterator[tuple[str, str]]:
    for name, text in cells.items():
        if not text.isprintable():  # control characters, and signs that turn the direction of what follows
            yield name, "control_characters"
    for name in REQUIRED:
        if not cells[name]:
            yield name, "required"
    for name, longest in _LENGTHS.items():
        if len(normal_name(cells.get(name, ""))) > longest:
            yield name, "too_long"
    if cells["kind"] and cells["kind"] not in set(OrganisationKind):
        yield "kind", "unknown"
    for name in _EMAILS:
        if cells.get(name) and check(cells[name]) is None:
            yield name, "invalid"
    yield from _date_reasons(cells)
    yield from _area_reasons(cells)


def _date_reasons(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    dates = {name: _date(cells[name]) for name in _DATES if cells.get(name)}
    for name, value in dates.items():
        if value is None:
            yield name, "not_a_date"
    start, end = dates.get("valid_from"), dates.get("valid_until")
    if start and start < EARLIEST:
        yield "valid_from", "too_early"
    if start and end and end <= start:
        yield "valid_until", "not_after_valid_from"


def _area_reasons(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if not cells["level"] or not cells["area"]:
        return
    if cells["level"] not in set(CoverageLevel):
        yield "level", "unknown"
        return
    area, first, last = _parts(cells["level"], cells["area"])
    if not area_exists(CoverageLevel(cells["level"]), area):
        yield "area", "unknown"
    elif cells["level"] == CoverageLevel.PC6_RANGE and not (
        first and last and 1 <= first <= last <= HIGHEST_HOUSE_NUMBER
    ):
        yield "area", "house_numbers"


def _parts(level: str, text: str) -> tuple[str, int | None, int | None]:
    """(area, first number, last number) of `1012AB 1-99`; numbers are None where there are none."""
    if level not in (CoverageLevel.PC6_RANGE, CoverageLevel.PC6):
        return text.upper(), None, None
    numbers = ""
    if level == CoverageLevel.PC6_RANGE:
        text, _, numbers = text.rpartition(" ")
    first, _, last = numbers.partition("-")
    whole = [int(n) if n.isascii() and n.isdecimal() and len(n) <= 5 else None for n in (first, last)]
    try:
        return parse_postcode(text), whole[0], whole[1]
    except InvalidPostcode:
        return "", None, None


def _line_of(cells: Mapping[str, str], number: int, check: _Check) -> Line:
    area, first, last = _parts(cells["level"], cells["area"])
    return Line(
        number=number,
        name=normal_name(cells["name"]),
        area=Area(
            level=cells["level"],
            area=area,
            number_from=first,
            number_to=last,
            valid_from=date.fromisoformat(cells["valid_from"]),
            valid_until=_date(cells.get("valid_until", "")),
        ),
        facts={name: _fact(name, cells[name], check) for name in _OF_THE_ORGANISATION if cells.get(name)},
    )


def _fact(name: str, text: str, check: _Check) -> Any:
    if name == "kind":
        return OrganisationKind(text)
    if name in _DATES:
        return _date(text)
    return check(text) if name in _EMAILS else text


def _contradictions(lines: Iterable[Line]) -> Iterator[Rejected]:
    """Lines of one organisation that do not agree, and areas that are listed twice."""
    for group in by_name(lines).values():
        said: dict[str, Any] = {}
        places: set[tuple[Any, ...]] = set()
        for line in group:
            for column, value in line.facts.items():
                if said.setdefault(column, value) != value:
                    yield Rejected(line=line.number, column=column, reason="contradicts_an_earlier_line")
            if place_of(line.area) in places:
                yield Rejected(line=line.number, column="area", reason="listed_twice")
            places.add(place_of(line.area))


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
