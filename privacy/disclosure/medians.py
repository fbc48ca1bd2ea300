"""Derived measures (medians): shown on a shown base only, and never two that differ by a small group."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from privacy.disclosure.puzzle import HIDDEN_BELOW, meaning_of
from privacy.disclosure.relations import relations
from privacy.disclosure.tables import Cell, Relation, Schema


def without_differences(
    schemas: Sequence[Schema],
    values: Mapping[Cell, int | None],
    derived: Mapping[Cell, int],
    withheld: Collection[str],
) -> dict[Cell, int | None]:
    """What is published of the new `derived` cells: the value, or None.

    Shown is one whose base is shown. Of a total and its parts the smallest parts give way, until what the
    total has beyond the parts that show theirs is ten or more for certain, judged by what is published only.
    `values`: all that is published, of earlier releases too, derived cells included.
    """
    bases = _bases(schemas)
    shown = {
        cell for cell in derived if cell.table not in withheld and values.get(_base(bases, cell)) is not None
    }
    older = {cell for cell in values if _key(cell) in bases and values[cell] is not None}
    while close := next(_close_pairs(schemas, values, shown | older), None):
        total, parts = close
        new = [cell for cell in parts if cell in shown] or [total]
        if new == [total] and total not in shown:
            break
        shown.remove(min(new, key=lambda cell: (values[_base(bases, cell)] or 0, cell)))
    return {cell: value if cell in shown else None for cell, value in derived.items()}


def without_base(schemas: Sequence[Schema], values: Mapping[Cell, int | None]) -> list[Cell]:
    """Published derived cells whose base is not shown."""
    bases = _bases(schemas)
    return sorted(
        cell
        for cell, value in values.items()
        if value is not None and _key(cell) in bases and values.get(_base(bases, cell)) is None
    )


def differences(schemas: Sequence[Schema], values: Mapping[Cell, int | None]) -> list[Cell]:
    """Published derived cells of totals that differ by a perhaps small group from published parts."""
    bases = _bases(schemas)
    shown = {
        cell
        for cell, value in values.items()
        if value is not None and _key(cell) in bases and values.get(_base(bases, cell)) is not None
    }
    return sorted({total for total, _ in _close_pairs(schemas, values, shown)})


def _bases(schemas: Iterable[Schema]) -> dict[tuple[str, str], str]:
    return {
        (schema.name, measure.name): measure.base
        for schema in schemas
        for measure in schema.measures
        if measure.base is not None
    }


def _key(cell: Cell) -> tuple[str, str]:
    return cell.table, cell.measure


def _base(bases: Mapping[tuple[str, str], str], cell: Cell) -> Cell:
    return Cell(cell.table, cell.period, cell.keys, bases[_key(cell)])


def _close_pairs(
    schemas: Sequence[Schema], values: Mapping[Cell, int | None], shown: Collection[Cell]
) -> Iterator[tuple[Cell, list[Cell]]]:
    """Totals and parts that show the same derived measure and differ by fewer than ten, perhaps."""
    bases = _bases(schemas)
    for name in sorted({cell.measure for cell in shown}):
        by_base = {_base(bases, cell): cell for cell in sorted(shown) if cell.measure == name}
        for relation in relations(schemas, by_base):
            if not relation.exact and relation.total in by_base and _rest_may_be_small(relation, values):
                yield by_base[relation.total], [by_base[part] for part in relation.parts if part in by_base]


def _rest_may_be_small(relation: Relation, values: Mapping[Cell, int | None]) -> bool:
    most = sum(meaning_of(values.get(part))[1] for part in relation.parts)
    return meaning_of(values.get(relation.total))[0] - most < HIDDEN_BELOW
