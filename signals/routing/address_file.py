"""Reader of the official CBS file "postcode 6 + huisnummer": in which municipality each address lies.

Eight million rows stream through in constant memory and leave a few thousand runs.
"""

import csv
import io
import re
import zipfile
import zlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import compress as selected
from itertools import groupby
from operator import itemgetter, methodcaller
from pathlib import Path
from string import ascii_uppercase
from typing import IO, BinaryIO, Final, NamedTuple, cast

# Names are compared without case, quotes, spaces and punctuation; a year comes and goes.
_COLUMNS: Final = {
    "pc6": re.compile(r"pc6|postcode6?|pc6code"),
    "huisnummer": re.compile(r"huisnummer|huisnr|hnr"),
    "gemeente": re.compile(r"(gemeente|gem|gm)(code)?(\d{4})?(code)?"),
}
_PC6: Final = re.compile(r"[1-9][0-9]{3}[A-Z]{2}")
_MUNICIPALITY: Final = re.compile(r"(?:GM)?0*([1-9][0-9]{0,3})")
_NUMBER: Final = re.compile(r"[0-9]{1,5}")
_SEPARATORS: Final = ";,\t"
_ZIP_MAGIC: Final = b"PK\x03\x04"
_HEADER_LIMIT: Final = 4096
_LETTER_PAIRS: Final = 26 * 26


_Value = str | int | bytes


class CbsFileProblem(ValueError):
    """The file cannot be used; the message says why, and `missing` names a column that was not found."""

    def __init__(self, message: str, *, missing: str | None = None) -> None:
        super().__init__(message)
        self.missing = missing


_UNREADABLE: Final = (CbsFileProblem, IndexError, csv.Error, zipfile.BadZipFile, zlib.error, EOFError)


class CbsRow(NamedTuple):
    """One address: `1012AB`, its house number, and the municipality `GM0363` in which it lies."""

    pc6: str
    number: int
    municipality_code: str


class Pc6Run(NamedTuple):
    """Postcodes of one municipality from `first` to `last`, both included, with the unused ones between.

    Of a partial file nothing is known to be unused, and every postcode of a run is in the file.
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

    `pc4s`: the four digits that it has addresses in; `rows`: how many addresses. `partial`: what is absent
    may be in use, so that nothing may be concluded from it.
    """

    pc6_runs: list[Pc6Run]
    ranges: list[NumberRange]
    pc4s: frozenset[int]
    rows: int
    partial: bool = False

    @property
    def municipality_codes(self) -> set[str]:
        """Every municipality that the file names."""
        return {run.municipality_code for run in self.pc6_runs} | {
            part.municipality_code for part in self.ranges
        }

    def postcodes(self) -> Iterator[str]:
        """Every postcode within the runs."""
        for run in self.pc6_runs:
            for pc4 in self._pc4s_of(run):
                yield from _postcodes_within(run, pc4)

    def exceptions(self, municipality_of_pc4: Callable[[int], str | None]) -> dict[str, str]:
        """Postcodes whose municipality is not that of their four digits: what `RoutingTable` needs.

        Only postcodes within runs are named, unused ones between used ones among them; but none of four
        digits that the file has no address in, for it says nothing of those.
        """
        found: dict[str, str] = {}
        for run in self.pc6_runs:
            for pc4 in self._pc4s_of(run):
                if municipality_of_pc4(pc4) != run.municipality_code:
                    found.update(dict.fromkeys(_postcodes_within(run, pc4), run.municipality_code))
        return found

    def _pc4s_of(self, run: Pc6Run) -> Iterator[int]:
        return (pc4 for pc4 in range(int(run.first[:4]), int(run.last[:4]) + 1) if pc4 in self.pc4s)


def compress_file(source: str | Path | BinaryIO, *, partial: bool = False) -> CompactCoverage:
    """What `compress(read_cbs_rows(source))` gives, several times as fast: for the eight million real rows.

    A house number is looked at only where a postcode lies in several municipalities; a stream must be binary
    and seekable, and stays open. Raises `CbsFileProblem`.
    """
    start = 0 if isinstance(source, str | Path) else source.tell()
    try:
        with _opened(source) as stream:
            columns, separator = _header(stream)
            compact = _compact(map(methodcaller("split", separator.encode()), stream), columns, partial)
    except _UNREADABLE:
        # Quoting or damage: the careful way copes with the one, and names the line of the other.
        if not isinstance(source, str | Path):
            source.seek(start)
        compact = _compress_carefully(source, partial)
    if not compact.pc6_runs:
        raise CbsFileProblem("the file has a header and no rows")
    return compact


def compress(rows: Iterable[CbsRow], *, partial: bool = False) -> CompactCoverage:
    """Runs and ranges in ascending order of rows in any order, but for one thing.

    Rows of a postcode in several municipalities must follow each other. Memory is 6 MB for a mark on each
    possible postcode, the runs, and the rows of one postcode. A house number that is listed twice counts
    where it is listed first. Raises `CbsFileProblem`.
    """
    return _compact(rows, _Columns(pc6=0, number=1, code=2), partial)


