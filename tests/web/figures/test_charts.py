"""Charts are images with a name, say every number they draw, and give away nothing of a hidden cell."""

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element, fromstring

import pytest
from markupsafe import Markup

from signals import reference
from signals.web.figures.charts import Bar, Pair, bars, columns, matrix, pairs, shade
from signals.web.figures.svg import INK, SHADES, Frame
from signals.web.figures.tile_map import PLACES, Tile, tile_map
from signals.web.figures.words import context_of, members
from signals.web.labels import words_for

FRAME = Frame(key="k", title="Bereikt & <b>", description="Hoeveel er bereikt zijn.")
SHOWN = Bar(label="Huisbezoek", value=40, shown="40", low=38, high=42)
HIDDEN = Bar(label="Brief", value=None, shown="<10")

DRAWN: dict[str, Callable[[], Markup]] = {
    "bars": lambda: bars(FRAME, [SHOWN, HIDDEN]),
    "columns": lambda: columns(FRAME, [SHOWN, HIDDEN]),
    "matrix": lambda: matrix(FRAME, ["Bezoek"], ["1", "2"], [[SHOWN, HIDDEN]]),
    "pairs": lambda: pairs(FRAME, [Pair(label="Bereikt", first=SHOWN, second=HIDDEN)]),
    "tile map": lambda: tile_map(
        FRAME,
        {
            "GG0111": Tile(name="GGD Groningen", shown="40", fill=shade(0.4)),
            "GG7206": Tile(name="GGD Fryslân", shown="<10", fill=None),
        },
    ),
}


def tree(chart: Markup) -> Element:
    return fromstring(chart.replace(' xmlns="http://www.w3.org/2000/svg"', ""))


def texts(root: Element) -> list[str]:
    return [element.text or "" for element in root.iter("text")]


@pytest.mark.parametrize("kind", DRAWN)
def test_a_chart_is_one_image_with_a_name_and_a_description(kind: str) -> None:
    root = tree(DRAWN[kind]())
    assert (root.tag, root.get("role")) == ("svg", "img")
    ids = [root.get(f"aria-{how}") for how in ("labelledby", "describedby")]
    named = {element.get("id"): element.text for element in root if element.tag in ("title", "desc")}
    assert [named[one] for one in ids] == [FRAME.title, FRAME.description]


@pytest.mark.parametrize("kind", DRAWN)
def test_a_chart_has_no_style_and_no_script_of_its_own(kind: str) -> None:
    for element in tree(DRAWN[kind]()).iter():
        assert element.tag not in ("style", "script", "image", "foreignObject", "a")
        assert [name for name in element.attrib if name == "style" or name.startswith("on")] == []


@pytest.mark.parametrize("kind", DRAWN)
def test_a_chart_says_its_numbers_and_hatches_what_is_hidden(kind: str) -> None:
    root = tree(DRAWN[kind]())
    assert {"40", "<10"} <= set(texts(root))
    fills = [box.get("fill") for box in root.iter("rect") if box.get("class") == "hidden"]
    assert fills == ["url(#k-hatch)"]


def test_text_in_a_chart_is_never_markup() -> None:
    hostile = Bar(label="<script>alert(1)</script>", value=1, shown='"><img>')
    drawn = bars(FRAME, [hostile])
    assert "<script" not in drawn
    assert texts(tree(drawn)) == [hostile.label, hostile.shown]


def test_a_hidden_bar_is_as_long_whatever_stands_beside_it() -> None:
    def width(most: float) -> str | None:
        drawn = bars(FRAME, [Bar(label="", value=most, shown=""), HIDDEN])
        return next(box.get("width") for box in tree(drawn).iter("rect") if box.get("class") == "hidden")

    assert width(10) == width(100_000)


def test_bars_are_as_long_as_their_values() -> None:
    drawn = bars(FRAME, [Bar(label="", value=number, shown="") for number in (100, 50, 25)])
    lengths = [float(box.get("width", "0")) for box in tree(drawn).iter("rect") if box.get("class") == "bar"]
    assert [round(length / lengths[0], 2) for length in lengths] == [1, 0.5, 0.25]


def test_nothing_lies_outside_the_chart() -> None:
    for draw in DRAWN.values():
        root = tree(draw())
        _, _, width, height = (float(number) for number in (root.get("viewBox") or "").split())
        for box in root.iter("rect"):
            x, y, w, h = (float(box.get(name, "0")) for name in ("x", "y", "width", "height"))
            assert min(x, y) >= 0
            assert x + w <= width + 0.1
            assert y + h <= height + 0.1


def test_columns_stand_in_the_order_of_time() -> None:
    drawn = columns(FRAME, [Bar(label=f"K{number}\n2026", value=number, shown="") for number in (1, 2, 3)])
    at = [
        float(element.get("x", "0"))
        for element in tree(drawn).iter("text")
        if element.text in ("K1", "K2", "K3")
    ]
    assert at == sorted(at)


def test_a_chart_of_nothing_but_hidden_cells_can_be_drawn() -> None:
    assert texts(tree(columns(FRAME, [HIDDEN, HIDDEN]))).count("<10") == 2


def test_the_map_has_each_region_once_and_no_two_at_one_place() -> None:
    assert set(PLACES) == set(reference.ggd_regions())
    assert len({place[:2] for place in PLACES.values()}) == len(PLACES)


def test_a_tile_tells_its_whole_name() -> None:
    titles = [element.text for element in tree(DRAWN["tile map"]()).iter("title")]
    assert "GGD Fryslân: <10" in titles


@pytest.mark.parametrize("colour", [*SHADES, "#ffffff"])
def test_the_ink_can_be_read_on_every_shade(colour: str) -> None:
    assert _contrast(INK, colour) >= 4.5


def _contrast(first: str, second: str) -> float:
    """Ratio of WCAG 2.2, 1.4.3."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(part, 16) / 255 for part in re.findall("..", colour[1:])]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_kinds_of_attempts_fit_beside_their_field(language: str) -> None:
    for kind in members("kinds"):
        drawn = str(matrix(FRAME, [words_for(context_of("kinds"), kind, language)], ["1"], [[SHOWN]]))
        lines = re.findall(r'<text x="0"[^>]*>([^<]+)</text>', drawn)
        assert lines, kind
        assert max(map(len, lines)) <= 14, (kind, lines)
