"""A proxy between browser and server that breaks chosen sends as a network or a service can."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import StrEnum

import brotli


class Fault(StrEnum):
    """The faults of one send of a report; before a fault `AFTER_`, the server has stored the report."""

    BEFORE_REQUEST = "before_request"
    MID_REQUEST = "mid_request"
    AFTER_STORED = "after_stored"
    AFTER_HALF_ANSWER = "after_half_answer"
    AFTER_GARBAGE = "after_garbage"
    AFTER_ERROR = "after_error"
    AFTER_PORTAL = "after_portal"
    GARBAGE = "garbage"
    PORTAL = "portal"
    REDIRECT = "redirect"
    PROXY_403 = "proxy_403"
    HTML_400 = "html_400"
    HTML_404 = "html_404"
    GONE_410 = "gone_410"
    BROKEN_PROBLEM_400 = "broken_problem_400"
    HTML_502 = "html_502"
    PROBLEM_500 = "problem_500"
    BUSY_503 = "busy_503"
    BUSY_UNTIL = "busy_until"
    PORTAL_503_FOR_A_DAY = "portal_503_for_a_day"
    LOGIN_511 = "login_511"
    PROBLEM_422 = "problem_422"
    FULL_429 = "full_429"
    HTML_201 = "html_201"
    JSON_201_OF_ANOTHER = "json_201_of_another"
    JSON_200 = "json_200"


_HTML = b"<!doctype html><title>Wifi</title><p>Log in om verder te gaan</p>"
_JSON = b'{"receipt": "AAAA-AAAA-AAAA-AAAA", "organisation": {"name": "x", "kind": "ggd"}}'
_PROBLEM = b'{"type": "about:blank", "title": "x", "status": 500, "detail": "x", "instance": "x"}'
_OURS = "API-Version: 1.0.0\r\n"


def _answer(status: str, kind: str, body: bytes, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    head += f"{more}Connection: close\r\n\r\n"
    return head.encode() + body


_GARBAGE = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00"
_ANSWERS = {
    Fault.GARBAGE: _GARBAGE,
    Fault.AFTER_GARBAGE: _GARBAGE,
    Fault.PORTAL: _answer("200 OK", "text/html", _HTML),
    Fault.AFTER_PORTAL: _answer("200 OK", "text/html", _HTML),
    Fault.REDIRECT: _answer("302 Found", "text/html", b"", "Location: http://wifi.invalid/login\r\n"),
    Fault.PROXY_403: _answer("403 Forbidden", "text/html", _HTML),
    Fault.HTML_400: _answer("400 Bad Request", "text/html", _HTML),
    Fault.HTML_404: _answer("404 Not Found", "text/html", _HTML),
    Fault.GONE_410: _answer("410 Gone", "application/problem+json", _PROBLEM, _OURS),
    Fault.BROKEN_PROBLEM_400: _answer("400 Bad Request", "application/problem+json", _PROBLEM[:20]),
    Fault.HTML_502: _answer("502 Bad Gateway", "text/html", _HTML),
    Fault.PROBLEM_500: _answer("500 Error", "application/problem+json", _PROBLEM, _OURS),
    Fault.AFTER_ERROR: _answer("500 Error", "application/problem+json", _PROBLEM, _OURS),
    Fault.BUSY_503: _answer("503 Busy", "application/problem+json", _PROBLEM, _OURS + "Retry-After: 1\r\n"),
    Fault.FULL_429: _answer("429 Full", "application/problem+json", _PROBLEM, _OURS + "Retry-After: 1\r\n"),
    Fault.PORTAL_503_FOR_A_DAY: _answer("503 Busy", "text/html", _HTML, "Retry-After: 86400\r\n"),
    Fault.LOGIN_511: _answer("511 Network Authentication Required", "text/html", _HTML),
    Fault.PROBLEM_422: _answer("422 Unprocessable", "application/problem+json", _PROBLEM, _OURS),
    Fault.HTML_201: _answer("201 Created", "text/html", _HTML, _OURS),
    Fault.JSON_201_OF_ANOTHER: _answer("201 Created", "application/json", _JSON),
    Fault.JSON_200: _answer("200 OK", "application/json", _JSON, _OURS),
}


@dataclass
class FaultProxy:
    """Passes everything on to a port, and breaks the next sends of reports as `planned` says.

    `passed`: path, bytes and bytes without headers of each answer, as they went over the wire.
    `down`: nothing gets through. `silent`: everything is taken, and answered only when this ends. `portal`:
    every answer is a sign-in page of somebody. `slow`: seconds before each answer to a report. `replace`:
    bytes of `/sw.js` and others for them, as in another version. `busy`: connections that are being served.
    """

    target: int
    planned: deque[Fault] = field(default_factory=deque)
    down: bool = False
    gone: bool = False
    portal: bool = False
    silent: bool = False
    slow: float = 0.0
    replace: tuple[bytes, bytes] | None = None
    busy: int = 0
    sends: int = 0
    sent_keys: list[str] = field(default_factory=list)
    seen_paths: list[str] = field(default_factory=list)
    passed: list[tuple[str, int, int]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def plan(self, *faults: Fault) -> None:
        self.planned = deque(faults)

    def close(self) -> None:
        self.gone = True
        # A thread that waits in accept() keeps the port until it wakes up.
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            pass
        self._listener.close()

    def _listen(self) -> None:
        while not self.gone:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        """One request a connection: what is broken concerns no other request."""
        with connection, contextlib.suppress(OSError), self._counted():
            connection.settimeout(30)
            while self.silent and not self.gone:
                time.sleep(0.05)
            if not self.down:
                self._pass_on(connection)

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self.busy += 1
        try:
            yield
        finally:
            with self._lock:
                self.busy -= 1

    def _pass_on(self, connection: socket.socket) -> None:
        request = _read_request(connection)
        if not request:
            return
        line = request.split(b"\r\n", 1)[0].decode("latin-1")
        fault = Fault.PORTAL if self.portal else self._fault_for(line, request)
        reaches_the_server = fault is None or fault.startswith("after_")
        answer = self._ask(request) if reaches_the_server else b""
        if fault is Fault.MID_REQUEST:
            self._send_half(request)
        self.passed.append((line.split(" ")[1], len(answer), len(answer.partition(b"\r\n\r\n")[2])))
        connection.sendall(_as_broken(fault, answer))

    def _fault_for(self, line: str, request: bytes) -> Fault | None:
        with self._lock:
            self.seen_paths.append(line.split(" ")[1])
            if not line.startswith("POST /api/v1/signals "):
                return None
            self.sends += 1
            self.sent_keys.append(_header(request, "idempotency-key"))
            return self.planned.popleft() if self.planned else None

    def _ask(self, request: bytes) -> bytes:
        head, body = request.split(b"\r\n\r\n", 1)
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        with socket.create_connection(("127.0.0.1", self.target), timeout=30) as server:
            server.sendall(b"\r\n".join(lines) + b"\r\nConnection: close\r\n\r\n" + body)
            answer = b"".join(iter(lambda: server.recv(65536), b""))
        if request.startswith(b"POST /api/v1/signals ") and self.slow:
            time.sleep(self.slow)
        if request.startswith(b"GET /sw.js ") and self.replace:
            return _replaced(answer, *self.replace)
        return answer

    def _send_half(self, request: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.target), timeout=30) as server:
            server.sendall(request[: len(request) - 20])


def _busy_until() -> bytes:
    """Come back in an hour, said as a moment (RFC 9110, 10.2.3)."""
    now = time.time()
    times = f"Date: {formatdate(now, usegmt=True)}\r\nRetry-After: {formatdate(now + 3600, usegmt=True)}\r\n"
    return _answer("503 Busy", "application/problem+json", _PROBLEM, _OURS + times)


def _as_broken(fault: Fault | None, answer: bytes) -> bytes:
    if fault is None:
        return answer
    if fault is Fault.BUSY_UNTIL:
        return _busy_until()
    if fault is Fault.AFTER_HALF_ANSWER:
        return answer[: len(answer) - 30]
    return _ANSWERS.get(fault, b"")


def _replaced(answer: bytes, old: bytes, new: bytes) -> bytes:
    head, body = answer.split(b"\r\n\r\n", 1)
    if b"content-encoding: br" in head.lower():
        body = brotli.decompress(body)
    elif b"content-encoding: gzip" in head.lower():
        body = gzip.decompress(body)
    body = body.replace(old, new)
    kept = [
        line
        for line in head.split(b"\r\n")
        if not line.lower().startswith((b"content-length", b"content-enc"))
    ]
    return b"\r\n".join(kept) + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    length = int(_header(data, "content-length") or 0)
    start = data.index(b"\r\n\r\n") + 4
    while len(data) - start < length:
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    return data


def _header(request: bytes, name: str) -> str:
    for line in request.split(b"\r\n\r\n", 1)[0].decode("latin-1").split("\r\n")[1:]:
        known, _, value = line.partition(":")
        if known.strip().lower() == name:
            return value.strip()
    return ""


@contextlib.contextmanager
def faults_before(target: int) -> Iterator[FaultProxy]:
    """A proxy in front of a port of this machine, ended afterwards."""
    proxy = FaultProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
