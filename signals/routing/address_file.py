"""Read the official CBS file "postcode 6 + huisnummer", which gives the municipality of each address."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from operator import methodcaller
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

from signals.routing.compact_coverage import (
    CbsFileProblem,
    CbsRow,
    CodeBook,
    Columns,
    CompactCoverage,
    canonical_pc6,
    compact_rows,
    house_number,
)

Wanted = Mapping[str, re.Pattern[str]]
"""Columns by the pattern of their names, compared without case, quotes, spaces and punctuation."""

# A year comes and goes.
_COLUMNS: Final[Wanted] = {
    "pc6": re.compile(r"pc6|postcode6?|pc6code"),
    "huisnummer": re.compile(r"huisnummer|huisnr|hnr"),
    "gemeente": re.compile(r"(gemeente|gem|gm)(code)?(\d{4})?(code)?"),
}
_SEPARATORS: Final = ";,\t"
_ZIP_MAGIC: Final = b"PK\x03\x04"
_HEADER_LIMIT: Final = 4096


_UNREADABLE: Final = (CbsFileProblem, IndexError, csv.Error, zipfile.BadZipFile, zlib.error, EOFError)


def compress_file(source: str | Path | BinaryIO, *, partial: bool = False) -> CompactCoverage:
    """Return what `compress(read_cbs_rows(source))` returns, several times as fast.

    It reads house numbers only for a postcode in several municipalities. A stream must be binary and
    seekable, and stays open. Raises `CbsFileProblem`.
    """
    start = 0 if isinstance(source, str | Path) else source.tell()
    try:
        with opened(source) as stream:
            columns, separator = _header(stream, _COLUMNS)
            rows = map(methodcaller("split", separator.encode()), stream)
            compact = compact_rows(rows, Columns(*columns), partial)
    except _UNREADABLE:
        # Quotes or damage: the careful reader handles quotes, and names the line of damage.
        if not isinstance(source, str | Path):
            source.seek(start)
        compact = _compress_carefully(source, partial)
    if not compact.pc6_runs:
        raise CbsFileProblem("the file has a header and no rows")
    return compact


def read_cbs_rows(source: str | Path | BinaryIO) -> Iterator[CbsRow]:
    """Yield the rows of a CSV file, or of the address file inside a zip, in order.

    Columns are found by name (pc6, huisnummer, gemeente with or without "code" and a year), in any order,
    with `;`, `,` or tab between them, quoted or not; codes may be `0363`, `363` or `GM0363`. A stream must be
    binary and seekable, and stays open. Raises `CbsFileProblem` for a missing column or a wrong value.
    """
    with opened(source) as stream, careful_rows(stream, _COLUMNS) as (rows, (pc6, number, code)):
        codes = CodeBook()
        for row in rows:
            yield CbsRow(canonical_pc6(row[pc6]), house_number(row[number]), codes[row[code]])


def _compress_carefully(source: str | Path | BinaryIO, partial: bool) -> CompactCoverage:
    with opened(source) as stream, careful_rows(stream, _COLUMNS) as (rows, columns):
        return compact_rows(rows, Columns(*columns), partial)


@contextmanager
def careful_rows(
    stream: io.BufferedReader, wanted: Wanted
) -> Iterator[tuple[Iterable[list[str]], Sequence[int]]]:
    """Give rows by the CSV rules, and the places of the wanted columns.

    A problem inside the block gets the number of its line.
    """
    columns, separator = _header(stream, wanted)
    # A letter in another encoding must not stop the import of numbers; a reader of names refuses it.
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
    """Return the reason, without content of the file."""
    if isinstance(problem, CbsFileProblem):
        return str(problem)
    return "a column is missing" if isinstance(problem, IndexError) else "the file is damaged"


@contextmanager
def opened(source: str | Path | BinaryIO) -> Iterator[io.BufferedReader]:
    """Open the CSV in a file, a stream or a zip, at its header."""
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
    """Open the largest CSV in the zip: the code lists beside the address file are small."""
    try:
        archive = stack.enter_context(zipfile.ZipFile(stream))
        members = [each for each in archive.infolist() if each.filename.lower().endswith(".csv")]
        if not members:
            raise CbsFileProblem("the zip holds no csv file")
        return stack.enter_context(archive.open(max(members, key=lambda each: each.file_size)))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        # RuntimeError: encrypted. NotImplementedError: packed in a way that Python cannot read.
        raise CbsFileProblem("the zip is damaged or cannot be read") from None


def _header(stream: io.BufferedReader, wanted: Wanted) -> tuple[Sequence[int], str]:
    """Return the columns, and the separator that the header has most of."""
    try:
        header = stream.readline(_HEADER_LIMIT).decode("utf-8-sig", errors="replace")
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise CbsFileProblem("the zip is damaged or cannot be read") from None
    separator = max(_SEPARATORS, key=header.count)
    header_cells = next(csv.reader([header], delimiter=separator), [])
    names = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in header_cells]
    return [_place_of(column, pattern, names) for column, pattern in wanted.items()], separator


def _place_of(wanted: str, pattern: re.Pattern[str], names: Sequence[str]) -> int:
    places = [place for place, name in enumerate(names) if pattern.fullmatch(name)]
    if not places:
        raise CbsFileProblem(f"the column {wanted} is missing", missing=wanted)
    if len(places) > 1:
        raise CbsFileProblem(f"several columns could be {wanted}")
    return places[0]
