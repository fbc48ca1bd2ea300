"""SVG as a tree, so that no text in it can be markup. Colours stand in attributes and classes.

The style sheet needs the classes to set forced colours.
"""

from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

WIDTH: Final = 360.0
"""Units of every chart; one is about a pixel on the smallest phone, so text stays readable there."""

INK: Final = "#17262d"
SOFT: Final = "#51626a"
LINE: Final = "#c9d2d3"
PAPER: Final = "#ffffff"
ACCENT: Final = "#0a5566"
SHADES: Final = ("#f2f7f7", "#d5e8ea", "#b4d6da", "#8fc1c8", "#66aab4")
"""From little to much; the ink has a contrast of more than 4.5:1 on each."""

_FILLS: Final = {"bar": ACCENT, "ground": PAPER}


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Title and description for a reader who does not see the chart; `key` makes its ids unique."""

    key: str
    title: str
    description: str


def canvas(frame: Frame, height: float) -> Element:
    """Return an empty chart with its name, its description and the hatching of hidden cells."""
    root = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": "chart",
            "role": "img",
            "viewBox": f"0 0 {_number(WIDTH)} {_number(height)}",
            "aria-labelledby": f"{frame.key}-title",
            "aria-describedby": f"{frame.key}-description",
            "font-family": "Noto Sans, sans-serif",
            "font-size": "14",
            "fill": INK,
        },
    )
    SubElement(root, "title", {"id": f"{frame.key}-title"}).text = frame.title
    SubElement(root, "desc", {"id": f"{frame.key}-description"}).text = frame.description
    _hatching(root, frame)
    return root


def box(
    parent: Element, x: float, y: float, width: float, height: float, *, kind: str = "bar", fill: str = ""
) -> Element:
    """Draw a rectangle; `kind` is its class and, without `fill`, its colour."""
    place = {"x": _number(x), "y": _number(y), "width": _number(width), "height": _number(height)}
    return SubElement(parent, "rect", {"class": kind, **place, "fill": fill or _FILLS.get(kind, "none")})


def hatched(parent: Element, frame: Frame, x: float, y: float, width: float, height: float) -> None:
    """Draw a hidden cell: hatched, with an edge, so that it differs from an empty place."""
    cell = box(parent, x, y, width, height, kind="hidden", fill=f"url(#{frame.key}-hatch)")
    cell.set("stroke", SOFT)


def words(
    parent: Element,
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    size: float = 14,
    bold: bool = False,
    halo: bool = False,
) -> None:
    """Draw a line of text; `y` is its base line, and a `halo` keeps it readable on hatching."""
    look = {"text-anchor": anchor, "font-size": _number(size)} | ({"font-weight": "600"} if bold else {})
    if halo:
        look |= {"class": "halo", "stroke": PAPER, "stroke-width": "5", "paint-order": "stroke"}
    SubElement(parent, "text", {"x": _number(x), "y": _number(y), **look}).text = text


def line(parent: Element, x1: float, y1: float, x2: float, y2: float, *, kind: str = "axis") -> None:
    """Draw a thin line: an axis, or the range of a value."""
    ends = {"x1": _number(x1), "y1": _number(y1), "x2": _number(x2), "y2": _number(y2)}
    stroke, width = (INK, "1.5") if kind == "range" else (LINE, "1")
    SubElement(parent, "line", {"class": kind, **ends, "stroke": stroke, "stroke-width": width})


def finished(root: Element) -> Markup:
    """Return the chart for a template; the serializer escapes all its text."""
    return Markup(tostring(root, encoding="unicode"))  # noqa: S704  (made by the serializer, not from text)


def _hatching(root: Element, frame: Frame) -> None:
    pattern = SubElement(
        SubElement(root, "defs"),
        "pattern",
        {
            "id": f"{frame.key}-hatch",
            "width": "6",
            "height": "6",
            "patternUnits": "userSpaceOnUse",
            "patternTransform": "rotate(45)",
        },
    )
    box(pattern, 0, 0, 6, 6, kind="ground")
    stripe = {"x1": "0", "y1": "0", "x2": "0", "y2": "6", "stroke": SOFT, "stroke-width": "3"}
    SubElement(pattern, "line", {"class": "hatch", **stripe})


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