def read_cbs_rows(source: str | Path | BinaryIO) -> Iterator[CbsRow]:
    """Rows of a csv, or of the address file inside a zip, one at a time and in the order of the file.

    Columns are found by name (pc6, huisnummer, gemeente with or without "code" and a year), in any order,
    with `;`, `,` or tab between them, quoted or not; codes may be `0363`, `363` or `GM0363`. A stream must be
    binary and seekable, and stays open. Raises `CbsFileProblem` when a column is missing or a value is not
    what its column says.
    """
    with _opened(source) as stream, _careful_rows(stream) as (rows, columns):
        pc6, number, code = columns
        codes = _CodeBook()
        for row in rows:
            yield CbsRow(_canonical_pc6(row[pc6]), _house_number(row[number]), codes[row[code]])


def _compress_carefully(source: str | Path | BinaryIO, partial: bool) -> CompactCoverage:
    with _opened(source) as stream, _careful_rows(stream) as (rows, columns):
        return _compact(rows, columns, partial)


class _Columns(NamedTuple):
    pc6: int
    number: int
    code: int


class _CodeBook(dict[str, str]):
    """Canonical `GM0363` of every spelling of a code; each spelling is worked out once."""

    def __missing__(self, text: str) -> str:
        match = _MUNICIPALITY.fullmatch(text.strip())
        if match is None:
            raise CbsFileProblem("the municipality code is not one")
        code = self[text] = f"GM{int(match[1]):04}"
        return code


def _compact(rows: Iterable[Sequence[_Value]], columns: _Columns, partial: bool) -> CompactCoverage:
    """One pass that compares two texts a row and works only where either changes."""
    at_pc6, at_number, at_code = columns
    codes, compactor = _CodeBook(), _Compactor()
    pc6: _Value | None = None
    code: _Value | None = None
    numbers: list[_Value] = []
    for row in rows:
        if row[at_code] != code or row[at_pc6] != pc6:
            if row[at_pc6] != pc6:
                compactor.close()
                pc6 = row[at_pc6]
                compactor.open(_canonical_pc6(_text(pc6)))
            code = row[at_code]
            numbers = compactor.part(codes[_text(code)])
        numbers.append(row[at_number])
    compactor.close()
    return compactor.result(partial)


class _Compactor:
    """Collects the parts of one postcode, and marks its municipality once it is complete."""

    def __init__(self) -> None:
        # By four digits: the number in the code `GM0363` at each of 676 letter pairs, 0 where there is none.
        self._marks: dict[str, array[int]] = {}
        self._ranges: list[NumberRange] = []
        self._pc6 = ""
        self._parts: list[tuple[str, list[_Value]]] = []
        self._rows = 0

    def open(self, pc6: str) -> None:
        """Start a postcode."""
        self._pc6 = pc6

    def part(self, code: str) -> list[_Value]:
        """An empty list for house numbers of the postcode that lie in a municipality."""
        numbers: list[_Value] = []
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
        """All that was completed; of a partial file a run ends before each postcode that is absent."""
        return CompactCoverage(
            pc6_runs=list(self._runs(partial)),
            ranges=sorted(self._ranges),
            pc4s=frozenset(map(int, self._marks)),
            rows=self._rows,
            partial=partial,
        )

    def _split(self) -> str:
        """Add the ranges of the postcode; the municipality of its larger part."""
        by_number: dict[int, str] = {}
        for code, numbers in self._parts:
            for number in numbers:
                by_number.setdefault(_house_number(_text(number)), code)
        if len(set(by_number.values())) > 1:
            self._ranges.extend(_number_ranges(self._pc6, by_number))
        return _larger_part(by_number)

    def _runs(self, partial: bool) -> Iterator[Pc6Run]:
        def belongs(found: tuple[int, tuple[int, int]]) -> tuple[int, int]:
            # Where no postcode is absent, place and position grow alike.
            at, (mark, place) = found
            return mark, place - at if partial else 0

        for (mark, _), group in groupby(enumerate(self._marked()), key=belongs):
            places = [place for _, (_, place) in group]
            yield Pc6Run(_postcode(places[0]), _postcode(places[-1]), f"GM{mark:04}")

    def _marked(self) -> Iterator[tuple[int, int]]:
        """Mark and place of every postcode in the file, in ascending order."""
        for pc4, marks in sorted(self._marks.items()):
            start = _place(f"{pc4}AA")
            for pair in selected(range(_LETTER_PAIRS), marks):
                yield marks[pair], start + pair


def _place(pc6: str) -> int:
    return (int(pc6[:4]) - 1000) * _LETTER_PAIRS + (ord(pc6[4]) - 65) * 26 + ord(pc6[5]) - 65


