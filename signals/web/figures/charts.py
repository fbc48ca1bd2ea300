"""The charts of the figures: a dot and its interval for each line on one scale, and a map of tiles.

A chart is one image with a name and a description; its numbers stand in the table beside it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from textwrap import wrap
from typing import Any, Final

from flask import current_app
from markupsafe import Markup

from signals.statistics.intervals import Interval

_LEFT: Final = 132
_PLOT: Final = 214
_ROW: Final = 30
_HEAD: Final = 26
_AXIS: Final = 22
"""Units of a chart that is 360 wide; one is about a pixel on the smallest phone, so text stays readable."""

_CHARACTERS: Final = 19
_STEPS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Title and description for a reader who does not see the chart; `key` makes its ids unique."""

    key: str
    title: str
    description: str


@dataclass(frozen=True, kw_only=True)
class Dot:
    """One value with its name and its interval; a `pale` one says little. `group` is a heading."""

    label: str
    interval: Interval
    pale: bool = False
    group: str = ""


def chart(template: str, frame: Frame, *, height: int, **values: Any) -> Markup:
    """Return a chart for a page or for paper; Jinja escapes every text in it."""
    drawn = current_app.jinja_env.get_template(f"figures/{template}.svg")
    return Markup(drawn.render(vars(frame), height=height, **values))  # noqa: S704  (the template escapes)


def dots(
    frame: Frame, rows: Sequence[Dot], *, said: Callable[[float], str], most: float | None = None
) -> Markup:
    """Draw the values; `said` writes the numbers of the axis, `most` is its end for a share."""
    step = _step(rows, most)
    axis = [(_LEFT + _PLOT * number / _STEPS, said(step * number)) for number in range(_STEPS + 1)]
    placed = list(_placed(rows, step * _STEPS))
    bottom = placed[-1]["y"] + _ROW // 2
    return chart("dots", frame, height=bottom + 4, axis=axis, rows=placed, bottom=bottom)


def _placed(rows: Sequence[Dot], end: float) -> Iterator[Mapping[str, Any]]:
    """Yield each row with its place; a heading stands above the first row of its group."""
    bottom, group = _AXIS, ""
    for row in rows:
        is_first, group = row.group != group, row.group
        bottom += _ROW + (_HEAD if is_first else 0)
        ends = {"low": row.interval.low, "value": row.interval.value, "high": row.interval.high}
        yield {
            "y": bottom - _ROW // 2,
            "group": group if is_first else "",
            "label": wrap(row.label, _CHARACTERS)[:2],
            "pale": row.pale,
            **{name: round(_LEFT + _PLOT * min(each / end, 1), 1) for name, each in ends.items()},
        }


def _step(rows: Sequence[Dot], most: float | None) -> float:
    """Return the distance of two marks: 1, 2 or 5 times a power of ten, so that clear intervals fit."""
    clear = [row.interval.high for row in rows if not row.pale] or [row.interval.value for row in rows]
    reach = min(max(clear, default=0), most or float("inf")) or most or 1
    power = 10.0 ** floor(log10(reach / _STEPS))
    return next(times * power for times in (1, 2, 5, 10) if times * power * _STEPS >= reach * (1 - 1e-9))
