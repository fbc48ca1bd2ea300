"""What is published, in terms of cells: the shape of a table, and of which cells it consists."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

TOTAL = "total"
ANY = "*"
QUARTER, YEAR, WINDOW = "quarter", "year", "window"
_PERIOD = re.compile(r"(?P<first>[12]\d{3})(?:-(?:Q(?P<quarter>[1-4])|(?P<last>[12]\d{3})))?")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, order=True, slots=True)
class Cell:
    """One place in a table; `period` as in `2026-Q3`, `2026`, `2023-2026`; `keys` in the order of dimensions.

    The key `total` is the margin. Cells that nobody published and that sums pass through have the table "".
    """

    table: str
    period: str
    keys: tuple[str, ...]
    measure: str


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """What a table is split by; `members` without the margin `total`, which every dimension has.

    Exclusive members add up to the total: there must be one for every counted thing ("unknown" where needed).
    Others (several may apply at once) are each at most the total. Tables that share a dimension's name share
    its members. `parent` maps members to those of the coarser dimension that `within` names.
    """

    name: str
    members: tuple[str, ...]
    exclusive: bool = True
    parent: Mapping[str, str] | None = field(default=None, hash=False)
    within: str | None = None

    def __post_init__(self) -> None:
        _check(bool(_NAME.fullmatch(self.name)), f"dimension {self.name!r}: not a name")
        _check(
            len(set(self.members)) == len(self.members) > 0, f"dimension {self.name}: members repeat or lack"
        )
        _check(
            not {TOTAL, ANY, ""} & set(self.members), f"dimension {self.name}: a member has a reserved name"
        )
        _check(
            (self.parent is None) == (self.within is None),
            f"dimension {self.name}: parent and within go together",
        )
        if self.parent is not None:
            _check(self.exclusive, f"dimension {self.name}: members of areas exclude each other")
            _check(set(self.parent) == set(self.members), f"dimension {self.name}: every member has a parent")


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What is counted. One that is `part_of` another is at most that other in each cell.

    `same_as=("reached", "yes")` says that the sub-count is the same number as the measure `part_of` in the
    cells where that dimension, perhaps of another table, has that member. A `derived` measure is no count (a
    median): it is shown only where `base`, a count, is shown, and no sum holds for it. Percentages need no
    measure: divide what is published.
    """

    name: str
    part_of: str | None = None
    same_as: tuple[str, str] | None = None
    derived: bool = False
    base: str | None = None

    def __post_init__(self) -> None:
        _check(bool(_NAME.fullmatch(self.name)), f"measure {self.name!r}: not a name")
        _check(
            self.derived == (self.base is not None),
            f"measure {self.name}: derived ones, and only they, have a base",
        )
        _check(
            self.same_as is None or self.part_of is not None, f"measure {self.name}: same_as needs part_of"
        )
        _check(not (self.derived and self.part_of), f"measure {self.name}: a derived one is part of nothing")


