"""Read a CSV file of organisations: each line in values of the domain, or every problem of the file."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from itertools import zip_longest
from typing import Any, Final, TextIO
from unicodedata import category

from signals.models import CoverageArea
from signals.organisations.onboarding import name_key, normal_name
from signals.routing.areas import EARLIEST, Area, area_problems
from signals.routing.postcodes import InvalidPostcode, parse_postcode
from signals.routing.rows import NATIONAL_AREA, CoverageLevel
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
"""Lines; the whole country needs far fewer."""

RECIPIENTS: Final = ("recipient_1", "recipient_2")
_EMAILS: Final = (*RECIPIENTS, "contact_email")
_DATES: Final = ("valid_from", "valid_until", "agreement_on")
_LENGTHS: Final = {"name": 120, "contact_phone": 40}
# One value for all lines of an organisation; an empty cell says nothing.
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
    """A line (the header is 1) that cannot be used, with its column and a stable code of the reason."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One area of one organisation, and the facts of the organisation by column."""

    number: int
    name: str
    area: Area
    facts: Mapping[str, Any] = field(repr=False)


Progress = Callable[[Sequence[Any], str], Iterable[Any]]
"""Goes through items one by one and can show progress; takes the items and a word for them."""
_Check = Callable[[str], str | None]


def silent(items: Sequence[Any], description: str) -> Iterable[Any]:
    """Return the items; a `Progress` that shows nothing."""
    del description
    return items


def read_lines(file: TextIO, progress: Progress = silent) -> tuple[list[Line], list[Rejected]]:
    """Return all lines, or all problems."""
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
    """Reading stops here; `args`: the reason, as a `Rejected`."""


def _rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the number of its first line. Raises `_Unreadable`.

    Rows of separators alone do not count: a spreadsheet writes them below its last row.
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
    check = cache(checked_email)  # most lines repeat the addresses of the line before
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
    """Return the lines of each organisation by `name_key`, in order."""
    grouped: dict[str, list[Line]] = {}
    for line in lines:
        grouped.setdefault(name_key(line.name), []).append(line)
    return grouped


def place_of(area: Area | CoverageArea) -> tuple[Any, ...]:
    """Return the key that a line and its coverage share: everything but the end."""
    return (area.level, area.area, area.number_from, area.number_to, area.valid_from)


def _separator(file: TextIO) -> str:
    """Return semicolon or comma, the one that the header has most of; Dutch spreadsheets write semicolons."""
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
        # Without the name: it may be personal data, when the file has no header.
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
    """Return the cells by column; None when cells and columns differ in number.

    Empty columns without a name do not count: a spreadsheet writes them to the right of its last column.
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
    """Return the text with plain spaces only (spreadsheets write no-break spaces), and none around it."""
    return "".join(" " if category(one) == "Zs" else one for one in text).strip()


def _reasons(cells: Mapping[str, str], check: _Check) -> Iterator[tuple[str, str]]:
    for name, text in cells.items():
        if not text.isprintable():  # control characters, and characters that change the direction of text
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
    for name in _DATES:
        if cells.get(name) and _date(cells[name]) is None:
            yield name, "not_a_date"


def _area_reasons(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the problems that `area_problems` finds, by column of the file."""
    is_known = cells["level"] in set(CoverageLevel)
    if cells["level"] and not is_known:
        yield "level", "unknown"
    area = _area_of(cells)
    if not is_known or not cells["area"]:  # check the dates alone
        area = replace(
            area, level=CoverageLevel.NATIONAL, area=NATIONAL_AREA, number_from=None, number_to=None
        )
    if _date(cells["valid_from"]) is None:
        area = replace(area, valid_from=EARLIEST)
    found: dict[str, str] = {}
    for problem in area_problems(area):
        column, reason = _AREA_REASONS[problem.field]
        found.setdefault(column, reason)
    yield from found.items()


_AREA_REASONS: Final = {
    "area": ("area", "unknown"),
    "number_from": ("area", "house_numbers"),
    "number_to": ("area", "house_numbers"),
    "valid_from": ("valid_from", "too_early"),
    "valid_until": ("valid_until", "not_after_valid_from"),
}


def _area_of(cells: Mapping[str, str]) -> Area:
    """Return the area of a line; of `1012AB 1-99` with house numbers, which are None when they are wrong."""
    level, text = cells["level"], cells["area"]
    first = last = None
    if level == CoverageLevel.PC6_RANGE:
        text, _, numbers = text.rpartition(" ")
        first, last = (_number(part) for part in [*numbers.split("-", 1), ""][:2])
    try:
        area = parse_postcode(text) if level in (CoverageLevel.PC6, CoverageLevel.PC6_RANGE) else text.upper()
    except InvalidPostcode:
        area = ""
    return Area(
        level=level,
        area=area,
        number_from=first,
        number_to=last,
        valid_from=_date(cells["valid_from"]) or date.max,
        valid_until=_date(cells.get("valid_until", "")),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else None


def _line_of(cells: Mapping[str, str], number: int, check: _Check) -> Line:
    return Line(
        number=number,
        name=normal_name(cells["name"]),
        area=_area_of(cells),
        facts={name: _fact(name, cells[name], check) for name in _OF_THE_ORGANISATION if cells.get(name)},
    )


def _fact(name: str, text: str, check: _Check) -> Any:
    if name == "kind":
        return OrganisationKind(text)
    if name in _DATES:
        return _date(text)
    return check(text) if name in _EMAILS else text


def _contradictions(lines: Iterable[Line]) -> Iterator[Rejected]:
    """Yield lines of one organisation that contradict each other, and areas that are listed twice."""
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