def _postcode(place: int) -> str:
    digits, pair = divmod(place, _LETTER_PAIRS)
    return f"{1000 + digits}{ascii_uppercase[pair // 26]}{ascii_uppercase[pair % 26]}"


def _larger_part(by_number: Mapping[int, str]) -> str:
    """The municipality with most house numbers; of two with as many, the lower code."""
    counts = Counter(by_number.values())
    return min(counts, key=lambda code: (-counts[code], code))


def _number_ranges(pc6: str, by_number: Mapping[int, str]) -> Iterator[NumberRange]:
    """Neighbouring house numbers of one municipality as one range; numbers that nobody has belong to none."""
    for code, group in groupby(sorted(by_number.items()), key=itemgetter(1)):
        numbers = [number for number, _ in group]
        yield NumberRange(pc6, numbers[0], numbers[-1], code)


def _postcodes_within(run: Pc6Run, pc4: int) -> Iterator[str]:
    """Every six-character postcode of four digits that a run holds, in use or not."""
    start = (pc4 - 1000) * _LETTER_PAIRS
    first, last = max(start, _place(run.first)), min(start + _LETTER_PAIRS - 1, _place(run.last))
    return map(_postcode, range(first, last + 1))


def _canonical_pc6(text: str) -> str:
    if _PC6.fullmatch(text):
        return text
    repaired = text.replace(" ", "").upper()
    if not text.isascii() or not _PC6.fullmatch(repaired):
        raise CbsFileProblem("the postcode is not one")
    return repaired


def _house_number(text: str) -> int:
    if not _NUMBER.fullmatch(text.strip()):
        raise CbsFileProblem("the house number is not one")
    return int(text)


def _text(value: _Value) -> str:
    return value.decode("ascii", errors="replace") if isinstance(value, bytes) else str(value)


@contextmanager
def _careful_rows(stream: io.BufferedReader) -> Iterator[tuple[Iterable[list[str]], _Columns]]:
    """Rows as the csv rules want them; a problem inside the block is raised again with the line's number."""
    columns, separator = _header(stream)
    # Names of municipalities are not read, so a letter in another encoding must not stop the import.
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="")
    reader = csv.reader(text, delimiter=separator)
    try:
        # Blank lines give empty rows.
        yield filter(None, reader), columns
    except _UNREADABLE as problem:
        raise CbsFileProblem(f"line {reader.line_num + 1}: {_reason(problem)}") from None
    finally:
        text.detach()


def _reason(problem: Exception) -> str:
    """Why, with nothing of the file's content."""
    if isinstance(problem, CbsFileProblem):
        return str(problem)
    return "a column is missing" if isinstance(problem, IndexError) else "the file is damaged"


@contextmanager
def _opened(source: str | Path | BinaryIO) -> Iterator[io.BufferedReader]:
    """The csv in a file, a stream or a zip, from its header on."""
    with ExitStack() as stack:
        stream = stack.enter_context(open(source, "rb")) if isinstance(source, str | Path) else source
        start = stream.tell()
        is_zip = stream.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC
        stream.seek(start)
        raw = _unzipped(stream, stack) if is_zip else stream
        buffered: io.BufferedReader = io.BufferedReader(cast(io.RawIOBase, raw))
        stack.callback(buffered.detach)
        yield buffered


def _unzipped(stream: BinaryIO, stack: ExitStack) -> IO[bytes]:
    """The largest csv in the zip: the code lists that lie beside the address file are small."""
    try:
        archive = stack.enter_context(zipfile.ZipFile(stream))
        members = [each for each in archive.infolist() if each.filename.lower().endswith(".csv")]
        if not members:
            raise CbsFileProblem("the zip holds no csv file")
        return stack.enter_context(archive.open(max(members, key=lambda each: each.file_size)))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        # RuntimeError: encrypted. NotImplementedError: packed in a way that Python cannot read.
        raise CbsFileProblem("the zip is damaged or cannot be read") from None


def _header(stream: io.BufferedReader) -> tuple[_Columns, str]:
    """Places of the columns, and the separator: the one that the header has most of."""
    try:
        header = stream.readline(_HEADER_LIMIT).decode("utf-8-sig", errors="replace")
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise CbsFileProblem("the zip is damaged or cannot be read") from None
    separator = max(_SEPARATORS, key=header.count)
    return _columns_of(next(csv.reader([header], delimiter=separator), [])), separator


def _columns_of(header: Sequence[str]) -> _Columns:
    names = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in header]
    return _Columns(*(_place_of(wanted, pattern, names) for wanted, pattern in _COLUMNS.items()))


def _place_of(wanted: str, pattern: re.Pattern[str], names: Sequence[str]) -> int:
    places = [place for place, name in enumerate(names) if pattern.fullmatch(name)]
    if not places:
        raise CbsFileProblem(f"the column {wanted} is missing", missing=wanted)
    if len(places) > 1:
        raise CbsFileProblem(f"several columns could be {wanted}")
    return places[0]
