"""Each job and each hot query beside few rows and beside ten times as many, with the same number due."""

import gc
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import click
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine, text

from privacy.logs import configure_logging
from signals.clock import today
from signals.db import make_engine
from signals.operations.schedule import add_jobs
from signals.retention import unreadable
from tests.bench.hot_queries import hot_queries, receive_some
from tests.bench.results import Line
from tests.support.falling_due import fall_due
from tests.support.growing import fill_keystore, seed
from tests.support.world import World, fill_another, make_template, make_world

DUE = 100
LEAST, MOST = 5, 40
SECONDS = 5.0
"""So long, and at least `LEAST` rounds, takes the measurement of one job or query."""
_BACKENDS = text(
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """One job or query in one world. `prepare` lets the same number of rows fall due; nobody measures it."""

    engine: Engine
    prepare: Callable[[], None]
    run: Callable[[], object]


_Found = Callable[[World], Iterator[tuple[str, _Work]]]


def measure_growth(folder: Path, urls: Sequence[str], *, counts: Sequence[int]) -> Iterator[Line]:
    """Measure the CPU of each job and hot query, of this process and PostgreSQL, on two databases.

    Other work on the machine hardly changes it. Prints the table of docs/performance.md, too.
    """
    configure_logging(level="CRITICAL")  # the seeded signals are unreadable, and each run says so
    unreadable.TRIED_AT_ONCE = unreadable.PAGE  # type: ignore[misc]  # else this reads all of a small one
    template = folder / "template"
    template.mkdir()
    make_template(template)
    started = time.perf_counter()
    worlds = [
        _seeded(template, folder / str(rows), url, rows) for url, rows in zip(urls, counts, strict=True)
    ]
    group = f"{counts[-1]:,} rows against {counts[0]:,}"
    yield Line(group, "seeding", time.perf_counter() - started, "s")
    table = [f"| job or query | {counts[0]:,} | {counts[-1]:,} | ratio |", "|---|---|---|---|"]
    for found_in in (_jobs, _queries):
        for name, few, many in _compared(worlds, found_in):
            table.append(f"| {name} | {few * 1e3:.1f} | {many * 1e3:.1f} | {many / few:.2f} |")
            yield Line(group, f"{name}: {few * 1e3:.1f} and {many * 1e3:.1f} ms", many / few, at_most=1.3)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield Line(group, "memory of this process at most so far", peak, "MiB", at_most=250)
    click.echo("\n".join(table), err=True)
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
    fill_keystore(folder / "keystore.db", on=today(world.clock), rows=rows)
    return world


def _jobs(world: World) -> Iterator[tuple[str, _Work]]:
    scheduler = BackgroundScheduler()
    add_jobs(scheduler, world.worker())
    receive = receive_some(world)

    def prepare(name: str) -> None:
        fall_due(world.engine, name, on=today(world.clock), due=DUE)
        if name == "arrival":
            receive(DUE)

    for job in scheduler.get_jobs():
        if not job.id.endswith("_at_start"):
            yield job.id, _Work(engine=world.engine, prepare=partial(prepare, job.id), run=job.func)


def _queries(world: World) -> Iterator[tuple[str, _Work]]:
    for name, run in hot_queries(world):
        yield name, _Work(engine=world.engine, prepare=lambda: None, run=run)


def _compared(worlds: Sequence[World], found_in: _Found) -> Iterator[tuple[str, float, float]]:
    found: dict[str, list[_Work]] = {}
    for world in worlds:
        for name, work in found_in(world):
            found.setdefault(name, []).append(work)
    for name, works in found.items():
        few, many = _in_turns(works)
        yield name, few, many


def _in_turns(works: Sequence[_Work]) -> list[float]:
    """Return the median CPU seconds of each; the first of its rounds are not counted."""
    seen: list[list[float]] = [[] for _ in works]
    until = time.perf_counter() + SECONDS
    gc.disable()
    try:
        while len(seen[0]) < LEAST or (len(seen[0]) < MOST and time.perf_counter() < until):
            for work, times in zip(works, seen, strict=True):
                times.append(_spent(work))
    finally:
        gc.enable()
    return [median(times[2:]) for times in seen]


def _spent(work: _Work) -> float:
    work.prepare()
    with work.engine.connect() as connection:
        backends = list(connection.scalars(_BACKENDS))
    before = time.process_time() + _cpu_of(backends)
    if work.run() is False:
        raise RuntimeError("a job failed")
    return time.process_time() + _cpu_of(backends) - before


def _cpu_of(processes: Sequence[int]) -> float:
    """Return the CPU seconds of processes, by the scheduler's nanoseconds."""
    spent = 0
    for number in processes:
        with suppress(FileNotFoundError):
            spent += int(Path(f"/proc/{number}/schedstat").read_text().split()[0])
    return spent / 1e9
