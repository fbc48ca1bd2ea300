"""Which published cells are tied to which: everything an outsider can add up and subtract, stated once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from privacy.disclosure.tables import (
    QUARTER,
    TOTAL,
    WINDOW,
    YEAR,
    Cell,
    Dimension,
    Relation,
    Schema,
    read_period,
)


class Fact(NamedTuple):
    """What a cell says, wherever it stands: cells with the same fact are one number."""

    counted_by: str
    measure: str
    period: str
    where: frozenset[tuple[str, str]]


def relations(schemas: Iterable[Schema], cells: Iterable[Cell]) -> list[Relation]:
    """All sums and bounds between these cells, as an outsider knows them from the schemas alone.

    Sums within a table, a year as its quarters, a window as its years, areas as their parts, the same fact in
    two tables, sub-counts. Cells that nobody published appear (with the table "") where two sums meet in
    them. Where a sum lacks a part, the total is at least the rest. Derived measures are in no relation.
    ValueError when schemas contradict each other or a cell is in none of them.
    """
    atlas = _Atlas(tuple(schemas))
    facts, found = _facts_of(atlas, cells)
    _add_unpublished_years(atlas, facts)
    lines = _add_unpublished_sums(atlas, facts)
    for line, fine in lines.items():
        if not _goes_by_areas(atlas, lines, line):
            found += _relations_of(atlas, facts, line, fine)
    found += list(_sub_counts(atlas, facts))
    return _without_loose_ends(found)


class _Line(NamedTuple):
    """A coarse fact and the way it is split: by a dimension, by area or by period."""

    total: Fact
    by: str


class _Atlas:
    """What the schemas say together."""

    def __init__(self, schemas: Sequence[Schema]) -> None:
        self.schemas = {schema.name: schema for schema in schemas}
        if len(self.schemas) != len(schemas):
            raise ValueError("two tables have the same name")
        self.dimensions: dict[str, Dimension] = {}
        self.part_of: dict[tuple[str, str], str] = {}
        self.same_as: dict[tuple[str, str], tuple[str, str]] = {}
        for schema in schemas:
            self._learn_dimensions(schema)
            self._learn_measures(schema)
        self.impossible = _impossible(schemas)
        self.windows: frozenset[str] = frozenset()
        self._parts: dict[_Line, int] = {}

    def _learn_dimensions(self, schema: Schema) -> None:
        for dimension in schema.dimensions:
            if self.dimensions.setdefault(dimension.name, dimension) != dimension:
                raise ValueError(f"dimension {dimension.name}: tables do not agree on it")

    def _learn_measures(self, schema: Schema) -> None:
        for measure in schema.measures:
            key = (schema.counted_by, measure.name)
            parent = "" if measure.part_of is None else measure.part_of
            if self.part_of.setdefault(key, parent) != parent:
                raise ValueError(f"measure {measure.name}: tables do not agree on it")
            if (
                measure.same_as is not None
                and self.same_as.setdefault(key, measure.same_as) != measure.same_as
            ):
                raise ValueError(f"measure {measure.name}: tables do not agree on it")

    def fact(self, cell: Cell) -> Fact | None:
        """What the cell says; None for a derived measure."""
        schema = self.schemas.get(cell.table)
        if schema is None or not schema.has(cell):
            raise ValueError(f"no such cell in the schemas: {cell.table[:40]} {'/'.join(cell.keys)[:80]}")
        if read_period(cell.period).kind not in schema.periods:
            raise ValueError(f"table {cell.table}: not published per {read_period(cell.period).kind}")
        if schema.measure(cell.measure).derived:
            return None
        names = (dimension.name for dimension in schema.dimensions)
        where = {(name, key) for name, key in zip(names, cell.keys, strict=True) if key != TOTAL}
        return self._canonical(schema.counted_by, cell.measure, cell.period, where)

    def _canonical(self, counted_by: str, measure: str, period: str, where: set[tuple[str, str]]) -> Fact:
        while (alias := self.same_as.get((counted_by, measure))) is not None:
            where.add(alias)
            measure = self.part_of[counted_by, measure]
        return Fact(counted_by, measure, period, frozenset(where))

    def cannot_occur(self, fact: Fact) -> bool:
        """Whether the fact is known to be 0 beforehand."""
        return any(
            pattern <= fact.where for counted_by, pattern in self.impossible if counted_by == fact.counted_by
        )

    def parts(self, line: _Line) -> list[Fact]:
        """Every part of the line that can be other than 0."""
        total = line.total
        if line.by == "period":
            parts = [total._replace(period=period) for period in _finer_periods(total.period)]
        else:
            parts = [
                total._replace(where=(total.where - dropped) | {(line.by, member)})
                for member, dropped in self._members(line)
            ]
        return [part for part in parts if not self.cannot_occur(part)]

    def is_complete(self, line: _Line, there: int) -> bool:
        """Whether so many facts are all the parts of the line."""
        if line not in self._parts:
            self._parts[line] = len(self.parts(line))
        return there >= self._parts[line]

    def _members(self, line: _Line) -> Iterator[tuple[str, frozenset[tuple[str, str]]]]:
        dimension = self.dimensions[line.by]
        areas = [pair for pair in line.total.where if pair[0] == dimension.within]
        for member in dimension.members:
            if not areas:
                yield member, frozenset()
            elif dimension.parent is not None and dimension.parent[member] == areas[0][1]:
                yield member, frozenset(areas)

    def lines_through(self, fact: Fact) -> Iterator[_Line]:
        """The coarser facts that this one is a part of."""
        for name, member in fact.where:
            dimension = self.dimensions.get(name)
            if dimension is None:
                continue
            rest = fact.where - {(name, member)}
            yield _Line(fact._replace(where=rest), name)
            if dimension.parent is not None and dimension.within is not None:
                area = (dimension.within, dimension.parent[member])
                yield _Line(fact._replace(where=rest | {area}), name)
        for period in self._coarser_periods(fact.period):
            yield _Line(fact._replace(period=period), "period")

    def _coarser_periods(self, text: str) -> Iterator[str]:
        period = read_period(text)
        if period.kind == QUARTER:
            yield str(period.first)
        elif period.kind == YEAR:
            yield from (
                window
                for window in self.windows
                if (w := read_period(window)).first <= period.first <= w.last
            )


def _impossible(schemas: Iterable[Schema]) -> list[tuple[str, frozenset[tuple[str, str]]]]:
    return [
        (
            schema.counted_by,
            frozenset(
                (dimension.name, key)
                for dimension, key in zip(schema.dimensions, pattern, strict=True)
                if key not in (TOTAL, "*")
            ),
        )
        for schema in schemas
        for pattern in schema.impossible
    ]


def _finer_periods(text: str) -> list[str]:
    period = read_period(text)
    if period.kind == YEAR:
        return [f"{period.first}-Q{quarter}" for quarter in range(1, 5)]
    return [str(year) for year in range(period.first, period.last + 1)] if period.kind == WINDOW else []


def _facts_of(atlas: _Atlas, cells: Iterable[Cell]) -> tuple[dict[Fact, Cell], list[Relation]]:
    """The first cell that says each fact, and that the others are equal to it."""
    facts: dict[Fact, Cell] = {}
    equal = []
    for cell in sorted(set(cells)):
        fact = atlas.fact(cell)
        if fact is None:
            continue
        first = facts.setdefault(fact, cell)
        if first != cell:
            equal.append(Relation(first, (cell,), exact=True))
    atlas.windows = frozenset(fact.period for fact in facts if read_period(fact.period).kind == WINDOW)
    return facts, equal


def _add_unpublished_years(atlas: _Atlas, facts: dict[Fact, Cell]) -> None:
    """Windows that overlap can be subtracted: then the years they share stand between them."""
    windows = [read_period(window) for window in atlas.windows]
    overlap = any(
        one != other and one.first <= other.last and other.first <= one.last
        for one in windows
        for other in windows
    )
    if overlap:
        for fact in [fact for fact in facts if fact.period in atlas.windows]:
            for year in _finer_periods(fact.period):
                _add(facts, fact._replace(period=year))


def _add_unpublished_sums(atlas: _Atlas, facts: dict[Fact, Cell]) -> dict[_Line, list[Fact]]:
    """Every line with the facts that are there for it; a sum with all its parts becomes a fact itself."""
    lines: dict[_Line, list[Fact]] = defaultdict(list)
    waiting = list(facts)
    while waiting:
        fact = waiting.pop()
        for line in atlas.lines_through(fact):
            lines[line].append(fact)
            if (
                line.total not in facts
                and _is_a_sum(atlas, line)
                and atlas.is_complete(line, len(lines[line]))
            ):
                _add(facts, line.total)
                waiting.append(line.total)
    return lines


def _add(facts: dict[Fact, Cell], fact: Fact) -> None:
    where = tuple(f"{name}={member}" for name, member in sorted(fact.where))
    facts.setdefault(fact, Cell("", fact.period, where, f"{fact.counted_by}:{fact.measure}"))


def _is_a_sum(atlas: _Atlas, line: _Line) -> bool:
    return line.by == "period" or atlas.dimensions[line.by].exclusive


def _goes_by_areas(atlas: _Atlas, lines: dict[_Line, list[Fact]], line: _Line) -> bool:
    """Whether the sum is said already by the areas that the members lie in, all of which are there."""
    within = None if line.by == "period" else atlas.dimensions[line.by].within
    by_area = _Line(line.total, within or "")
    return (
        within in atlas.dimensions
        and within not in {name for name, _ in line.total.where}
        and atlas.is_complete(line, len(lines[line]))
        and by_area in lines
        and atlas.is_complete(by_area, len(lines[by_area]))
    )


def _relations_of(
    atlas: _Atlas, facts: dict[Fact, Cell], line: _Line, fine: Sequence[Fact]
) -> Iterator[Relation]:
    total = facts.get(line.total)
    if total is None:
        return
    parts = [facts[fact] for fact in sorted(fine, key=lambda fact: facts[fact])]
    if _is_a_sum(atlas, line):
        yield Relation(total, tuple(parts), exact=atlas.is_complete(line, len(fine)))
    else:
        yield from (Relation(total, (part,), exact=False) for part in parts)


def _sub_counts(atlas: _Atlas, facts: dict[Fact, Cell]) -> Iterator[Relation]:
    for fact, cell in facts.items():
        parent = atlas.part_of.get((fact.counted_by, fact.measure))
        total = facts.get(fact._replace(measure=parent)) if parent else None
        if total is not None:
            yield Relation(total, (cell,), exact=False)
    yield from _through_unknown_dimensions(atlas, facts)


def _through_unknown_dimensions(atlas: _Atlas, facts: dict[Fact, Cell]) -> Iterator[Relation]:
    """A sub-count that equals a member of a dimension which no table here has is a part all the same."""
    for fact, cell in facts.items():
        for pair in fact.where:
            if pair[0] not in atlas.dimensions:
                total = facts.get(fact._replace(where=fact.where - {pair}))
                if total is not None:
                    yield Relation(total, (cell,), exact=False)


def _without_loose_ends(found: list[Relation]) -> list[Relation]:
    """Leave out the sums of unpublished cells that nothing else meets: they say nothing."""
    while True:
        uses: dict[Cell, int] = defaultdict(int)
        for relation in found:
            for cell in (relation.total, *relation.parts):
                uses[cell] += 1
        tells = _tells(uses)
        kept = [relation for relation in found if tells(relation)]
        if len(kept) == len(found):
            return kept
        found = kept


def _tells(uses: dict[Cell, int]) -> Callable[[Relation], bool]:
    def tells(relation: Relation) -> bool:
        loose_total = relation.total.table == "" and uses[relation.total] == 1
        loose_parts = any(part.table == "" and uses[part] == 1 for part in relation.parts)
        return not loose_total and not (loose_parts and not relation.exact)

    return tells
