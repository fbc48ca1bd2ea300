"""`GET /metrics` for Prometheus: on the desk, and on a port of its own for a worker; never on a front alone.

A worker has no other door, so that its port tells its health too.

Figures of the whole installation and of no area: messages by state and class, and the age of the oldest.
"""

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flask import Blueprint, Response
from sqlalchemy.orm import Session, sessionmaker

from notifications.figures import prometheus_text
from signals.clock import Clock
from signals.db import reading, reading_session
from signals.web.http.health import Check, health

AUTHENTICATION = "none"
_Answer = tuple[int, str, bytes]
"""Status, media type and body."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_blueprint(sessions: sessionmaker[Session], clock: Clock) -> Blueprint:
    """The figures as the staff side may read them."""
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    def metrics() -> Response:
        return Response(_text(sessions, clock), content_type=CONTENT_TYPE)

    return blueprint


def _text(sessions: sessionmaker[Session], clock: Clock) -> bytes:
    """Read without a writer's turn: whoever asks, unknown to us, must neither wait for one nor keep one."""
    with reading_session(sessions, reading(sessions.kw["bind"])) as session:
        return prometheus_text(session, clock)


def serve_metrics(
    sessions: sessionmaker[Session], clock: Clock, checks: Mapping[str, Check], *, host: str, port: int
) -> ThreadingHTTPServer:
    """Answer `GET /metrics`, `/healthz` and `/readyz` (by `checks`) on a thread of a worker.

    `.shutdown()` and `.server_close()` end it.
    """

    def figures() -> _Answer:
        return 200, CONTENT_TYPE, _text(sessions, clock)

    def told(checks: Mapping[str, Check]) -> _Answer:
        body, status = health(checks)
        return status, "application/json", json.dumps(body).encode()

    answers: Mapping[str, Callable[[], _Answer]] = {
        "/metrics": figures,
        "/healthz": lambda: told({}),
        "/readyz": lambda: told(checks),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path not in answers:
                self.send_error(404)
                return
            status, content_type, body = answers[self.path]()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """No address of a caller is logged anywhere."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
