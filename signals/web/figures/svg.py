"""SVG as a tree, so that no text in it can be markup.

Colours stand in attributes, for paper. By the classes, the style sheet sets those of a dark page.
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
PALE: Final = "#d5e8ea"


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Title and description for a reader who does not see the chart; `key` makes its ids unique."""

    key: str
    title: str
    description: str


def canvas(frame: Frame, height: float) -> Element:
    """Return an empty chart with its name and its description."""
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
            "fill": INK,
        },
    )
    SubElement(root, "title", {"id": f"{frame.key}-title"}).text = frame.title
    SubElement(root, "desc", {"id": f"{frame.key}-description"}).text = frame.description
    return root


def box(parent: Element, x: float, y: float, width: float, height: float, *, kind: str, fill: str) -> None:
    """Draw a rectangle with an edge; `kind` is its class."""
    place = {"x": _number(x), "y": _number(y), "width": _number(width), "height": _number(height)}
    SubElement(parent, "rect", {"class": kind, **place, "fill": fill, "stroke": SOFT})


def dot(parent: Element, x: float, y: float, *, kind: str, filled: bool) -> None:
    """Draw the value of a line: a dot, open when it says little."""
    fill, stroke = (ACCENT, ACCENT) if filled else (PAPER, SOFT)
    place = {"cx": _number(x), "cy": _number(y), "r": "4.5"}
    look = {"class": kind, "fill": fill, "stroke": stroke, "stroke-width": "1.5"}
    SubElement(parent, "circle", {**place, **look})


def line(parent: Element, x1: float, y1: float, x2: float, y2: float, *, kind: str = "axis") -> None:
    """Draw a thin line: an axis, or the interval of a value (dashed when it says little)."""
    ends = {"x1": _number(x1), "y1": _number(y1), "x2": _number(x2), "y2": _number(y2)}
    stroke, width = _STROKES[kind]
    dashed = {"stroke-dasharray": "3 3"} if kind == "pale" else {}
    SubElement(parent, "line", {"class": kind, **ends, "stroke": stroke, "stroke-width": width, **dashed})


_STROKES: Final = {"axis": (LINE, "1"), "range": (ACCENT, "2"), "pale": (SOFT, "1.5")}


def triangle(parent: Element, x: float, y: float, *, upwards: bool, kind: str, fill: str) -> None:
    """Draw a small triangle around a point: the fonts of paper have no arrows."""
    tip = -5 if upwards else 5
    path = f"M{_number(x - 6)} {_number(y - tip)}h12L{_number(x)} {_number(y + tip)}z"
    SubElement(parent, "path", {"class": kind, "d": path, "fill": fill})


def words(
    parent: Element,
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    size: float = 12.5,
    bold: bool = False,
    kind: str = "",
) -> None:
    """Draw a line of text; `y` is its base line. `kind` "soft" or "on" (a dark ground) sets its colour."""
    look = {"text-anchor": anchor, "font-size": _number(size)} | ({"font-weight": "600"} if bold else {})
    if kind:
        look |= {"class": kind, "fill": SOFT if kind == "soft" else PAPER}
    SubElement(parent, "text", {"x": _number(x), "y": _number(y), **look}).text = text


def finished(root: Element) -> Markup:
    """Return the chart for a template; the serializer escapes all its text."""
    return Markup(tostring(root, encoding="unicode"))  # noqa: S704  (made by the serializer, not from text)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
