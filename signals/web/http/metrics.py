"""`GET /metrics` for Prometheus: on the desk, and on a port of a worker's own; never on a front alone.

The port of a worker tells its health too. The figures are about the whole installation and about no area:
messages by state and class, and the age of the oldest.
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from notifications.figures import message_figures
from signals.clock import Clock, today
from signals.db import reading, reading_session
from signals.intake.shares import sealed_percent
from signals.operations.job_runs import is_late, job_runs, waiting_reports
from signals.staff.refused_rows import ALARM_HOURS, alarms_since
from signals.web.http.health import Check, health_blueprint

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

AUTHENTICATION = "none"
_REFUSED = "Rows of sign-in and rights, of the last 24 hours, that this service did not write"
_SEALED = "Share of the last 7 days' reports that phones sealed; absent for fewer than ten"
_WAITING = "Age of the oldest report that waits to arrive; 0 below ten minutes"
_JOBS = {
    "signals_job_late": "Whether a job should have succeeded by now, or fails for ten minutes",
    "signals_job_success_age_seconds": "Age of the last success of a job, on any worker",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Figures(Collector):
    """Read the figures for each request; `reads_intake`: also of intake, which no desk alone may read."""

    sessions: sessionmaker[Session]
    clock: Clock
    reads_intake: bool = False

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read outside the writers' queue: an unknown reader must neither wait for a writer nor delay one."""
        with reading_session(self.sessions, reading(self.sessions.kw["bind"])) as session:
            alarms = alarms_since(session, self.clock.now() - timedelta(hours=ALARM_HOURS))
            yield from message_figures(session, self.clock)
            yield GaugeMetricFamily("signals_refused_rows", _REFUSED, value=alarms)
            yield from _job_figures(session, self.clock.now())
            if self.reads_intake:
                yield from _intake_figures(session, self.clock)


def _job_figures(session: Session, now: datetime) -> Iterator[GaugeMetricFamily]:
    late, age = (GaugeMetricFamily(name, what, labels=["job"]) for name, what in _JOBS.items())
    for run in job_runs(session):
        late.add_metric([run.job], is_late(run, now))
        if run.succeeded_at is not None:
            age.add_metric([run.job], (now - run.succeeded_at).total_seconds())
    yield from (late, age)


def _intake_figures(session: Session, clock: Clock) -> Iterator[GaugeMetricFamily]:
    """Yield the share of sealed reports, and the age of one that waits too long.

    A younger age would tell that a report has just come.
    """
    waiting, share = waiting_reports(session, clock.now()), sealed_percent(session, today(clock))
    age = waiting.at_most.total_seconds() if waiting.is_late else 0
    yield GaugeMetricFamily("signals_oldest_waiting_report_seconds", _WAITING, value=age)
    if share is not None:
        yield GaugeMetricFamily("signals_sealed_percent", _SEALED, value=share)


def metrics_blueprint(figures: Figures) -> Blueprint:
    """Return the page with the figures."""
    blueprint, registry = Blueprint("metrics", __name__), CollectorRegistry()
    registry.register(figures)
    page = make_wsgi_app(registry, disable_compression=True)

    @blueprint.get("/metrics")
    def metrics() -> "WSGIApplication":
        return page

    return blueprint


def serve_metrics(figures: Figures, checks: Mapping[str, Check], *, host: str, port: int) -> BaseWSGIServer:
    """Answer `GET /metrics`, `/healthz` and `/readyz` (by `checks`) on a thread of a worker.

    `.shutdown()` and `.server_close()` end it.
    """
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(metrics_blueprint(figures))
    app.register_blueprint(health_blueprint(checks, {}))
    server = make_server(host, port, app, threaded=True, request_handler=_SilentHandler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


class _SilentHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Log nothing: a line would hold the address of the caller."""
