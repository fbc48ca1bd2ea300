"""Hand a request to a thread of the application only when its body is whole (docs/adr/0022).

Granian's own WSGI hands it over at once: six bodies that never ended held every thread. Here an event loop
collects bodies, and ends each that takes longer than `BODY_SECONDS`.
"""

import asyncio
import io
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from structlog import get_logger

from signals.operations.heartbeats import HEARTBEATS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

BODY_SECONDS: Final = 10
BEAT_SECONDS: Final = 60
"""The longest that a request computes or waits between two statements."""
MAX_BODY: Final = 256 * 1024
"""Bytes; single calls allow less. No call reads more."""

_CLOSE: Final = ("connection", "close")
_BARE: Final[dict[str, Any]] = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}
_Answer = tuple[int, list[tuple[str, str]], bytes]

log = get_logger(__name__)


class WholeRequests:
    """An RSGI application around a WSGI one, which runs on `threads` threads.

    Reports with a token have one thread more: they do not wait behind a flood of reports without one.
    """

    def __init__(
        self, application: "WSGIApplication", threads: int, *, body_seconds: float = BODY_SECONDS
    ) -> None:
        self._application, self._body_seconds = application, body_seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._with_token = ThreadPoolExecutor(1, thread_name_prefix="with-token")

    async def __rsgi__(self, scope: "Scope", protocol: "HTTPProtocol") -> None:
        """Answer one request: 408 for a body that takes too long, and nothing to a client that left."""
        try:
            async with asyncio.timeout(self._body_seconds):
                environ, whole = await _received(scope, protocol)
        except TimeoutError:
            protocol.response_empty(408, [_CLOSE])
            return
        except RuntimeError:  # the client left in the middle of its body
            protocol.response_empty(400, [_CLOSE])
            return
        loop = asyncio.get_running_loop()
        has_token = environ.get("HTTP_AUTHORIZATION", "")[:12].lower() == "privatetoken"
        pool = self._with_token if has_token else self._pool
        status, headers, content = await loop.run_in_executor(pool, self._answer, environ)
        protocol.response_bytes(status, headers if whole else [*headers, _CLOSE], content)

    def _answer(self, environ: dict[str, Any]) -> _Answer:
        started: list[Any] = [500, []]

        def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
            started[:] = int(status[:3]), headers

        try:
            with HEARTBEATS.work("request", BEAT_SECONDS):
                parts = self._application(environ, start)
            return *started, _joined(parts)
        except Exception as error:
            log.critical("server.application_failed", exc_info=error)
            return 500, [], b""


async def _received(scope: "Scope", protocol: "HTTPProtocol") -> tuple[dict[str, Any], bool]:
    """Return the request as WSGI wants it, and whether its body is whole; stop soon after `MAX_BODY`."""
    environ = _environ(scope)
    body, whole = b"", True
    if "HTTP_TRANSFER_ENCODING" in environ:
        body, whole = await _body_without_length(protocol)
    elif (length := int(environ.get("CONTENT_LENGTH", 0))) > MAX_BODY:
        whole = False
    elif length:
        body = await protocol()
    return environ | {"wsgi.input": io.BytesIO(body)}, whole


async def _body_without_length(protocol: "HTTPProtocol") -> tuple[bytes, bool]:
    body = b""
    async for part in protocol:
        body += part
        if len(body) > MAX_BODY:
            return body, False
    return body, True


def _environ(scope: "Scope") -> dict[str, Any]:
    """Return the request's part of the environment (PEP 3333). The client's address is no part of it."""
    name, _colon, port = scope.server.rpartition(":")
    environ = _BARE | {
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": name,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "wsgi.url_scheme": scope.scheme,
    }
    for header, value in scope.headers.items():
        if "_" in header:  # `content_length` must not pass for `Content-Length`
            continue
        key = _key(header)
        if key in environ:
            environ[key] += (";" if header == "cookie" else ",") + value
        else:
            environ[key] = value
    return environ


@lru_cache(maxsize=256)
def _key(header: str) -> str:
    key = header.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def _joined(parts: Iterable[bytes]) -> bytes:
    try:
        return b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
