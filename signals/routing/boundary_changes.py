"""The receivers of an area on the day before a boundary change and on its day."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from signals.reference import Geography
from signals.routing.day_table import DayTable, NoNationalDesk, Route
from signals.routing.rows import CoverageLevel, CoverageRow, OrganisationFacts
from signals.routing.table import RoutingTable


@dataclass(frozen=True, slots=True, order=True)
class Receiver:
    """An organisation that receives."""

    id: UUID
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Handover:
    """Areas (`1231-1244`, `1394`, `1231AB`, `1231AB 1-99`) with one receiver before and one after a change.

    The two receivers are the same when nothing changes for these areas.
    """

    before: Receiver
    after: Receiver
    areas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Days:
    """The routes of the day before a change and of its day, and the rows finer than four digits."""

    before: DayTable
    after: DayTable
    finer: Sequence[CoverageRow]

    @classmethod
    def around(
        cls,
        effective: date,
        rows: Sequence[CoverageRow],
        organisations: Iterable[OrganisationFacts],
        geography: Geography,
    ) -> "Days | None":
        """Return both days; None when no national desk receives on one of them."""
        day_before = effective - timedelta(days=1)
        try:
            table = RoutingTable.build(rows, organisations, geography=geography)
            before, after = table.on(day_before), table.on(effective)
        except NoNationalDesk:
            return None
        finer = [
            row
            for row in rows
            if row.level in (CoverageLevel.PC6, CoverageLevel.PC6_RANGE)
            and (row.in_force(day_before) or row.in_force(effective))
        ]
        return cls(before, after, finer)

    def handovers(self, pc4_runs: Iterable[tuple[int, int]]) -> tuple[Handover, ...]:
        """Return the handovers in runs of four-digit postcodes (ends included), with their finer rows."""
        moved = [pc4 for first, last in pc4_runs for pc4 in range(first, last + 1)]
        areas: dict[tuple[Receiver, Receiver], list[str]] = {}
        digits: dict[tuple[Receiver, Receiver], list[int]] = {}
        for pc4 in moved:
            digits.setdefault(self._pair(str(pc4)), []).append(pc4)
        for pair, found in digits.items():
            areas[pair] = [_run_text(first, last) for first, last in _runs(found)]
        within = set(map(str, moved))
        for row in sorted(self.finer, key=lambda row: (row.area, row.numbers)):
            if row.area[:4] in within:
                known = areas.setdefault(self._pair(row.area, row.number_from), [])
                known += [text for text in [_area_text(row)] if text not in known]
        return tuple(
            Handover(before=before, after=after, areas=tuple(found))
            for (before, after), found in areas.items()
        )

    def _pair(self, postcode: str, number: int | None = None) -> tuple[Receiver, Receiver]:
        return _receiver(self.before, postcode, number), _receiver(self.after, postcode, number)


def _receiver(day: DayTable, postcode: str, number: int | None) -> Receiver:
    route: Route = day.pc4_routes()[postcode] if len(postcode) == 4 else day.route(postcode, number)
    return Receiver(route.organisation_id, route.name)


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = last = 0
    for number in numbers:
        if first and number == last + 1:
            last = number
            continue
        if first:
            yield first, last
        first = last = number
    if first:
        yield first, last


def _run_text(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _area_text(row: CoverageRow) -> str:
    if row.level is CoverageLevel.PC6:
        return row.area
    first, last = row.numbers
    return f"{row.area} {_run_text(first, last)}"
