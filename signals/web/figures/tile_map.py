"""A map of the 25 GGD regions with one tile for each, about where it lies; the layout is our own.

Every region has the same room: on a true map the large and empty ones would stand out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from signals.web.figures.charts import Frame, chart

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

_WIDTH: Final = 72
_HEIGHT: Final = 54


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A region that differs from the rest of the country, upwards or downwards; the others have no tile."""

    name: str
    shown: str
    is_higher: bool


def tile_map(frame: Frame, tiles: Mapping[str, Tile]) -> Markup:
    """Draw the map; all regions without a tile look alike."""
    rows = 1 + max(row for _, row, _ in PLACES.values())
    places = [
        (column * _WIDTH, row * _HEIGHT, short, tiles.get(code))
        for code, (column, row, short) in PLACES.items()
    ]
    return chart("tiles", frame, height=rows * _HEIGHT, places=places)
