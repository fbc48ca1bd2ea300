"""A csv of organisations as it is read: each line in values of the domain, or everything that is wrong."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TextIO
from unicodedata import category

from email_validator import EmailNotValidError, validate_email

from signals import reference
from signals.models import CoverageArea
from signals.organisations import LAST_NUMBER, Area
from signals.postcodes import InvalidPostcode, parse_postcode
from signals.routing_table import NATIONAL_AREA, CoverageLevel, municipalities_on
from signals.staff.identity import normal_email
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


def read_lines(file: TextIO) -> tuple[list[Line], list[Rejected]]:
    """All lines, or everything that is wrong with them."""
    reader = csv.DictReader(file, delimiter=_separator(file))
    problems = list(_header_problems(reader.fieldnames or ()))
    lines: list[Line] = []
    if problems:
        return lines, problems
    for row in reader:
        if reader.line_num > LARGEST_FILE:
            return [], [Rejected(line=reader.line_num, column="", reason="file_too_long")]
        if not any(row.values()):  # separators only: a spreadsheet's rows below the last one
            continue
        found = list(_cell_problems(row, reader.line_num))
        problems.extend(found)
        if not found:
            lines.append(_line_of(row, reader.line_num))
    problems.extend(_contradictions(lines))
    if not lines and not problems:
        problems.append(Rejected(line=1, column="", reason="no_lines"))
    return lines, sorted(problems, key=lambda problem: (problem.line, problem.column))


def by_name(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """The lines of each organisation, in their order."""
    grouped: dict[str, list[Line]] = {}
    for line in lines:
        grouped.setdefault(line.name, []).append(line)
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


def _header_problems(names: Iterable[str]) -> Iterator[Rejected]:
    present = list(names)
    for name in REQUIRED:
        if name not in present:
            yield Rejected(line=1, column=name, reason="missing")
    if any(name not in (*REQUIRED, *OPTIONAL) for name in present):
        # The name itself is not repeated: it may be a value, where somebody left the header out.
        yield Rejected(line=1, column="", reason="unknown_column")
    if len(set(present)) < len(present):
        yield Rejected(line=1, column="", reason="column_twice")


def _cell_problems(row: Mapping[str | None, Any], number: int) -> Iterator[Rejected]:
    if None in row or None in row.values():
        yield Rejected(line=number, column="", reason="number_of_cells")
        return
    for column, reason in _reasons(_cells(row)):
        yield Rejected(line=number, column=column, reason=reason)


def _cells(row: Mapping[Any, Any]) -> dict[str, str]:
    """The cells by column; every kind of space is one, for spreadsheets write no-break ones unseen."""
    return {str(name): _plain_spaces(str(value)).strip() for name, value in row.items()}


def _plain_spaces(text: str) -> str:
    return "".join(" " if category(one) == "Zs" else one for one in text)


def _reasons(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in cells.items():
        if not text.isprintable():  # control characters, and signs that turn the direction of what follows
            yield name, "control_characters"
    for name in REQUIRED:
        if not cells[name]:
            yield name, "required"
    for name, longest in _LENGTHS.items():
        if len(cells.get(name, "")) > longest:
            yield name, "too_long"
    if cells["kind"] and cells["kind"] not in set(OrganisationKind):
        yield "kind", "unknown"
    for name in _EMAILS:
        if cells.get(name) and _email(cells[name]) is None:
            yield name, "invalid"
    yield from _date_reasons(cells)
    yield from _area_reasons(cells)


def _date_reasons(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    dates = {name: _date(cells[name]) for name in _DATES if cells.get(name)}
    for name, value in dates.items():
        if value is None:
            yield name, "not_a_date"
    start, end = dates.get("valid_from"), dates.get("valid_until")
    if start and end and end <= start:
        yield "valid_until", "not_after_valid_from"


def _area_reasons(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if not cells["level"] or not cells["area"]:
        return
    if cells["level"] not in set(CoverageLevel):
        yield "level", "unknown"
        return
    area, first, last = _parts(cells["level"], cells["area"])
    if not _area_exists(CoverageLevel(cells["level"]), area):
        yield "area", "unknown"
    elif cells["level"] == CoverageLevel.PC6_RANGE and not (
        first and last and 1 <= first <= last <= LAST_NUMBER
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


def _area_exists(level: CoverageLevel, area: str) -> bool:
    geography = reference.geography()
    match level:
        case CoverageLevel.MUNICIPALITY:
            coming = {change.new_code for change in geography.boundary_changes}
            return area in geography.municipalities.keys() | municipalities_on(geography, date.max) | coming
        case CoverageLevel.GGD_REGION:
            return area in reference.ggd_regions()
        case CoverageLevel.NATIONAL:
            return area == NATIONAL_AREA
        case CoverageLevel.PC4:
            return len(area) == 4 and area.isascii() and area.isdecimal() and area >= "1000"
        case CoverageLevel.PC6 | CoverageLevel.PC6_RANGE:
            return bool(area)


def _line_of(row: Mapping[str, str], number: int) -> Line:
    cells = _cells(row)
    area, first, last = _parts(cells["level"], cells["area"])
    return Line(
        number=number,
        name=cells["name"],
        area=Area(
            level=cells["level"],
            area=area,
            number_from=first,
            number_to=last,
            valid_from=date.fromisoformat(cells["valid_from"]),
            valid_until=_date(cells.get("valid_until", "")),
        ),
        facts={name: _fact(name, cells[name]) for name in _OF_THE_ORGANISATION if cells.get(name)},
    )


def _fact(name: str, text: str) -> Any:
    if name == "kind":
        return OrganisationKind(text)
    if name in _DATES:
        return _date(text)
    return _email(text) if name in _EMAILS else text


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


def _email(text: str) -> str | None:
    """The address in its one spelling, as accounts and settings have it: else one person counts as two."""
    try:
        return normal_email(validate_email(text, check_deliverability=False).normalized)
    except EmailNotValidError:
        return None
