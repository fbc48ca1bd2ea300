"""`GET /metrics` for Prometheus: on the desk, and on a port of its own for a worker; never on a front alone.

Figures of the whole installation and of no area: messages by state and class, and the age of the oldest.
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flask import Blueprint, Response
from sqlalchemy.orm import Session, sessionmaker

from notifications.figures import prometheus_text
from signals.clock import Clock

AUTHENTICATION = "none"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_blueprint(sessions: sessionmaker[Session], clock: Clock) -> Blueprint:
    """The figures as the staff side may read them."""
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    def metrics() -> Response:
        with sessions() as session:
            return Response(prometheus_text(session, clock), content_type=CONTENT_TYPE)

    return blueprint


def serve_metrics(
    sessions: sessionmaker[Session], clock: Clock, *, host: str, port: int
) -> ThreadingHTTPServer:
    """Answer `GET /metrics` on a thread of a worker; `.shutdown()` and `.server_close()` end it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/metrics":
                self.send_error(404)
                return
            with sessions() as session:
                body = prometheus_text(session, clock)
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """No address of a caller is logged anywhere."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
