"""The facts that routing compares: coverage rows and the organisations of these rows."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from signals.routing.postcodes import HIGHEST_HOUSE_NUMBER, LOWEST_HOUSE_NUMBER
from signals.vocabulary import OrganisationKind

NATIONAL_AREA: Final = "NL"


class CoverageLevel(StrEnum):
    """The precision of a coverage row, from the longest match to the shortest."""

    PC6_RANGE = "pc6_range"
    PC6 = "pc6"
    PC4 = "pc4"
    MUNICIPALITY = "municipality"
    GGD_REGION = "ggd_region"
    NATIONAL = "national"


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverageRow:
    """An organisation covers an area from a date until a date, the latter excluded (None: without end).

    `area` is `1012AB`, `1012`, `GM0363`, `GG3406` or `NL` by level. House numbers go with `pc6_range` only;
    both ends are included, and None leaves that end open.
    """

    organisation_id: UUID
    level: CoverageLevel
    area: str
    number_from: int | None = None
    number_to: int | None = None
    valid_from: date
    valid_until: date | None = None

    @property
    def numbers(self) -> tuple[int, int]:
        """Return the first and the last house number, both included."""
        first = LOWEST_HOUSE_NUMBER if self.number_from is None else self.number_from
        last = HIGHEST_HOUSE_NUMBER if self.number_to is None else self.number_to
        return first, last

    def in_force(self, on: date) -> bool:
        """Return whether the row counts on a date; this does not look at the organisation."""
        return self.valid_from <= on and (self.valid_until is None or on < self.valid_until)


@dataclass(frozen=True, kw_only=True, slots=True)
class OrganisationFacts:
    """The facts that routing uses; `receives_from` is None before onboarding, `receives_until` excluded."""

    id: UUID
    name: str
    kind: OrganisationKind
    receives_from: date | None = None
    receives_until: date | None = None

    def receives(self, on: date) -> bool:
        """Return whether the organisation is onboarded and not suspended on a date."""
        if self.receives_from is None or on < self.receives_from:
            return False
        return self.receives_until is None or on < self.receives_until


RowsByArea = dict[tuple[CoverageLevel, str], tuple[CoverageRow, ...]]


def group_rows(rows: Iterable[CoverageRow]) -> RowsByArea:
    """Return the rows of each level and area, by start date."""
    grouped: dict[tuple[CoverageLevel, str], list[CoverageRow]] = defaultdict(list)
    for row in rows:
        grouped[row.level, row.area].append(row)
    return {key: tuple(sorted(found, key=lambda row: row.valid_from)) for key, found in grouped.items()}
