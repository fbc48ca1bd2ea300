"""Each job of the worker beside few rows and beside ten times as many, with the same number due."""

import resource
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

from privacy.logs import configure_logging
from signals.clock import today
from signals.db import make_engine
from signals.operations.schedule import add_jobs
from signals.retention import unreadable
from tests.bench.results import Line, interleaved
from tests.support.growing import seed
from tests.support.world import World, fill_another, make_template, make_world

DUE = 100
WITHOUT_TARGET = {"key_sweep"}
"""It compares all keys with all signals, once a night: nothing else tells which key nobody needs."""


def measure_growth(
    folder: Path, urls: Sequence[str], *, counts: Sequence[int], rounds: int
) -> Iterator[Line]:
    """Run each job `rounds` times in turns on databases with so many rows in each large table."""
    configure_logging(level="CRITICAL")  # the seeded signals are unreadable, and each run says so
    unreadable.TRIED_AT_ONCE = unreadable.PAGE  # type: ignore[misc]  # else this reads all of a small one
    template = folder / "template"
    template.mkdir()
    make_template(template)
    worlds = [
        _seeded(template, folder / str(rows), url, rows) for url, rows in zip(urls, counts, strict=True)
    ]
    group = f"jobs, PostgreSQL: {counts[-1]:,} rows against {counts[0]:,}"
    for name, jobs in _jobs(worlds):
        few, many = interleaved(rounds, *jobs, clock=perf_counter)
        what = f"{name}: {few * 1e3:.1f} and {many * 1e3:.1f} ms"
        yield Line(group, what, many / few, at_most=None if name in WITHOUT_TARGET else 1.3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Line(group, "memory of this process at most", peak, "MiB", at_most=250)
    for world in worlds:
        world.close()


def _seeded(template: Path, folder: Path, url: str, rows: int) -> World:
    engine = make_engine(url)
    fill_another(engine, template)
    engine.dispose()
    folder.mkdir()
    world = make_world(template, folder, url)
    world.staff()
    seed(world.engine, on=today(world.clock), rows=rows, due=DUE)
    return world


def _jobs(worlds: Sequence[World]) -> Iterator[tuple[str, list[Callable[[], Any]]]]:
    found: dict[str, list[Callable[[], Any]]] = {}
    for world in worlds:
        scheduler = BackgroundScheduler()
        add_jobs(scheduler, world.worker())
        for job in scheduler.get_jobs():
            if not job.id.endswith("_at_start"):
                found.setdefault(job.id, []).append(partial(job.func))
    yield from found.items()
