"""The numbers of a released table, found by measure and keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from privacy.disclosure.tables import TOTAL
from signals.statistics import ReleasedTable
from signals.web.figures.shares import Share, share


@dataclass(frozen=True)
class Numbers:
    """One table; a missing key means the margin: `numbers.get("signals")` is the grand total."""

    table: ReleasedTable

    def get(self, measure: str, **keys: str) -> int | None:
        """Return the value of a cell, None when it is hidden; raise `KeyError` when there is no such cell."""
        dimensions = self.table.schema.dimensions
        return self._values[tuple(keys.get(one.name, TOTAL) for one in dimensions), measure]

    def share(self, part: str, whole: str, **keys: str) -> Share | None:
        """Return one measure as a share of another in the same cell."""
        return share(self.get(part, **keys), self.get(whole, **keys))

    def members(self, dimension: str) -> tuple[str, ...]:
        """Return the members of a dimension, without the margin."""
        return next(one.members for one in self.table.schema.dimensions if one.name == dimension)

    @cached_property
    def _values(self) -> Mapping[tuple[tuple[str, ...], str], int | None]:
        return {(keys, measure): value for keys, measure, value in self.table.rows}
