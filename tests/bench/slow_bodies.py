"""The public side while hundreds of bodies stay unfinished, embedded and behind the nginx of docs/deploy."""

import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPSConnection
from itertools import cycle
from pathlib import Path
from socket import create_connection

from tests.bench.client import requests_for
from tests.bench.house import make_house
from tests.bench.intake import FULL_PATH
from tests.bench.processes import free_port, running, wait_for_answer
from tests.bench.results import Line, quantile
from tests.support.nginx import NAME, Nginx, nginx_before

GROUP = "slow bodies"
FILES = 8192
_BEGUN = (
    f"POST {FULL_PATH} HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/json\r\n"
    "Content-Length: 100\r\n\r\n{"
).encode()


def measure_slow_bodies(folder: Path, *, requests: int) -> Iterator[Line]:
    """The p99 of `GET /form` and of a report, each on a connection of its own, one after another."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))
    port, before = free_port(), free_port()
    urls = {
        "database_url": f"sqlite:///{folder}/signals.db",
        "keystore_url": f"sqlite:///{folder}/keystore.db",
    }
    house = make_house(folder, port=port, **urls)
    with (
        running("-m", "tests.bench.serving", str(house.config)),
        nginx_before(port, folder / "nginx", before) as nginx,
    ):
        wait_for_answer(port)
        yield from _embedded(port, min(requests, 500))  # the server ends a slow body after ten seconds
        yield from _behind(nginx, requests)
        yield from _after_an_outage(nginx, 5000)


def _embedded(port: int, requests: int) -> Iterator[Line]:
    def ask() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/api/v1/form")
        _require(connection.getresponse().read())
        connection.close()

    bare = _p99(ask, requests)
    with ExitStack() as slow:
        for _ in range(600):
            slow.enter_context(create_connection(("127.0.0.1", port))).sendall(_BEGUN)
        value = _p99(ask, requests)
    yield _line("GET /form, embedded, none open: p99", bare)
    yield _line("GET /form, embedded, 600 open: p99", value, at_most=200)
    yield Line(group=GROUP, what="the same, 600 open against none", value=value / bare)


def _behind(nginx: Nginx, requests: int) -> Iterator[Line]:
    carriers = cycle(f"127.1.0.{number}" for number in range(1, 51))

    def ask() -> None:
        connection = HTTPSConnection(NAME, nginx.port, timeout=20)
        connection.sock = nginx.connect(next(carriers))
        connection.request("GET", "/api/v1/form")
        _require(connection.getresponse().read())
        connection.close()

    reports = iter(requests_for(FULL_PATH, 1, requests))

    def send() -> None:
        with nginx.connect(next(carriers)) as connection:
            connection.sendall(next(reports).replace(b"Host: 127.0.0.1", f"Host: {NAME}".encode()))
            _require(connection.recv(4096).startswith(b"HTTP/1.1 201"))

    few = min(requests, 300)  # nginx ends a slow body after ten seconds
    with ExitStack() as slow:
        for number in range(2000):
            slow.enter_context(nginx.connect(f"127.{2 + number // 100}.0.{1 + number % 100}")).sendall(_BEGUN)
            if number == 599:
                yield _line("GET /form, behind nginx, 600 open: p99", _p99(ask, few), at_most=200)
        yield _line("POST /signals, behind nginx, 2,000 open: p99", _p99(send, few), at_most=300)


def _after_an_outage(nginx: Nginx, phones: int) -> Iterator[Line]:
    """All phones send what they kept, at once, each from an address of its own."""
    reports = requests_for(FULL_PATH, 2, phones)

    def send(number: int) -> bool:
        with nginx.connect(f"127.{100 + number // 10_000}.{number // 100 % 100}.{1 + number % 100}") as phone:
            phone.sendall(reports[number].replace(b"Host: 127.0.0.1", f"Host: {NAME}".encode()))
            return phone.recv(4096).startswith(b"HTTP/1.1 201")

    began = time.perf_counter()
    with ThreadPoolExecutor(16) as sending:
        taken = sum(sending.map(send, range(phones)))
    seconds = time.perf_counter() - began
    what = f"{phones:,} phones send at once after an outage"
    yield Line(group=GROUP, what=f"{what}: refused", value=phones - taken, at_most=0)
    yield Line(group=GROUP, what=f"{what}: seconds", value=seconds, unit="s", at_most=900)


def _p99(ask: Callable[[], None], times: int) -> float:
    """Milliseconds, with a pause after each, as people are no flood."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1e3)
        time.sleep(0.01)
    return quantile(taken, 0.99)


def _line(what: str, value: float, *, at_most: float | None = None) -> Line:
    return Line(group=GROUP, what=what, value=value, unit="ms", at_most=at_most)


def _require(answered: object) -> None:
    if not answered:
        raise RuntimeError("the server gave no answer")
