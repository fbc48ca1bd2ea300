"""A map of the 25 GGD regions with one tile for each, about where it lies; the layout is our own.

Every region has the same room: on a true map the large and empty ones would stand out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from markupsafe import Markup

from signals.web.figures.svg import (
    ACCENT,
    INK,
    PALE,
    PAPER,
    WIDTH,
    Frame,
    box,
    canvas,
    finished,
    triangle,
    words,
)

PLACES: Final[Mapping[str, tuple[int, int, str]]] = {
    "GG7206": (3, 0, "Fryslân"),
    "GG0111": (4, 0, "Groningen"),
    "GG2707": (1, 1, "Holl.-Noord"),
    "GG0706": (4, 1, "Drenthe"),
    "GG3109": (0, 3, "Kennemerl."),
    "GG7306": (1, 2, "Zaanstreek"),
    "GG2209": (2, 2, "Flevoland"),
    "GG1009": (3, 2, "IJsselland"),
    "GG1106": (4, 2, "Twente"),
    "GG4506": (1, 4, "Holl.-Mid."),
    "GG3406": (1, 3, "Amsterdam"),
    "GG3606": (2, 3, "Gooi"),
    "GG1413": (3, 3, "N-O Geld."),
    "GG7014": (0, 4, "Haaglanden"),
    "GG2514": (2, 4, "Utrecht"),
    "GG1911": (3, 4, "Geld.-Mid."),
    "GG4607": (0, 5, "Rotterdam"),
    "GG4816": (1, 5, "ZHZ"),
    "GG2014": (3, 5, "Geld.-Zuid"),
    "GG5006": (0, 6, "Zeeland"),
    "GG5206": (1, 6, "W-Brabant"),
    "GG5406": (2, 6, "Hart v. Br."),
    "GG5608": (3, 6, "Brabant-ZO"),
    "GG6011": (4, 6, "Limburg-N."),
    "GG6106": (4, 7, "Zuid-Limb."),
}
"""Column, row and the short name that fits a tile; the whole name stands in the table."""

_ACROSS: Final = 5
_SIDE: Final = WIDTH / _ACROSS
_TALL: Final = 54.0


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A region that differs from the rest of the country, upwards or downwards; the others have no tile."""

    name: str
    shown: str
    is_higher: bool


def tile_map(frame: Frame, tiles: Mapping[str, Tile]) -> Markup:
    """Draw the map; all regions without a tile look alike."""
    rows = 1 + max(row for _, row, _ in PLACES.values())
    root = canvas(frame, rows * _TALL)
    for code, (column, row, short) in PLACES.items():
        _tile(root, column * _SIDE, row * _TALL, short, tiles.get(code))
    return finished(root)


def _tile(root: Element, x: float, y: float, short: str, tile: Tile | None) -> None:
    group = SubElement(root, "g")
    kind = "cell" if tile is None else "higher" if tile.is_higher else "lower"
    fill = {"cell": PAPER, "higher": ACCENT, "lower": PALE}[kind]
    box(group, x + 1.5, y + 1.5, _SIDE - 3, _TALL - 3, kind=kind, fill=fill)
    colour = "on" if kind == "higher" else ""
    middle = x + _SIDE / 2
    words(group, middle, y + (31 if tile is None else 20), short, anchor="middle", size=11.5, kind=colour)
    if tile is not None:
        SubElement(group, "title").text = f"{tile.name}: {tile.shown}"
        fill = PAPER if tile.is_higher else INK
        triangle(group, middle - 20, y + 37, upwards=tile.is_higher, kind=colour or "ink", fill=fill)
        words(group, middle + 8, y + 42, tile.shown, anchor="middle", size=15, bold=True, kind=colour)
