"""Read a released table as lines: how many signals, which share of them, and how much that says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from signals.statistics.intervals import NOTHING, WIDEST, Interval, Noisy, Split, count, share
from signals.statistics.menu import NO, YES, Codes
from signals.statistics.publications import ReleasedTable

_SHARE_OF_ALL = "outcomes"
"""The table of which each cell is also shown as a share of the whole table."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a table. `signals` counts all of the line; `split` those with and without what is asked."""

    codes: Codes
    signals: Interval
    split: Split | None = None

    @property
    def share(self) -> Interval | None:
        """Return the share with what is asked; None for a table of counts."""
        return share(self.split) if self.split else None

    @property
    def says_little(self) -> bool:
        """Return whether the interval of the share, else of the count, is too wide to learn from."""
        return share(self.split).width > WIDEST if self.split else self.counts_little

    @property
    def counts_little(self) -> bool:
        """Return whether the count may as well be zero."""
        return self.signals.low < 1


def lines_of(table: ReleasedTable, fitted: Mapping[Codes, int]) -> list[Line]:
    """Return the lines of a table in the order of the menu; `fitted` has the numbers to show."""
    if table.dimensions and table.dimensions[-1].codes == (YES, NO):
        heads = product(*(dimension.codes for dimension in table.dimensions[:-1]))
        return [_split_line(table, fitted, codes) for codes in heads]
    whole = sum((noisy(table, codes) for codes in table.noisy), NOTHING)
    return [
        Line(
            codes=codes,
            signals=_counted(noisy(table, codes), fitted[codes]),
            split=_part_of(noisy(table, codes), whole) if table.code == _SHARE_OF_ALL else None,
        )
        for codes in table.noisy
    ]


def noisy(table: ReleasedTable, codes: Codes) -> Noisy:
    """Return a cell as it was drawn."""
    return Noisy(table.noisy[codes], table.variance)


def whole_split(lines: Sequence[Line]) -> Split:
    """Return the splits of all lines together."""
    return sum((line.split for line in lines if line.split), Split(NOTHING, NOTHING))


def says_enough(lines: Sequence[Line]) -> bool:
    """Return whether at least half of the lines say something."""
    return 2 * sum(line.says_little for line in lines) <= len(lines)


def cells_of(table: ReleasedTable, fitted: Mapping[Codes, int]) -> Iterator[tuple[Codes, str, Interval]]:
    """Yield (codes, measure, interval) of each cell: its signals, the drawn number, and its share if any."""
    for codes, drawn in table.noisy.items():
        yield codes, "signals", _counted(noisy(table, codes), fitted[codes])
        yield codes, "drawn", Interval(drawn, drawn, drawn)
    for line in lines_of(table, fitted):
        if line.share:
            codes = line.codes if table.code == _SHARE_OF_ALL else (*line.codes, YES)
            yield codes, "share", line.share


def _split_line(table: ReleasedTable, fitted: Mapping[Codes, int], codes: Codes) -> Line:
    split = Split(noisy(table, (*codes, YES)), noisy(table, (*codes, NO)))
    signals = _counted(split.total, fitted[(*codes, YES)] + fitted[(*codes, NO)])
    return Line(codes=codes, signals=signals, split=split)


def _part_of(part: Noisy, whole: Noisy) -> Split:
    return Split(part, Noisy(whole.value - part.value, whole.variance - part.variance))


def _counted(drawn: Noisy, shown: int) -> Interval:
    """Return the interval of a count around the number to show."""
    found = count(drawn)
    return Interval(shown, min(found.low, shown), max(found.high, shown))
