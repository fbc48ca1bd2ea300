"""Processes of the bench: started, told to go, watched in /proc (CPU, memory), ended with all below them."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 30.0


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process (`-m module ...`) while the block lasts; it and its children end with it."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        end(process)


def clean_environment() -> dict[str, str]:
    """Return the environment without the caller's settings, and with this checkout's code."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIGNALS_")}
    return kept | {"PYTHONPATH": str(PROJECT)}


def said_by(*arguments: str, given: str = "") -> Any:
    """Return the JSON that a Python process (`-m module ...`) prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=clean_environment(),
        input=given.encode(),
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


def when_told(work: Callable[[], object]) -> None:
    """Say that this process is ready, wait for a line, work, and print what it took as JSON."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    started, spent = time.time(), time.process_time()
    work()
    taken = {"from": started, "until": time.time(), "cpu": time.process_time() - spent}
    sys.stdout.write(json.dumps(taken) + "\n")
    sys.stdout.flush()


def wait_until_ready(process: subprocess.Popen[bytes]) -> None:
    """Wait for the first word of `when_told`."""
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"


def tell_to_go(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Let processes begin that wait in `when_told`."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()


def taken_by(processes: Sequence[subprocess.Popen[bytes]]) -> list[dict[str, float]]:
    """Wait for the times of each process: "from", "until" and "cpu", in seconds."""
    return [json.loads(process.stdout.readline()) for process in processes if process.stdout]


def end(process: subprocess.Popen[bytes]) -> None:
    """Send SIGTERM, and SIGKILL to processes that still live after five seconds."""
    family = [process.pid, *children_of(process.pid)]
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=5)
    for number in family[1:]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    process.kill()
    process.wait()


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_answer(port: int, path: str = "/healthz", *, patience: float = START_SECONDS) -> None:
    """Ask until the server answers 200; raises `TimeoutError` after so many seconds."""
    until = time.perf_counter() + patience
    while time.perf_counter() < until:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=5) as connection,
        ):
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
            if connection.recv(64).startswith(b"HTTP/1.1 200"):
                return
        time.sleep(0.01)
    raise TimeoutError(f"no answer in {patience:.1f} s")


def children_of(number: int) -> list[int]:
    """All processes below one, as /proc knows them."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError):  # it has ended meanwhile
        for task in Path(f"/proc/{number}/task").glob("*/children"):
            for child in task.read_text().split():
                found += [int(child), *children_of(int(child))]
    return found


def cpu_seconds(numbers: list[int]) -> float:
    """User and system time that processes have spent, in seconds (by ticks of 10 ms)."""
    return sum(_ticks(number) for number in numbers) / TICKS


def cpu_by_process(numbers: list[int]) -> dict[int, float]:
    """The same of each; one that ends between listing and reading (PostgreSQL's autovacuum) is left out."""
    spent = {}
    for number in numbers:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            spent[number] = cpu_seconds([number])
    return spent


def memory_mib(numbers: list[int]) -> float:
    """Memory of processes together, with shared pages divided among their users (PSS), in MiB."""
    return sum(_pss(number) for number in numbers) / 1024


def _ticks(number: int) -> int:
    # The name in parentheses may hold spaces; fields 14 and 15 of proc(5) come after it.
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _pss(number: int) -> int:
    for line in Path(f"/proc/{number}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