@dataclass(frozen=True, kw_only=True)
class Schema:
    """A table of the fixed menu.

    Tables with the same `counted_by` count the same things: cells that say the same are one number wherever
    they stand. `impossible` lists key patterns that cannot occur (`("none", "*", "yes")`: reached without an
    attempt): they are known to be 0, so they are no cells and must not be published. `periods`: quarter,
    year, window.
    """

    name: str
    title: Mapping[str, str] = field(hash=False)
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    counted_by: str
    periods: tuple[str, ...]
    impossible: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        _check_schema(self)

    def cells(self, period: str) -> Iterator[Cell]:
        """Every cell of this table in one period: margins and derived measures too, impossible ones not."""
        sides = [(TOTAL, *dimension.members) for dimension in self.dimensions]
        for keys in itertools.product(*sides):
            if not self.cannot_occur(keys):
                yield from (Cell(self.name, period, keys, measure.name) for measure in self.measures)

    def cannot_occur(self, keys: tuple[str, ...]) -> bool:
        """Whether these keys match a pattern of `impossible`."""
        return any(
            all(part in (ANY, key) for part, key in zip(pattern, keys, strict=True))
            for pattern in self.impossible
        )

    def has(self, cell: Cell) -> bool:
        """Whether the cell is one of this table's, whatever its period."""
        return (
            cell.table == self.name
            and len(cell.keys) == len(self.dimensions)
            and all(
                key == TOTAL or key in side.members
                for key, side in zip(cell.keys, self.dimensions, strict=True)
            )
            and any(measure.name == cell.measure for measure in self.measures)
            and not self.cannot_occur(cell.keys)
        )

    def measure(self, name: str) -> Measure:
        """The measure of that name; KeyError when there is none."""
        return {measure.name: measure for measure in self.measures}[name]

    def as_json(self) -> dict[str, Any]:
        """Plain data for the data package; `from_json` reads it back."""
        return {
            "name": self.name,
            "title": dict(self.title),
            "dimensions": [_dimension_as_json(dimension) for dimension in self.dimensions],
            "measures": [_measure_as_json(measure) for measure in self.measures],
            "counted_by": self.counted_by,
            "periods": list(self.periods),
            "impossible": [list(pattern) for pattern in self.impossible],
        }

    @classmethod
    def from_json(cls, data: Any) -> "Schema":
        """The schema that `as_json` wrote; ValueError, saying what is wrong, for anything else."""
        fields = _fields(
            data,
            "table",
            ("name", "title", "dimensions", "measures", "counted_by", "periods"),
            ("impossible",),
        )
        _check(isinstance(fields["title"], dict), "table: title is a mapping of languages")
        return cls(
            name=_text(fields["name"], "name"),
            title={_text(key, "title"): _text(value, "title") for key, value in fields["title"].items()},
            dimensions=tuple(map(_dimension_from_json, _list(fields["dimensions"], "dimensions"))),
            measures=tuple(map(_measure_from_json, _list(fields["measures"], "measures"))),
            counted_by=_text(fields["counted_by"], "counted_by"),
            periods=_texts(fields["periods"], "periods"),
            impossible=tuple(
                _texts(pattern, "impossible") for pattern in _list(fields.get("impossible", []), "impossible")
            ),
        )


@dataclass(frozen=True, slots=True)
class Relation:
    """`total` is the sum of `parts` when exact; at least that sum when not."""

    total: Cell
    parts: tuple[Cell, ...]
    exact: bool


class Period(NamedTuple):
    """A period taken apart: the kind, the first and last year, and the quarter of a quarter (else 0)."""

    kind: str
    first: int
    last: int
    quarter: int


def read_period(text: str) -> Period:
    """`2026-Q3`, `2026` or `2023-2026` taken apart; ValueError for anything else."""
    match = _PERIOD.fullmatch(text)
    if match is None or (match["last"] and match["last"] <= match["first"]):
        raise ValueError(f"not a period: {text[:20]!r}")
    first = int(match["first"])
    if match["quarter"]:
        return Period(QUARTER, first, first, int(match["quarter"]))
    return Period(WINDOW, first, int(match["last"]), 0) if match["last"] else Period(YEAR, first, first, 0)


def _check_schema(schema: Schema) -> None:
    name = schema.name
    _check(bool(_NAME.fullmatch(name)), f"table {name!r}: not a name")
    names = [measure.name for measure in schema.measures]
    dimensions = [dimension.name for dimension in schema.dimensions]
    _check(len(set(names)) == len(names) > 0, f"table {name}: measures repeat or lack")
    _check(len(set(dimensions)) == len(dimensions), f"table {name}: dimensions repeat")
    _check(bool(_NAME.fullmatch(schema.counted_by)), f"table {name}: counted_by is not a name")
    _check(
        bool(schema.periods) and set(schema.periods) <= {QUARTER, YEAR, WINDOW},
        f"table {name}: unknown kind of period",
    )
    _check(
        all(len(pattern) == len(dimensions) for pattern in schema.impossible),
        f"table {name}: impossible has other keys",
    )
    _check_measures(schema, dimensions)


