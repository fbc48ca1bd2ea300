"""The official address file in runs: eight million rows become a few thousand runs of postcodes.

Rows stream through in constant memory.
"""

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress as selected
from itertools import groupby
from operator import itemgetter
from string import ascii_uppercase
from typing import Final, NamedTuple

_PC6: Final = re.compile(r"[1-9][0-9]{3}[A-Z]{2}")
_MUNICIPALITY: Final = re.compile(r"(?:GM)?0*([1-9][0-9]{0,3})")
_NUMBER: Final = re.compile(r"[0-9]{1,5}")
_LETTER_PAIRS: Final = 26 * 26

Value = str | int | bytes
"""A cell of the file: text or bytes, or a number that was read."""


class CbsFileProblem(ValueError):
    """The file cannot be used; the message gives the reason, and `missing` names a column."""

    def __init__(self, message: str, *, missing: str | None = None) -> None:
        super().__init__(message)
        self.missing = missing


class CbsRow(NamedTuple):
    """One address: `1012AB`, its house number, and the municipality `GM0363` in which it lies."""

    pc6: str
    number: int
    municipality_code: str


class Columns(NamedTuple):
    pc6: int
    number: int
    code: int


class Pc6Run(NamedTuple):
    """Postcodes of one municipality from `first` to `last`, both included, with the unused ones between.

    In a partial file every postcode of a run is in the file: an absent one may be in use.
    """

    first: str
    last: str
    municipality_code: str


class NumberRange(NamedTuple):
    """House numbers, both ends included, of a postcode that lies in more than one municipality."""

    pc6: str
    number_from: int
    number_to: int
    municipality_code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CompactCoverage:
    """The file in runs; a postcode in several municipalities is in `ranges`, its larger part in a run.

    `pc4s`: the four digits with addresses; `rows`: the number of addresses. `partial`: an absent postcode
    may be in use.
    """

    pc6_runs: list[Pc6Run]
    ranges: list[NumberRange]
    pc4s: frozenset[int]
    rows: int
    partial: bool = False

    @property
    def municipality_codes(self) -> set[str]:
        """Return every municipality of the file."""
        return {run.municipality_code for run in self.pc6_runs} | {
            part.municipality_code for part in self.ranges
        }

    def postcodes(self) -> Iterator[str]:
        """Yield every postcode within the runs."""
        for run in self.pc6_runs:
            for pc4 in self._pc4s_of(run):
                yield from _postcodes_within(run, pc4)

    def exceptions(self, municipality_of_pc4: Callable[[int], str | None]) -> dict[str, str]:
        """Return the postcodes whose municipality differs from that of their four digits.

        Unused postcodes within a run count too. Four digits without an address in the file do not count: the
        file says nothing about them.
        """
        found: dict[str, str] = {}
        for run in self.pc6_runs:
            for pc4 in self._pc4s_of(run):
                if municipality_of_pc4(pc4) != run.municipality_code:
                    found.update(dict.fromkeys(_postcodes_within(run, pc4), run.municipality_code))
        return found

    def _pc4s_of(self, run: Pc6Run) -> Iterator[int]:
        return (pc4 for pc4 in range(int(run.first[:4]), int(run.last[:4]) + 1) if pc4 in self.pc4s)


def compress(rows: Iterable[CbsRow], *, partial: bool = False) -> CompactCoverage:
    """Return runs and ranges of rows in any order, except that rows of one split postcode must be adjacent.

    Memory is 6 MB for a mark on each possible postcode, the runs, and the rows of one postcode. The first row
    counts for a house number that is listed twice. Raises `CbsFileProblem`.
    """
    return compact_rows(rows, Columns(pc6=0, number=1, code=2), partial)


def compact_rows(rows: Iterable[Sequence[Value]], columns: Columns, partial: bool) -> CompactCoverage:
    """Compact rows in one pass: compare two cells a row, and work only where one of them changes."""
    at_pc6, at_number, at_code = columns
    codes, compactor = CodeBook(), _Compactor()
    pc6: Value | None = None
    code: Value | None = None
    numbers: list[Value] = []
    for row in rows:
        if row[at_code] != code or row[at_pc6] != pc6:
            if row[at_pc6] != pc6:
                compactor.close()
                pc6 = row[at_pc6]
                compactor.open(canonical_pc6(_text(pc6)))
            code = row[at_code]
            numbers = compactor.part(codes[_text(code)])
        numbers.append(row[at_number])
    compactor.close()
    return compactor.result(partial)


class CodeBook(dict[str, str]):
    """The canonical `GM0363` of every spelling of a code; each spelling is parsed once."""

    def __missing__(self, text: str) -> str:
        match = _MUNICIPALITY.fullmatch(text.strip())
        if match is None:
            raise CbsFileProblem("the municipality code is not one")
        code = self[text] = f"GM{int(match[1]):04}"
        return code


