"""Charts from data: horizontal bars, columns over time, a matrix of shares, and pairs to compare.

Each is one image with a name and a description; its numbers stand in the table beside it. A hidden cell is
hatched at a fixed size, so that the size tells nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from markupsafe import Markup

from signals.web.figures.svg import SHADES, WIDTH, Frame, box, canvas, finished, hatched, line, words

_STUB: Final = 34.0  # the width of a hidden bar
_VALUE_ROOM: Final = 72.0  # to the right of the longest bar
_BAR: Final = 18.0
_ROW: Final = 48.0
_WHISKER: Final = 3.0  # a shorter range would look like a fault
_CHARACTER: Final = 7.2  # units of an average character at size 14


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A value with its name; `value` None: hidden. `shown` is the value as people read it."""

    label: str
    value: float | None
    shown: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One measure of two places."""

    label: str
    first: Bar
    second: Bar


def bars(frame: Frame, rows: Sequence[Bar], *, most: float | None = None) -> Markup:
    """Draw horizontal bars, each below its name; `most` is the value of a full bar."""
    root = canvas(frame, _ROW * len(rows) + 6)
    full = most or _most(rows)
    for number, row in enumerate(rows):
        top = number * _ROW
        words(root, 0, top + 16, row.label)
        _bar(root, frame, row, top + 22, full, kind="bar")
    return finished(root)


def pairs(frame: Frame, rows: Sequence[Pair], *, most: float | None = None) -> Markup:
    """Draw two bars below each name: the first filled, the second outlined, so that no colour is needed."""
    height = _ROW + _BAR + 16
    root = canvas(frame, height * len(rows) + 2)
    full = most or _most([bar for row in rows for bar in (row.first, row.second)])
    for number, row in enumerate(rows):
        top = number * height
        words(root, 0, top + 16, row.label, bold=True)
        _bar(root, frame, row.first, top + 22, full, kind="bar")
        _bar(root, frame, row.second, top + 31 + _BAR, full, kind="outline")
    return finished(root)


def columns(frame: Frame, values: Sequence[Bar], *, most: float | None = None) -> Markup:
    """Draw columns from left to right in time; a line end in `label` starts its second line."""
    tall, base = 120.0, 150.0
    root = canvas(frame, base + 40)
    full, step = most or _most(values), WIDTH / max(len(values), 4)
    line(root, 0, base, WIDTH, base)
    for number, column in enumerate(values):
        left, width = number * step + step * 0.14, step * 0.72
        middle = left + width / 2
        height = 24.0 if column.value is None else tall * column.value / full
        if column.value is None:
            hatched(root, frame, left, base - height, width, height)
        else:
            box(root, left, base - height, width, height)
        words(root, middle, base - height - 6, column.shown, anchor="middle", size=13)
        for position, part in enumerate(column.label.split("\n")):
            words(root, middle, base + 16 + 16 * position, part, anchor="middle", size=13)
    return finished(root)


def matrix(
    frame: Frame, rows: Sequence[str], heads: Sequence[str], cells: Sequence[Sequence[Bar | None]]
) -> Markup:
    """Draw a field of shares (0 to 1): darker is more, each with its number. None: no such cell."""
    left, top, tall = 104.0, 26.0, 44.0
    width = (WIDTH - left) / len(heads)
    root = canvas(frame, top + tall * len(rows) + 2)
    for number, head in enumerate(heads):
        words(root, left + width * (number + 0.5), 16, head, anchor="middle", size=13)
    for down, (name, across) in enumerate(zip(rows, cells, strict=True)):
        y = top + tall * down
        parts = _lines(name, 14)
        for position, part in enumerate(parts):
            words(root, 0, y + 34 - 7.5 * len(parts) + 15 * position, part, size=13)
        for number, cell in enumerate(across):
            if cell is not None:
                _square(root, frame, cell, left + width * number, y, width, tall)
    return finished(root)


def shade(share: float) -> str:
    """Return the colour of a share from 0 to 1."""
    return SHADES[max(0, min(len(SHADES) - 1, int(share * len(SHADES))))]


def _bar(root: Element, frame: Frame, bar: Bar, y: float, full: float, *, kind: str) -> None:
    scale = (WIDTH - _VALUE_ROOM) / full
    if bar.value is None:
        hatched(root, frame, 0, y, _STUB, _BAR)
        words(root, _STUB + 7, y + 14, bar.shown)
        return
    width = max(bar.value * scale, 1.0)
    drawn = box(root, 0, y, width, _BAR, kind=kind)
    if kind == "outline":
        drawn.set("stroke", "#17262d")
        drawn.set("stroke-width", "2")
    low = high = end = width
    if bar.low is not None and bar.high is not None:
        low, high = bar.low * scale, min(bar.high * scale, WIDTH)
    if high - low >= _WHISKER:
        line(root, low, y + _BAR + 4, high, y + _BAR + 4, kind="range")
        end = max(width, high)
        for tick in (low, high):
            line(root, tick, y + _BAR + 1, tick, y + _BAR + 7, kind="range")
    words(root, min(end + 7, WIDTH - _CHARACTER * len(bar.shown)), y + 14, bar.shown, bold=True)


def _square(root: Element, frame: Frame, cell: Bar, x: float, y: float, width: float, tall: float) -> None:
    if cell.value is None:
        hatched(root, frame, x + 2, y + 2, width - 4, tall - 4)
    else:
        box(root, x + 2, y + 2, width - 4, tall - 4, kind="cell", fill=shade(cell.value)).set(
            "stroke", "#74858b"
        )
    known = cell.value is not None
    words(root, x + width / 2, y + tall / 2 + 5, cell.shown, anchor="middle", bold=known, halo=not known)


def _most(rows: Sequence[Bar]) -> float:
    return max((row.value for row in rows if row.value), default=1.0)


def _lines(text: str, most: int) -> list[str]:
    """Return at most two lines of about `most` characters."""
    first, rest = "", ""
    for word in text.split():
        if not rest and len(first) + len(word) < most:
            first = f"{first} {word}".strip()
        else:
            rest = f"{rest} {word}".strip()
    return [part for part in (first, rest) if part]