def _check_measures(schema: Schema, dimensions: list[str]) -> None:
    known = {measure.name: measure for measure in schema.measures}
    for measure in schema.measures:
        for other in filter(None, (measure.part_of, measure.base)):
            _check(
                other in known and not known[other].derived, f"measure {measure.name}: no count named {other}"
            )
        _check(
            not (measure.same_as and measure.same_as[0] in dimensions),
            f"measure {measure.name}: counted twice",
        )
        seen = {measure.name}
        while measure.part_of is not None:
            _check(measure.part_of not in seen, f"measure {measure.name}: part of itself")
            seen.add(measure.part_of)
            measure = known[measure.part_of]


def _dimension_as_json(dimension: Dimension) -> dict[str, Any]:
    return {
        "name": dimension.name,
        "members": list(dimension.members),
        "exclusive": dimension.exclusive,
        "parent": dict(dimension.parent) if dimension.parent is not None else None,
        "within": dimension.within,
    }


def _dimension_from_json(data: Any) -> Dimension:
    fields = _fields(data, "dimension", ("name", "members", "exclusive"), ("parent", "within"))
    parent = fields.get("parent")
    _check(isinstance(fields["exclusive"], bool), "dimension: exclusive is true or false")
    _check(parent is None or isinstance(parent, dict), "dimension: parent is a mapping")
    return Dimension(
        name=_text(fields["name"], "name"),
        members=_texts(fields["members"], "members"),
        exclusive=fields["exclusive"],
        parent={key: _text(value, "parent") for key, value in parent.items()} if parent is not None else None,
        within=_maybe_text(fields.get("within"), "within"),
    )


def _measure_as_json(measure: Measure) -> dict[str, Any]:
    return {
        "name": measure.name,
        "part_of": measure.part_of,
        "same_as": list(measure.same_as) if measure.same_as else None,
        "derived": measure.derived,
        "base": measure.base,
    }


def _measure_from_json(data: Any) -> Measure:
    fields = _fields(data, "measure", ("name",), ("part_of", "same_as", "derived", "base"))
    same_as = fields.get("same_as")
    pair = _texts(same_as, "same_as") if same_as is not None else None
    _check(pair is None or len(pair) == 2, "measure: same_as is a dimension and its member")
    _check(isinstance(fields.get("derived", False), bool), "measure: derived is true or false")
    return Measure(
        name=_text(fields["name"], "name"),
        part_of=_maybe_text(fields.get("part_of"), "part_of"),
        same_as=(pair[0], pair[1]) if pair else None,
        derived=fields.get("derived", False),
        base=_maybe_text(fields.get("base"), "base"),
    )


def _fields(data: Any, what: str, needed: Iterable[str], allowed: Iterable[str]) -> dict[str, Any]:
    _check(isinstance(data, dict), f"{what}: not a JSON object")
    lacking = [name for name in needed if name not in data]
    _check(not lacking, f"{what}: lacks {', '.join(lacking)}")
    unknown = set(data) - set(needed) - set(allowed)
    _check(not unknown, f"{what}: unknown field {', '.join(sorted(unknown))[:80]}")
    return dict(data)


def _list(value: Any, what: str) -> list[Any]:
    _check(isinstance(value, list), f"{what}: not a list")
    return list(value)


def _texts(value: Any, what: str) -> tuple[str, ...]:
    return tuple(_text(item, what) for item in _list(value, what))


def _maybe_text(value: Any, what: str) -> str | None:
    return None if value is None else _text(value, what)


def _text(value: Any, what: str) -> str:
    _check(isinstance(value, str) and len(value) <= 200, f"{what}: not a short text")
    return str(value)


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
