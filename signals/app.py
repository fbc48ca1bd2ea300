"""The one composition root: from settings to a Flask application for the role of this process.

The staff side, and with it the keystore, is imported only where the role serves staff.
"""

import base64
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Engine, text
from werkzeug.routing import Rule

from privacy.logs import configure_logging
from privacy.secret_files import load_master_key
from signals.area_limit import AreaLimit
from signals.clock import Clock, SystemClock
from signals.db import make_engine, reading, session_factory
from signals.intake import Intake
from signals.routing import Router
from signals.settings import Settings
from signals.web.front.context import EXTENSION as FRONT
from signals.web.front.context import FrontContext
from signals.web.headers import register_headers
from signals.web.health import health_blueprint
from signals.web.i18n import register_languages
from signals.web.openapi import ProblemApi, make_api
from signals.web.pages import error_page, register_pages
from signals.web.problems import register_problems

MAX_BODY = 256 * 1024
"""Bytes; single calls allow less. Nothing larger is ever read."""

_OPENED = "signals.opened"


def create_app(settings: Settings, *, clock: Clock | None = None, engine: Engine | None = None) -> Flask:
    """The application for `settings.role`. Connects to nothing until the first request.

    `clock` and `engine` are for tests. `close_app` closes what this opens.
    Raises `SecretFileRefused` when a secret of this role cannot be read.
    """
    configure_logging(level=settings.logging.level, date_only=not settings.serves_staff)
    with ExitStack() as opened:
        if engine is None:
            engine = make_engine(settings.database.url, pool_size=settings.database.pool_size)
            opened.callback(engine.dispose)
        app = _bare_app(settings)
        _add_parts(app, settings, clock or SystemClock(), engine, opened)
        app.extensions[_OPENED] = opened.pop_all()
    return app


def close_app(app: Flask) -> None:
    """Close the keystore and the database that an application opened; an engine given to it stays open."""
    app.extensions[_OPENED].close()


def _add_parts(app: Flask, settings: Settings, clock: Clock, engine: Engine, opened: ExitStack) -> None:
    api = make_api(app)
    router = Router(
        engine,
        root_public_key=root_public_key(settings),
        refresh_seconds=settings.routing.refresh_seconds,
    )
    checks: dict[str, Callable[[], None]] = {"database": lambda: _ping(engine)}
    if settings.serves_public:
        intake = _add_front(app, api, settings, clock, engine, router)
        checks["database"] = intake.check_storing
        checks["routing"] = lambda: _check_routing(router, clock)
    if settings.serves_staff:
        checks["keystore"] = _add_desk(app, api, settings, clock, engine, router, opened)
        _add_delivery_and_calls(app, settings, clock, engine)
    if settings.serves_staff or (settings.serves_public and settings.figures.public):
        _add_figures(app, api, settings, clock, engine)
    register_pages(app, settings)
    app.register_blueprint(health_blueprint(checks))


def root_public_key(settings: Settings) -> bytes | None:
    """The pinned public half of the keystore's root, 32 bytes; None when none is set."""
    return base64.b64decode(settings.front.root_public_key) if settings.front.root_public_key else None


def _bare_app(settings: Settings) -> Flask:
    web = Path(__file__).parent / "web"
    folders = {"static_folder": "web/static", "template_folder": "web/templates"}
    app = _Application("signals", root_path=str(web.parent), **folders)  # type: ignore[arg-type]
    # Else `/api//v1` is led on to `/api/v1` of whatever host the request names: no address of ours has two.
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.json.sort_keys = False  # type: ignore[attr-defined]
    register_languages(app)
    register_problems(app, error_page)
    register_headers(app, https=settings.server.public_url.startswith("https://"))
    return app


class _Rule(Rule):
    """A route whose way back, from endpoint to address, is compiled when an address is first made.

    Werkzeug compiles two functions for each of the two hundred routes: half of what a start took.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        make = super()._compile_builder
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(make(append_unknown))
            return compiled[0](rule, **values)

        return build


class _Application(Flask):
    """Flask without its look, at each function that it calls, whether it is a coroutine."""

    url_rule_class = _Rule

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is: none here is, and to look took a tenth of a report's way through Flask."""
        return func


def _add_front(
    app: Flask, api: ProblemApi, settings: Settings, clock: Clock, engine: Engine, router: Router
) -> Intake:
    from signals.web.front.api import public_api
    from signals.web.front.pages import front_pages

    intake = Intake(
        engine=engine,
        router=router,
        front_secret=load_master_key(settings.front.secret_file),
        area_limit=AreaLimit(settings.limits.open_reports_per_area_and_day),
        notes_enabled=settings.notes.enabled,
    )
    app.extensions[FRONT] = FrontContext(settings=settings, clock=clock, intake=intake)
    api.register_blueprint(public_api)
    app.register_blueprint(front_pages)
    return intake


def _add_desk(
    app: Flask,
    api: ProblemApi,
    settings: Settings,
    clock: Clock,
    engine: Engine,
    router: Router,
    opened: ExitStack,
) -> Callable[[], None]:
    """Add the staff side; returns the check of the keystore."""
    from signals.key_custody import open_keys
    from signals.web.desk import register_desk

    keystore = open_keys(settings)
    opened.callback(keystore.dispose)
    register_desk(app, api, settings=settings, clock=clock, engine=engine, router=router, keystore=keystore)
    return keystore.ping


def _add_delivery_and_calls(app: Flask, settings: Settings, clock: Clock, engine: Engine) -> None:
    """Figures of delivery, and where Twilio calls back once text messages are on."""
    from notifications.callbacks import StatusCalls, twilio_blueprint
    from signals.sending import twilio_token
    from signals.web.metrics import metrics_blueprint

    sessions = session_factory(engine)
    app.register_blueprint(metrics_blueprint(sessions, clock))
    token = twilio_token(settings)
    if token:
        calls = StatusCalls(
            sessions=sessions, clock=clock, auth_token=token, public_url=settings.server.public_url
        )
        app.register_blueprint(twilio_blueprint(calls))


def _add_figures(app: Flask, api: ProblemApi, settings: Settings, clock: Clock, engine: Engine) -> None:
    from signals.web.figures import register_figures

    register_figures(app, api, settings=settings, clock=clock, engine=engine)


def _ping(engine: Engine) -> None:
    with reading(engine).connect() as connection:
        connection.execute(text("SELECT 1"))


def _check_routing(router: Router, clock: Clock) -> None:
    """Raises when no national desk receives or its key is missing: then a report could be refused."""
    from signals.clock import today

    snapshot = router.snapshot()
    desk = snapshot.national_desk(today(clock))
    if desk is None or snapshot.sealing_key(desk.id, today(clock)) is None:
        raise LookupError("no national desk with a key of this week")
