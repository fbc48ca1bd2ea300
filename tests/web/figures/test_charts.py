"""Charts are images with a name, draw every interval on one scale, and shade only what differs."""

from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element, fromstring

import pytest
from flask import Flask
from markupsafe import Markup

from signals import reference
from signals.statistics.intervals import Interval
from signals.web.figures.charts import Dot, Frame, dots
from signals.web.figures.tile_map import PLACES, Tile, tile_map

FRAME = Frame(key="k", title="Bereikt & <b>", description="Hoeveel er bereikt zijn.")
CLEAR = Dot(label="Huisbezoek", interval=Interval(0.2, 0.15, 0.25))
PALE = Dot(label="Brief", interval=Interval(0.4, 0.0, 0.9), pale=True)
TWENTE = Tile(name="GGD Twente", shown="40%", is_higher=True)


@pytest.fixture(autouse=True)
def templates() -> Iterator[None]:
    with Flask("signals.web").app_context():
        yield


def drawn(*rows: Dot, most: float = 1.0) -> Markup:
    return dots(FRAME, rows, said=lambda value: f"{value:.0%}", most=most)


DRAWN: dict[str, Callable[[], Markup]] = {
    "dots": lambda: drawn(CLEAR, PALE),
    "tile map": lambda: tile_map(FRAME, {"GG1106": TWENTE}),
}


def tree(chart: Markup) -> Element:
    return fromstring(chart.replace(' xmlns="http://www.w3.org/2000/svg"', ""))


def texts(chart: Markup) -> list[str]:
    return [element.text or "" for element in tree(chart).iter("text")]


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


def test_text_in_a_chart_is_never_markup() -> None:
    hostile = Dot(label="<script>x", interval=CLEAR.interval, group='"><img>')
    assert "<script" not in drawn(hostile)
    assert {hostile.label, hostile.group} <= set(texts(drawn(hostile)))


def test_dots_and_intervals_stand_on_one_scale_from_zero() -> None:
    root = tree(drawn(CLEAR, Dot(label="Kaart", interval=Interval(0.1, 0.05, 0.15))))
    first, second = (float(dot.get("cx", "")) for dot in root.iter("circle"))
    low, high = next(
        (float(line.get("x1", "")), float(line.get("x2", "")))
        for line in root.iter("line")
        if line.get("class") == "range"
    )
    zero = min(float(line.get("x1", "")) for line in root.iter("line") if line.get("class") == "axis")
    assert first - zero == pytest.approx(2 * (second - zero), abs=0.2)
    assert first - low == pytest.approx(high - first, abs=0.2)


@pytest.mark.parametrize(
    ("high", "marks"),
    [(0.25, ["0%", "5%", "10%", "15%", "20%", "25%"]), (0.26, ["0%", "10%", "20%", "30%", "40%", "50%"])],
)
def test_the_axis_has_plain_numbers_and_fits_what_says_something(high: float, marks: list[str]) -> None:
    assert texts(drawn(Dot(label="x", interval=Interval(0.2, 0.1, high)), PALE))[:6] == marks


def test_what_says_little_is_drawn_open_and_dashed_within_the_chart() -> None:
    root = tree(drawn(CLEAR, PALE))
    assert [dot.get("class") for dot in root.iter("circle")] == ["dot", "open"]
    (pale,) = [line for line in root.iter("line") if line.get("class") == "pale"]
    assert pale.get("stroke-dasharray")
    assert float(pale.get("x2", "")) <= 360


def test_nothing_but_zeroes_can_be_drawn() -> None:
    assert "0%" in texts(drawn(Dot(label="x", interval=Interval(0, 0, 0))))


def test_every_region_has_one_tile_and_each_name_fits_it() -> None:
    assert set(PLACES) == set(reference.ggd_regions())
    assert len({(column, row) for column, row, _name in PLACES.values()}) == len(PLACES)
    assert max(len(name) for _column, _row, name in PLACES.values()) <= 11


def test_all_regions_look_alike_but_those_that_differ() -> None:
    root = tree(tile_map(FRAME, {"GG1106": TWENTE, "GG0111": Tile(name="G", shown="2%", is_higher=False)}))
    classes = [box.get("class") for box in root.iter("rect")]
    assert (classes.count("cell"), classes.count("higher"), classes.count("lower")) == (23, 1, 1)
    assert {"40%", "2%"} <= {element.text for element in root.iter("text")}
    assert len(list(root.iter("path"))) == 2
