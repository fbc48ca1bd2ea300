"""A case system that keeps what it is given, as the VNG's Zaken and Documenten APIs describe it.

It asks for a valid token, and an identification is unique within an organisation. A test scripts the trouble:
`before` and `after` run around each creation, and `answers` are given instead of doing anything.
"""

import base64
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt

HOST = "127.0.0.1"
SECRET = "een-geheim-van-ten-minste-32-tekens"
KINDS = {
    "/zaken/api/v1/zaken": ("identificatie", "bronorganisatie"),
    "/zaken/api/v1/zaakinformatieobjecten": ("zaak", "informatieobject"),
    "/documenten/api/v1/enkelvoudiginformatieobjecten": ("identificatie", "bronorganisatie"),
}
ZAKEN, RELATIONS, DOCUMENTS = KINDS


def nothing(_path: str) -> None:
    """Do nothing around a creation."""


@dataclass
class Peer:
    """What the system has, by path, and the trouble that a test makes."""

    port: int = 0
    things: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {path: [] for path in KINDS})
    answers: deque[tuple[int, dict[str, Any]]] = field(default_factory=deque)
    asked: list[tuple[str, str]] = field(default_factory=list)
    before: Callable[[str], None] = nothing
    after: Callable[[str], None] = nothing
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """What an organisation would fill in."""
        return {
            "zaken_url": f"{self.address}/zaken/api/v1",
            "documenten_url": f"{self.address}/documenten/api/v1",
            "client_id": "deurpost",
            "rsin": "123456782",
            "zaaktype": "https://zaken.example.org/catalogi/api/v1/zaaktypen/1",
            "informatieobjecttype": "https://zaken.example.org/catalogi/api/v1/informatieobjecttypen/1",
        }

    def numbers(self) -> tuple[int, int, int]:
        """How many zaken, documents and relations there are."""
        return len(self.things[ZAKEN]), len(self.things[DOCUMENTS]), len(self.things[RELATIONS])

    def pdf(self) -> bytes:
        """The content of the last document."""
        return base64.b64decode(self.things[DOCUMENTS][-1]["inhoud"])

    def find(self, path: str, key: dict[str, str]) -> list[dict[str, Any]]:
        with self.lock:
            return [one for one in self.things[path] if key.items() <= one.items()]

    def make(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with self.lock:
            key = {name: body[name] for name in KINDS[path]}
            if any(key.items() <= one.items() for one in self.things[path]):
                return 400, {"invalidParams": [{"name": "identificatie", "code": "identificatie-niet-uniek"}]}
            made = {**body, "url": f"{self.address}{path}/{len(self.things[path]) + 1}"}
            self.things[path].append(made)
            return 201, made


@contextmanager
def case_system() -> Iterator[Peer]:
    """Serve a case system while the block lasts."""
    peer = Peer()
    server = ThreadingHTTPServer((HOST, 0), _handler(peer))
    peer.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield peer
    finally:
        peer.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(peer: Peer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            found = peer.find(parts.path, dict(parse_qsl(parts.query)))
            paged = {"count": len(found), "results": found}
            self._answer(200, found if parts.path == RELATIONS else paged)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            peer.before(self.path)
            status, answer = (0, {}) if peer.answers else peer.make(self.path, body)
            peer.after(self.path)
            self._answer(status, answer)

        def _answer(self, status: int, body: Any) -> None:
            peer.asked.append((self.command, urlsplit(self.path).path))
            if peer.answers:
                status, body = peer.answers.popleft()
            elif not _is_admitted(self.headers.get("Authorization", "")):
                status, body = 403, {"code": "not_authenticated"}
            if not status:
                return  # the connection ends without a word
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": len(content)}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Keep the output of the tests clean."""

    return Handler


def _is_admitted(authorization: str) -> bool:
    try:
        token = authorization.removeprefix("Bearer ")
        claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_iat": False})
    except jwt.InvalidTokenError:
        return False
    return {"iss", "iat", "client_id", "user_id", "user_representation"} <= claims.keys()