class _Compactor:
    """Collects the parts of one postcode, and marks its municipality when it is complete."""

    def __init__(self) -> None:
        # By four digits: the number in the code `GM0363` at each of 676 letter pairs, 0 where there is none.
        self._marks: dict[str, array[int]] = {}
        self._ranges: list[NumberRange] = []
        self._pc6 = ""
        self._parts: list[tuple[str, list[Value]]] = []
        self._rows = 0

    def open(self, pc6: str) -> None:
        """Start a postcode."""
        self._pc6 = pc6

    def part(self, code: str) -> list[Value]:
        """Return an empty list for the house numbers of the postcode in a municipality."""
        numbers: list[Value] = []
        self._parts.append((code, numbers))
        return numbers

    def close(self) -> None:
        """Complete the postcode, if there is one."""
        if not self._parts:
            return
        code, _ = self._parts[0]
        split = len({each for each, _ in self._parts}) > 1
        marks = self._marks.setdefault(self._pc6[:4], array("H"))
        if not marks:
            marks.extend([0] * _LETTER_PAIRS)
        pair = _place(self._pc6) % _LETTER_PAIRS
        if marks[pair] and (split or marks[pair] != int(code[2:])):
            raise CbsFileProblem("rows of one postcode lie apart: sort the file by pc6")
        marks[pair] = int((self._split() if split else code)[2:])
        self._rows += sum(len(numbers) for _, numbers in self._parts)
        self._parts.clear()

    def result(self, partial: bool) -> CompactCoverage:
        """Return all complete postcodes; in a partial file a run ends before each absent postcode."""
        return CompactCoverage(
            pc6_runs=list(self._runs(partial)),
            ranges=sorted(self._ranges),
            pc4s=frozenset(map(int, self._marks)),
            rows=self._rows,
            partial=partial,
        )

    def _split(self) -> str:
        """Add the ranges of the postcode; return the municipality of its larger part."""
        by_number: dict[int, str] = {}
        for code, numbers in self._parts:
            for number in numbers:
                by_number.setdefault(house_number(_text(number)), code)
        if len(set(by_number.values())) > 1:
            self._ranges.extend(number_ranges(self._pc6, by_number))
        return larger_part(by_number)

    def _runs(self, partial: bool) -> Iterator[Pc6Run]:
        def belongs(found: tuple[int, tuple[int, int]]) -> tuple[int, int]:
            # Place and position grow alike as long as no postcode is absent.
            at, (mark, place) = found
            return mark, place - at if partial else 0

        for (mark, _), group in groupby(enumerate(self._marked()), key=belongs):
            places = [place for _, (_, place) in group]
            yield Pc6Run(_postcode(places[0]), _postcode(places[-1]), f"GM{mark:04}")

    def _marked(self) -> Iterator[tuple[int, int]]:
        """Yield mark and place of every postcode in the file, in ascending order."""
        for pc4, marks in sorted(self._marks.items()):
            start = _place(f"{pc4}AA")
            for pair in selected(range(_LETTER_PAIRS), marks):
                yield marks[pair], start + pair


def _place(pc6: str) -> int:
    return (int(pc6[:4]) - 1000) * _LETTER_PAIRS + (ord(pc6[4]) - 65) * 26 + ord(pc6[5]) - 65


def _postcode(place: int) -> str:
    digits, pair = divmod(place, _LETTER_PAIRS)
    return f"{1000 + digits}{ascii_uppercase[pair // 26]}{ascii_uppercase[pair % 26]}"


def larger_part(by_number: Mapping[int, str]) -> str:
    """Return the municipality with most house numbers; between equals, the lower code."""
    counts = Counter(by_number.values())
    return min(counts, key=lambda code: (-counts[code], code))


def number_ranges(pc6: str, by_number: Mapping[int, str]) -> Iterator[NumberRange]:
    """Yield neighbouring house numbers of one municipality as one range."""
    for code, group in groupby(sorted(by_number.items()), key=itemgetter(1)):
        numbers = [number for number, _ in group]
        yield NumberRange(pc6, numbers[0], numbers[-1], code)


def _postcodes_within(run: Pc6Run, pc4: int) -> Iterator[str]:
    """Return every six-character postcode of four digits within a run, in use or not."""
    start = (pc4 - 1000) * _LETTER_PAIRS
    first, last = max(start, _place(run.first)), min(start + _LETTER_PAIRS - 1, _place(run.last))
    return map(_postcode, range(first, last + 1))


def canonical_pc6(text: str) -> str:
    if _PC6.fullmatch(text):
        return text
    repaired = text.replace(" ", "").upper()
    if not text.isascii() or not _PC6.fullmatch(repaired):
        raise CbsFileProblem("the postcode is not one")
    return repaired


def house_number(text: str) -> int:
    if not _NUMBER.fullmatch(text.strip()):
        raise CbsFileProblem("the house number is not one")
    return int(text)


def _text(value: Value) -> str:
    return value.decode("ascii", errors="replace") if isinstance(value, bytes) else str(value)
