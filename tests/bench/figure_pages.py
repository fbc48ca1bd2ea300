"""The page of figures after ten years of releases against one: what it costs must not grow with the years."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

from flask import Flask

from signals.app import create_app
from signals.clock import SystemClock
from signals.settings import FiguresSettings
from signals.vocabulary import ProcessRole
from signals.web.figures.context import EXTENSION
from tests.bench.house import make_house
from tests.bench.results import Line
from tests.support.publications import publish, year_of

GROUP = "statistics, pages of figures (SQLite)"
PAGES = ("/figures", "/figures/releases/2025", "/api/v1/statistics/releases/2025/tables/attempts")


def measure_pages(folder: Path, *, rounds: int) -> Iterator[Line]:
    """Measure pages that the cache has and pages that it has not, in turns, by CPU time of this process."""
    apps = {years: _app(folder / f"years-{years}", years) for years in (1, 2, 10)}
    for page in PAGES:
        one, ten = _in_turns(rounds, [partial(_ask, apps[years], page) for years in (1, 10)])
        yield Line(group=GROUP, what=f"{page}: 10 years against 1", value=ten / one, at_most=1.1)
        yield Line(group=GROUP, what=f"{page}: at 10 years", value=ten * 1e3, unit="ms CPU")
    # Two years are as many quarters as a page shows, so both make the same charts.
    two, ten = _in_turns(rounds, [partial(_make, apps[years], PAGES[0]) for years in (2, 10)])
    yield Line(group=GROUP, what="/figures made anew: 10 years against 2", value=ten / two, at_most=1.1)
    yield Line(group=GROUP, what="/figures made anew: at 10 years", value=ten * 1e3, unit="ms CPU")


def _app(folder: Path, years: int) -> Flask:
    """The public side with releases of so many whole years, the last of them 2025."""
    folder.mkdir(parents=True)
    urls = {name: f"sqlite:///{folder}/{name}.db" for name in ("signals", "keystore")}
    house = make_house(folder / "house", database_url=urls["signals"], keystore_url=urls["keystore"])
    engine = house.engine()
    for year in range(2026 - years, 2026):
        publish(engine, [*(f"{year}-Q{number}" for number in range(1, 5)), str(year)], year_of(5_000))
    public = replace(house.settings, role=ProcessRole.FRONT, figures=FiguresSettings(public=True))
    return create_app(public, clock=SystemClock(), engine=engine)


def _ask(app: Flask, page: str) -> None:
    answer = app.test_client().get(page)
    if answer.status_code != 200:
        raise RuntimeError(f"{page}: {answer.status_code}")


def _make(app: Flask, page: str) -> None:
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], shelf={})
    _ask(app, page)


def _in_turns(rounds: int, actions: list[Callable[[], None]]) -> list[float]:
    """The median of CPU seconds of each, after a few that do not count."""
    seen: list[list[float]] = [[] for _ in actions]
    for number in range(-3, rounds):
        for action, times in zip(actions, seen, strict=True):
            started = time.process_time()
            action()
            if number >= 0:
                times.append(time.process_time() - started)
    return [median(times) for times in seen]
