"""Bodies that come slowly, never or too large: no thread waits for one, and other requests get answers."""

import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPResponse
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from signals.operations.whole_requests import MAX_BODY, WholeRequests
from signals.vocabulary import ProcessRole
from tests.support.serving import Served, serving
from tests.support.world import World

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("role", [ProcessRole.FRONT, ProcessRole.ALL])
def test_bodies_that_do_not_end_keep_no_thread_busy(sqlite_world: World, role: ProcessRole) -> None:
    """Six of them once made the service silent until their senders left."""
    with serving(sqlite_world, role=role) as served, ExitStack() as slow:
        for _ in range(600):
            connection = slow.enter_context(_connected(served))
            connection.sendall(_head("POST", "/api/v1/signals", "Content-Length: 100") + b"{")
        assert served.status("/api/v1/form") == 200
        assert served.status("/") == 200


@pytest.mark.parametrize("path", ["/api/v1/search", "/api/v1/form", "/nowhere"])
def test_a_call_that_is_refused_unread_leaves_its_connection_to_the_next(
    sqlite_world: World, path: str
) -> None:
    """The body comes after its head."""
    with serving(sqlite_world) as served, _connected(served) as connection:
        for _ in range(3):
            connection.sendall(_head("POST", path, "Content-Length: 2"))
            time.sleep(0.02)
            connection.sendall(b"{}")
            assert _answer(connection).startswith("HTTP/1.1 40")
        connection.sendall(_head("GET", "/healthz", "Content-Length: 0"))
        assert _answer(connection).startswith("HTTP/1.1 200")


@pytest.mark.parametrize("length", ["Content-Length: 10000000", "Transfer-Encoding: chunked"])
def test_a_connection_with_too_much_that_nobody_read_is_closed_with_a_word(
    sqlite_world: World, length: str
) -> None:
    with serving(sqlite_world) as served, _connected(served) as connection:
        connection.sendall(_head("POST", "/api/v1/signals", length) + b"80000\r\n" + bytes(2 * MAX_BODY))
        answer = _answer(connection).lower()
        assert answer.startswith("http/1.1 413")
        assert "connection: close" in answer


def test_a_client_that_leaves_in_the_middle_of_a_body_keeps_no_thread_busy(sqlite_world: World) -> None:
    with serving(sqlite_world) as served:
        for _ in range(12):  # more than there are threads
            with _connected(served) as connection:
                connection.sendall(_head("POST", "/api/v1/search", "Content-Length: 100") + b"{")
        assert served.status("/healthz") == 200


def test_a_body_that_takes_too_long_is_ended() -> None:
    assert _said(_Protocol(never=True), length="5") == (408, [("connection", "close")], b"")


def test_the_application_gets_the_request_and_no_address_of_the_client() -> None:
    environ: dict[str, Any] = {}
    _said(_Protocol(b"{}"), environ=environ, length="2")
    assert environ.pop("wsgi.input").read() == b"{}"
    assert not [name for name in environ if "REMOTE" in name or "127.0.0.9" in str(environ[name])]
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/caf\u00c3\u00a9", "a=%20")
    assert (environ["CONTENT_LENGTH"], environ["HTTP_COOKIE"]) == ("2", "a=1;b=2")
    assert "999" not in environ.values()


def test_a_failure_of_the_application_is_answered_without_its_words() -> None:
    assert _said(_Protocol(b""), fails=True) == (500, [], b"")


def test_a_report_with_a_token_waits_for_no_thread_that_others_hold() -> None:
    came = Event()

    def application(given: dict[str, Any], start: Any) -> list[bytes]:
        came.set() if "HTTP_AUTHORIZATION" in given else came.wait(5)
        start("200 OK" if came.is_set() else "503 Busy", [])
        return []

    async def both() -> None:
        first = whole.__rsgi__(_scope([]), without)  # type: ignore[arg-type]
        second = whole.__rsgi__(_scope([("authorization", "PrivateToken token=x")]), carrier)  # type: ignore[arg-type]
        await asyncio.gather(first, second)

    whole, without, carrier = WholeRequests(application, 1), _Protocol(), _Protocol()
    with ThreadPoolExecutor(1) as other:
        other.submit(lambda: asyncio.run(both())).result()
    assert [protocol.said[0] for protocol in (without, carrier)] == [200, 200]


class _Protocol:
    """The side of granian that holds the connection."""

    def __init__(self, body: bytes = b"", *, never: bool = False) -> None:
        self._body, self._never = body, never
        self.said: tuple[Any, ...] = ()

    async def __call__(self) -> bytes:
        if self._never:
            await asyncio.Event().wait()
        return self._body

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.said = status, headers, b""

    def response_bytes(self, *said: Any) -> None:
        self.said = said


def _said(
    protocol: _Protocol, *, environ: dict[str, Any] | None = None, fails: bool = False, length: str = "0"
) -> tuple[Any, ...]:
    def application(given: dict[str, Any], start: Any) -> list[bytes]:
        if environ is not None:
            environ.update(given)
        if fails:
            raise ValueError("Dorpsstraat 12")
        start("200 OK", [])
        return [b"ok"]

    headers = [("content-length", length), ("cookie", "a=1"), ("cookie", "b=2")]
    headers.append(("content_length", "999"))
    whole = WholeRequests(application, 1, body_seconds=0.01)
    # A thread of its own: a browser's test leaves an event loop running in this one.
    with ThreadPoolExecutor(1) as other:
        other.submit(lambda: asyncio.run(whole.__rsgi__(_scope(headers), protocol))).result()  # type: ignore[arg-type]
    return protocol.said


def _scope(headers: list[tuple[str, str]]) -> SimpleNamespace:
    return SimpleNamespace(
        method="POST", path="/caf\u00e9", query_string="a=%20", server="127.0.0.1:80", client="127.0.0.9:5",
        http_version="1.1", scheme="http", headers=SimpleNamespace(items=lambda: headers),
    )  # fmt: skip


def _connected(served: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), timeout=20)


def _head(method: str, path: str, length: str) -> bytes:
    said = ["Host: localhost", "Content-Type: application/json", length]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *said, "", ""]).encode()


def _answer(connection: socket.socket) -> str:
    """The head of the next answer, its body read too."""
    answer = HTTPResponse(connection)
    answer.begin()
    answer.read()
    return f"HTTP/1.1 {answer.status}\n{answer.headers}"
