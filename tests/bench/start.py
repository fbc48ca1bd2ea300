"""Measure the time from `signals serve --prepare` to the first answer, and the memory of the server."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench.processes import (
    PROJECT,
    START_SECONDS,
    children_of,
    clean_environment,
    end,
    free_port,
    memory_mib,
    wait_for_answer,
)
from tests.bench.results import Line

GROUP = "start and memory"
IMPORTS = (
    "import signals.cli.running, signals.operations.installation, signals.app, signals.operations.server, "
    "signals.web.front.api"
)
ALL_ROLES = ", signals.operations.jobs, signals.operations.schedule, signals.web.desk.api"


def measure_start(folder: Path, *, rounds: int) -> Iterator[Line]:
    """The embedded default: role `all`, SQLite, the demo's data, one process of four threads."""
    folder.mkdir(parents=True, exist_ok=True)
    with _served(folder) as (_, seconds):
        yield Line(GROUP, "very first start (settings, schema, demo) to the first answer", seconds, "s")
    starts, imports, memory = [], [], []
    for _ in range(rounds):
        imports.append(_import_seconds())
        with _served(folder) as (process, seconds):
            starts.append(seconds)
            memory.append(memory_mib([process.pid, *children_of(process.pid)]))
    yield Line(GROUP, "second start to the first answer", median(starts), "s", at_most=3.0)
    yield Line(GROUP, "bare import of what is needed", median(imports), "s")
    yield Line(GROUP, "second start against bare import", median(starts) / median(imports), at_most=1.25)
    yield Line(GROUP, "memory of all processes (PSS)", max(memory), "MiB", at_most=200)


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """A server and the seconds from its start to the first answer of its API."""
    port = free_port()
    log = (folder / "serve.log").open("ab")
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("signals")), "serve", "--prepare"],
        cwd=folder,
        env=clean_environment() | {"SIGNALS__SERVER__PORT": str(port)},
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
    )
    try:
        _wait(process, port, folder / "serve.log")
        yield process, time.perf_counter() - started
    finally:
        end(process)
        log.close()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.perf_counter() + 4 * START_SECONDS
    while time.perf_counter() < until:
        if process.poll() is not None:
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise RuntimeError(f"signals serve ended by itself: {' '.join(last)[:200]}")
        with contextlib.suppress(TimeoutError):
            wait_for_answer(port, "/api/v1/form", patience=0.5)
            return
    raise TimeoutError("signals serve does not answer")


def _import_seconds() -> float:
    """A Python that imports the same modules and does nothing."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", IMPORTS + ALL_ROLES], cwd=PROJECT, env=clean_environment(), check=True
    )
    return time.perf_counter() - started
