"""The one chart of the figures: a dot and its interval for each line, all on one scale with an axis.

It is one image with a name and a description; its numbers stand in the table beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, log10
from textwrap import wrap
from typing import Final
from xml.etree.ElementTree import Element

from markupsafe import Markup

from signals.statistics.intervals import Interval
from signals.web.figures.svg import WIDTH, Frame, canvas, dot, finished, line, words

_LEFT: Final = 132.0
_PLOT: Final = WIDTH - _LEFT - 14
_ROW: Final = 30.0
_HEAD: Final = 26.0
_AXIS: Final = 22.0
_CHARACTERS: Final = 19
_STEPS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Dot:
    """One value with its name and its interval; a `pale` one says little. `group` is a heading."""

    label: str
    interval: Interval
    pale: bool = False
    group: str = ""


def dots(
    frame: Frame, rows: Sequence[Dot], *, said: Callable[[float], str], most: float | None = None
) -> Markup:
    """Draw the values; `said` writes the numbers of the axis, `most` is its end for a share."""
    groups = list(dict.fromkeys(row.group for row in rows if row.group))
    height = _AXIS + _ROW * len(rows) + _HEAD * len(groups)
    root = canvas(frame, height + 4)
    step = _step(rows, most)
    end = step * _STEPS
    for number in range(_STEPS + 1):
        x = _LEFT + _PLOT * number / _STEPS
        line(root, x, _AXIS - 4, x, height)
        words(root, x, 12, said(step * number), anchor="middle", size=11, kind="soft")
    top, group = _AXIS, ""
    for row in rows:
        if row.group != group:
            group = row.group
            words(root, 0, top + 18, group, bold=True)
            top += _HEAD
        _row(root, row, top + _ROW / 2, end)
        top += _ROW
    return finished(root)


def _row(root: Element, row: Dot, y: float, end: float) -> None:
    lines = wrap(row.label, _CHARACTERS)[:2]
    for number, part in enumerate(lines):
        words(root, 0, y + 4.5 - 7 * (len(lines) - 1) + 14 * number, part, kind="soft" if row.pale else "")
    low, value, high = (_LEFT + _PLOT * min(each / end, 1) for each in _ends(row.interval))
    if high > low:
        line(root, low, y, high, y, kind="pale" if row.pale else "range")
    dot(root, value, y, kind="open" if row.pale else "dot", filled=not row.pale)


def _ends(found: Interval) -> tuple[float, float, float]:
    return found.low, found.value, found.high


def _step(rows: Sequence[Dot], most: float | None) -> float:
    """Return the distance of two marks: 1, 2 or 5 times a power of ten, so that clear intervals fit."""
    clear = [row.interval.high for row in rows if not row.pale] or [row.interval.value for row in rows]
    reach = min(max(clear, default=0), most or float("inf")) or most or 1
    power = 10.0 ** floor(log10(reach / _STEPS))
    return next(times * power for times in (1, 2, 5, 10) if times * power * _STEPS >= reach * (1 - 1e-9))
