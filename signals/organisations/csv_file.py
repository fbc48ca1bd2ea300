"""Read a CSV file of organisations: each line in values of the domain, or every problem of the file."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import partial
from itertools import zip_longest
from typing import Any, Final, TextIO
from unicodedata import category

from signals.organisations.onboarding import normal_name
from signals.routing.areas import EARLIEST, Area, area_problems
from signals.routing.postcodes import InvalidPostcode, parse_postcode
from signals.routing.rows import CoverageLevel
from signals.staff.identity import checked_email
from signals.vocabulary import OrganisationKind

REQUIRED: Final = ("name", "kind", "level", "area", "valid_from")
RECIPIENTS: Final = ("recipient_1", "recipient_2")


class FileProblem(StrEnum):
    """The reasons to reject a line, a header or a file."""

    MISSING = "missing"
    UNKNOWN_COLUMN = "unknown_column"
    COLUMN_TWICE = "column_twice"
    NUMBER_OF_CELLS = "number_of_cells"
    REQUIRED = "required"
    TOO_LONG = "too_long"
    UNKNOWN = "unknown"
    INVALID = "invalid"
    NOT_A_DATE = "not_a_date"
    TOO_EARLY = "too_early"
    NOT_AFTER_VALID_FROM = "not_after_valid_from"
    HOUSE_NUMBERS = "house_numbers"
    CONTRADICTS_AN_EARLIER_LINE = "contradicts_an_earlier_line"
    CONTROL_CHARACTERS = "control_characters"
    KIND_DIFFERS = "kind_differs"
    COVERED_ALREADY = "covered_already"
    END_NOT_ALLOWED = "end_not_allowed"
    STOPS_UNVERIFIED = "stops_unverified"
    STOPS_RECEIVING = "stops_receiving"
    QUOTE_NOT_CLOSED = "quote_not_closed"
    COORDINATOR = "coordinator"
    NO_LINES = "no_lines"


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """A line (the header is 1) that cannot be used, with its column and the reason."""

    line: int
    column: str = ""
    reason: FileProblem


@dataclass(frozen=True, kw_only=True)
class Line:
    """One area of one organisation, and the facts of the organisation by column."""

    number: int
    name: str
    area: Area
    facts: Mapping[str, Any] = field(repr=False)


def read_lines(file: TextIO) -> tuple[list[Line], list[Rejected]]:
    """Return all lines, or all problems."""
    rows = _rows(csv.reader(file, delimiter=_separator(file), strict=True))
    columns = [_plain(cell).casefold() for cell in next(rows, (1, None))[1] or ()]
    problems = list(_header_problems(columns))
    return ([], problems) if problems else _read(columns, rows)


def _separator(file: TextIO) -> str:
    """Return semicolon or comma, the one that the header has most of; Dutch spreadsheets write semicolons."""
    start = file.tell()
    header = file.readline()
    file.seek(start)
    return max(";,", key=header.count)


def _rows(reader: Any) -> Iterator[tuple[int, list[str] | None]]:
    """Yield each row with the number of its first line; None for a row that never ends.

    Rows of separators alone do not count: a spreadsheet writes them below its last row.
    """
    start = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield start, row
            start = reader.line_num + 1
    except csv.Error:
        yield start, None


def _header_problems(columns: Sequence[str]) -> Iterator[Rejected]:
    present = [name for name in columns if name]
    for name in REQUIRED:
        if name not in present:
            yield Rejected(line=1, column=name, reason=FileProblem.MISSING)
    if not set(present) <= _PARSERS.keys():
        # Without the name: it may be personal data, when the file has no header.
        yield Rejected(line=1, reason=FileProblem.UNKNOWN_COLUMN)
    if len(set(present)) < len(present):
        yield Rejected(line=1, reason=FileProblem.COLUMN_TWICE)


def _read(
    columns: list[str], rows: Iterable[tuple[int, list[str] | None]]
) -> tuple[list[Line], list[Rejected]]:
    lines: list[Line] = []
    rejected: list[Rejected] = []
    for number, row in rows:
        values, problems = _parsed(columns, row)
        area = _area_of(values, problems)
        if area is not None and not problems:
            facts = {name: value for name, value in values.items() if name not in _OF_THE_LINE}
            lines.append(Line(number=number, name=values["name"], area=area, facts=facts))
        rejected += [Rejected(line=number, column=name, reason=why) for name, why in problems.items()]
    if not lines and not rejected:
        rejected.append(Rejected(line=1, reason=FileProblem.NO_LINES))
    return lines, sorted(rejected, key=lambda problem: (problem.line, problem.column))


def _cells(columns: list[str], row: list[str]) -> dict[str, str] | None:
    """Return the cells by column; None when cells and columns differ in number.

    Empty columns without a name do not count: a spreadsheet writes them to the right of its last column.
    """
    cells: dict[str, str] = {}
    for name, cell in zip_longest(columns, row):
        if name and cell is not None:
            cells[name] = _plain(cell)
        elif name or (cell and cell.strip()):
            return None
    return cells


def _plain(text: str) -> str:
    """Return the text with plain spaces only (spreadsheets write no-break spaces), and none around it."""
    return "".join(" " if category(one) == "Zs" else one for one in text).strip()


def _parsed(columns: list[str], row: list[str] | None) -> tuple[dict[str, Any], dict[str, FileProblem]]:
    """Return the values of a line by column, and the problems by column; an empty cell has no value."""
    if row is None:
        return {}, {"": FileProblem.QUOTE_NOT_CLOSED}
    cells = _cells(columns, row)
    if cells is None:
        return {}, {"": FileProblem.NUMBER_OF_CELLS}
    values: dict[str, Any] = {}
    problems: dict[str, FileProblem] = {}
    for name, text in cells.items():
        parse, reason = _PARSERS[name]
        if not text.isprintable():  # control characters, and characters that change the direction of text
            problems[name] = FileProblem.CONTROL_CHARACTERS
        elif text:
            try:
                values[name] = parse(text)
            except ValueError:
                problems[name] = reason
        elif name in REQUIRED:
            problems[name] = FileProblem.REQUIRED
    return values, problems


def _text(text: str, *, longest: int) -> str:
    if len(normal_name(text)) > longest:
        raise ValueError
    return normal_name(text)


def _email(text: str) -> str:
    if (address := checked_email(text)) is None:
        raise ValueError
    return address


def _date(text: str) -> date:
    if len(text) != len("2026-01-31"):
        raise ValueError
    return date.fromisoformat(text)


_DATE: Final = (_date, FileProblem.NOT_A_DATE)
_EMAIL: Final = (_email, FileProblem.INVALID)
_PARSERS: Final[Mapping[str, tuple[Callable[[str], Any], FileProblem]]] = {
    "name": (partial(_text, longest=120), FileProblem.TOO_LONG),
    "kind": (OrganisationKind, FileProblem.UNKNOWN),
    "level": (CoverageLevel, FileProblem.UNKNOWN),
    "area": (str, FileProblem.UNKNOWN),
    "valid_from": _DATE,
    "valid_until": _DATE,
    "agreement_on": _DATE,
    "legal_basis": (str, FileProblem.UNKNOWN),
    "retention_basis": (str, FileProblem.UNKNOWN),
    "recipient_1": _EMAIL,
    "recipient_2": _EMAIL,
    "contact_phone": (partial(_text, longest=40), FileProblem.TOO_LONG),
    "contact_email": _EMAIL,
}
"""The parser of each column, and the problem when it raises `ValueError`."""
_OF_THE_LINE: Final = frozenset({"name", "level", "area", "valid_from", "valid_until"})
"""The other columns have one value for all lines of an organisation; an empty cell says nothing."""
_OF_THE_AREA: Final = {
    "area": ("area", FileProblem.UNKNOWN),
    "number_from": ("area", FileProblem.HOUSE_NUMBERS),
    "number_to": ("area", FileProblem.HOUSE_NUMBERS),
    "valid_from": ("valid_from", FileProblem.TOO_EARLY),
    "valid_until": ("valid_until", FileProblem.NOT_AFTER_VALID_FROM),
}
"""The column and the problem for each field of `area_problems`."""


def _area_of(values: Mapping[str, Any], problems: dict[str, FileProblem]) -> Area | None:
    """Return the area of a line (of `1012AB 1-99` with house numbers), and add what is wrong with it."""
    if "level" not in values or "area" not in values:
        return None
    level, text = values["level"], values["area"]
    first = last = None
    if level is CoverageLevel.PC6_RANGE:
        text, _, numbers = text.rpartition(" ")
        first, last = (_number(part) for part in [*numbers.split("-", 1), ""][:2])
    area = Area(
        level=level,
        area=_postcode(text) if level in (CoverageLevel.PC6, CoverageLevel.PC6_RANGE) else text.upper(),
        number_from=first,
        number_to=last,
        valid_from=values.get("valid_from", EARLIEST),
        valid_until=values.get("valid_until"),
    )
    for problem in area_problems(area):
        column, reason = _OF_THE_AREA[problem.field]
        problems.setdefault(column, reason)
    return area


def _postcode(text: str) -> str:
    try:
        return parse_postcode(text)
    except InvalidPostcode:
        return ""


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else None
