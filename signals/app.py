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
from signals.clock import Clock, SystemClock
from signals.db import make_engine, reading, session_factory
from signals.intake.daily_limit import AreaLimit
from signals.intake.receiving import Intake
from signals.routing.snapshot import Router
from signals.settings import Settings
from signals.web.front.context import EXTENSION as FRONT
from signals.web.front.context import FrontContext
from signals.web.http.headers import register_headers
from signals.web.http.health import health_blueprint
from signals.web.http.i18n import register_languages
from signals.web.http.openapi import ProblemApi, make_api
from signals.web.http.pages import error_page, register_pages
from signals.web.http.problems import register_problems

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
    """Add the staff side; return a check that raises when the keystore is away."""
    from signals.audit.log import AuditLog
    from signals.keys.opening import open_keys
    from signals.staff import GuessThrottle
    from signals.web.account.link_pages import door_pages
    from signals.web.account.pages import account_pages
    from signals.web.account.sign_in_pages import sign_in_pages
    from signals.web.admin.api import admin_api
    from signals.web.admin.approval_pages import approval_pages
    from signals.web.admin.channel_api import channel_api
    from signals.web.admin.channel_pages import channel_admin
    from signals.web.admin.import_pages import import_pages
    from signals.web.admin.pages import admin_pages
    from signals.web.desk.api import staff_api
    from signals.web.desk.handover_api import handover_api
    from signals.web.desk.handover_pages import handover_pages
    from signals.web.desk.letters.api import letter_api
    from signals.web.desk.letters.pages import letter_pages
    from signals.web.desk.pages import desk_pages
    from signals.web.desk.referral_api import referral_api
    from signals.web.desk.referral_pages import referral_pages
    from signals.web.desk.round_pages import round_pages
    from signals.web.desk.search_pages import search_pages
    from signals.web.officer.api import officer_api
    from signals.web.officer.pages import officer_pages
    from signals.web.staff_kit.account_shared import party_here
    from signals.web.staff_kit.browser_state import BrowserState
    from signals.web.staff_kit.context import EXTENSION, DeskContext, fenced_sessions
    from signals.web.team.absence_pages import absence_pages
    from signals.web.team.api import team_api
    from signals.web.team.escalation_pages import escalation_pages
    from signals.web.team.limit_api import limit_api
    from signals.web.team.limit_pages import limit_pages
    from signals.web.team.members_pages import team_pages
    from signals.web.team.settings_pages import settings_pages
    from signals.web.team.verification_pages import channel_pages

    keystore = open_keys(settings)
    opened.callback(keystore.dispose)
    app.extensions[EXTENSION] = DeskContext(
        settings=settings,
        clock=clock,
        engine=engine,
        sessions=fenced_sessions(engine),
        keystore=keystore,
        audit=AuditLog(keystore.secret("audit")),
        router=router,
        throttle=GuessThrottle(clock, engine, keystore.secret("guesses")),
        browser_state=BrowserState(clock=clock, secret=keystore.secret("carried")),
    )
    for calls in (staff_api, letter_api, handover_api, referral_api, officer_api, team_api, admin_api):
        api.register_blueprint(calls)
    api.register_blueprint(limit_api)
    api.register_blueprint(channel_api)
    app.register_blueprint(channel_admin)
    of_roles = (officer_pages, approval_pages, admin_pages, import_pages, referral_pages)
    of_teams = (team_pages, settings_pages, absence_pages)
    of_channels = (channel_pages, escalation_pages, limit_pages)
    beside = (letter_pages, search_pages, round_pages, handover_pages)
    ways_in = (sign_in_pages, door_pages)
    for pages in (desk_pages, *ways_in, account_pages, *of_teams, *of_roles, *of_channels, *beside):
        app.register_blueprint(pages)
    app.jinja_env.globals["passkeys_here"] = lambda: party_here() is not None
    return keystore.ping


def _add_delivery_and_calls(app: Flask, settings: Settings, clock: Clock, engine: Engine) -> None:
    """Figures of delivery, and where Twilio calls back once text messages are on."""
    from notifications.callbacks import StatusCalls, twilio_blueprint
    from signals.notices.channels import twilio_token
    from signals.web.http.metrics import metrics_blueprint

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
