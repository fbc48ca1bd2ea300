"""`GET /metrics` for Prometheus: on the desk, and on a port of a worker's own; never on a front alone.

The port of a worker tells its health too. The figures are about the whole installation and about no area:
messages by state and class, and the age of the oldest.
"""

import json
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flask import Blueprint, Response
from sqlalchemy.orm import Session, sessionmaker

from notifications.figures import prometheus_text
from signals.clock import Clock, today
from signals.db import reading, reading_session
from signals.intake.shares import sealed_percent
from signals.staff.refused_rows import ALARM_HOURS, alarms_since
from signals.web.http.health import Check, health

AUTHENTICATION = "none"
_REFUSED = """\
# HELP signals_refused_rows Rows of sign-in and rights, of the last 24 hours, that this service did not write
# TYPE signals_refused_rows gauge
signals_refused_rows {}
"""
_SEALED = """\
# HELP signals_sealed_percent Share of the last 7 days' reports that phones sealed; absent for fewer than ten
# TYPE signals_sealed_percent gauge
signals_sealed_percent {}
"""
_Answer = tuple[int, str, bytes]
"""Status, media type and body."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_blueprint(sessions: sessionmaker[Session], clock: Clock) -> Blueprint:
    """Return the page with the figures."""
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    def metrics() -> Response:
        return Response(_text(sessions, clock), content_type=CONTENT_TYPE)

    return blueprint


def _text(sessions: sessionmaker[Session], clock: Clock) -> bytes:
    """Read outside the writers' queue: an unknown reader must neither wait for a writer nor delay one."""
    with reading_session(sessions, reading(sessions.kw["bind"])) as session:
        alarms = alarms_since(session, clock.now() - timedelta(hours=ALARM_HOURS))
        return prometheus_text(session, clock) + _REFUSED.format(alarms).encode()


def _share(sessions: sessionmaker[Session], clock: Clock) -> bytes:
    """Return the share of sealed reports; for a worker only, because the role of a desk reads no intake."""
    with reading_session(sessions, reading(sessions.kw["bind"])) as session:
        share = sealed_percent(session, today(clock))
    return b"" if share is None else _SEALED.format(share).encode()


def serve_metrics(
    sessions: sessionmaker[Session], clock: Clock, checks: Mapping[str, Check], *, host: str, port: int
) -> ThreadingHTTPServer:
    """Answer `GET /metrics`, `/healthz` and `/readyz` (by `checks`) on a thread of a worker.

    `.shutdown()` and `.server_close()` end it.
    """

    def figures() -> _Answer:
        return 200, CONTENT_TYPE, _text(sessions, clock) + _share(sessions, clock)

    def health_of(checks: Mapping[str, Check]) -> _Answer:
        body, status = health(checks)
        return status, "application/json", json.dumps(body).encode()

    answers: Mapping[str, Callable[[], _Answer]] = {
        "/metrics": figures,
        "/healthz": lambda: health_of({}),
        "/readyz": lambda: health_of(checks),
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
            """Log nothing: a line would hold the address of the caller."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
