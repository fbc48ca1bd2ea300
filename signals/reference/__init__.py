"""Routing facts of the Netherlands: the municipality, GGD region and province of a four-digit postcode.

Start at `geography`. Source: CBS (CC BY 4.0), state of 1 August 2024; see SOURCE.md beside the files.
"""

import csv
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, NamedTuple

SOURCE: Final = "Source: CBS (CC BY 4.0), state of 1 August 2024"
STATE_OF: Final = date(2024, 8, 1)
PC4S_IN_USE: Final = 4_072
"""Four-digit postcodes with addresses, as the official address file of `STATE_OF` has them."""
ADDRESSES: Final = 7_985_899
"""Rows of that file."""

ABSORBED: Final = "absorbed"
MERGED_INTO_NEW: Final = "merged_into_new"
SPLIT: Final = "split"


@dataclass(frozen=True, kw_only=True, slots=True)
class Municipality:
    """A gemeente: code `GM0363`, its GGD region `GG3406`, its province `PV27`, inhabitants rounded to 100."""

    code: str
    name: str
    ggd_code: str
    province_code: str
    inhabitants: int


@dataclass(frozen=True, kw_only=True, slots=True)
class GgdRegion:
    """A region of a public-health service (GGD): code `GG3406` and name."""

    code: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Province:
    """A province: code `PV27` and name."""

    code: str
    name: str


class Pc4Run(NamedTuple):
    """Four-digit postcodes from `first` to `last`, both included, that lie in one municipality."""

    first: int
    last: int
    municipality_code: str


class StraddlingPc4(NamedTuple):
    """One of the two municipalities of a four-digit postcode; the main one has more of its addresses."""

    pc4: int
    municipality_code: str
    is_main: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class BoundaryChange:
    """A municipality that ends on a date; `kind`: absorbed, merged_into_new or split; `planned`: to come."""

    effective_date: date
    old_code: str
    old_name: str
    new_code: str
    new_name: str
    kind: str
    planned: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Geography:
    """The map that routing uses; `state_of`: the date of the codes in the runs."""

    municipalities: Mapping[str, Municipality]
    pc4_runs: Sequence[Pc4Run]
    boundary_changes: Sequence[BoundaryChange]
    state_of: date


def municipality_of_pc4(pc4: int) -> str | None:
    """Return the (main) municipality of a four-digit postcode on `STATE_OF`; None outside every run."""
    firsts, runs = _pc4_index()
    position = bisect_right(firsts, pc4) - 1
    if position < 0:
        return None
    run = runs[position]
    return run.municipality_code if pc4 <= run.last else None


@lru_cache(maxsize=1)
def geography() -> Geography:
    """Return the shipped facts as one value."""
    return Geography(
        municipalities=municipalities(),
        pc4_runs=pc4_runs(),
        boundary_changes=boundary_changes(),
        state_of=STATE_OF,
    )


@lru_cache(maxsize=1)
def municipalities() -> Mapping[str, Municipality]:
    """Return the 342 municipalities by code."""
    return MappingProxyType(
        {
            row["code"]: Municipality(
                code=row["code"],
                name=row["name"],
                ggd_code=row["ggd_code"],
                province_code=row["province_code"],
                inhabitants=int(row["inhabitants_2024"]),
            )
            for row in _rows("municipalities.csv")
        }
    )


@lru_cache(maxsize=1)
def ggd_regions() -> Mapping[str, GgdRegion]:
    """Return the 25 GGD regions by code."""
    return MappingProxyType(
        {row["code"]: GgdRegion(code=row["code"], name=row["name"]) for row in _rows("ggd_regions.csv")}
    )


@lru_cache(maxsize=1)
def provinces() -> Mapping[str, Province]:
    """Return the 12 provinces by code."""
    return MappingProxyType(
        {row["code"]: Province(code=row["code"], name=row["name"]) for row in _rows("provinces.csv")}
    )


@lru_cache(maxsize=1)
def pc4_runs() -> Sequence[Pc4Run]:
    """Return the runs in ascending order; they do not overlap."""
    return tuple(
        Pc4Run(int(row["first_pc4"]), int(row["last_pc4"]), row["municipality_code"])
        for row in _rows("pc4_ranges.csv")
    )


@lru_cache(maxsize=1)
def straddling() -> Sequence[StraddlingPc4]:
    """Return two entries for each of the 20 four-digit postcodes in two municipalities."""
    return tuple(
        StraddlingPc4(int(row["pc4"]), row["municipality_code"], row["is_main"] == "1")
        for row in _rows("pc4_straddling.csv")
    )


@lru_cache(maxsize=1)
def boundary_changes() -> Sequence[BoundaryChange]:
    """Return the changes by date; a split has one entry for each municipality that gets a part."""
    changes = (
        BoundaryChange(
            effective_date=date.fromisoformat(row["effective_date"]),
            old_code=row["old_code"],
            old_name=row["old_name"],
            new_code=row["new_code"],
            new_name=row["new_name"],
            kind=row["kind"],
            planned=row["status"] == "planned",
        )
        for row in _rows("boundary_changes.csv")
    )
    return tuple(
        sorted(changes, key=lambda change: (change.effective_date, change.old_code, change.new_code))
    )


@lru_cache(maxsize=1)
def _pc4_index() -> tuple[list[int], Sequence[Pc4Run]]:
    runs = pc4_runs()
    return [run.first for run in runs], runs


def _rows(name: str) -> Iterator[dict[str, str]]:
    with files(__name__).joinpath(name).open(encoding="utf-8") as stream:
        yield from csv.DictReader(stream)
