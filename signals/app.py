"""The one composition root: it makes an application, a worker, and the parts that commands work with.

Each role imports its parts late: a front never loads the keystore, and a command never loads Flask.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from privacy.logs import configure_logging
from privacy.patience import COMMANDS, DESK, FRONT, JOBS, Patience
from signals.clock import Clock, SystemClock, today
from signals.clock_guard import CLOCK_CHECK, require_right_clock
from signals.db import make_engine, ping, session_factory
from signals.settings import Settings
from signals.vocabulary import ClearReports, ProcessRole
from signals.web import parts

if TYPE_CHECKING:
    from flask import Flask

    from privacy.keystore import Keystore
    from signals.audit.log import AuditLog
    from signals.issuer.service import Issuer
    from signals.models import Signal
    from signals.notices.systems import Begin
    from signals.operation import Operation
    from signals.operations.jobs import Worker
    from signals.routing.snapshot import Router
    from signals.web.http.openapi import DescribedApi

_CLOSING = "signals.closing"
"""The extension of an application that closes what `create_app` opened."""


def create_app(settings: Settings, *, clock: Clock | None = None, engine: Engine | None = None) -> "Flask":
    """Return the application for `settings.role`; it connects to nothing until the first request.

    Tests pass `clock` and `engine`. `close_app` closes what this function opens.
    Raises `SecretFileRefused` or `KeysUnusable` when this role cannot use one of its secrets.
    """
    from signals.web.http.application import bare_application

    configure_logging(level=settings.logging.level, date_only=not settings.serves_staff)
    with ExitStack() as opened:
        app, api = bare_application(settings.server.public_url, settings.scheme)
        made = _Parts(
            app=app,
            api=api,
            settings=settings,
            clock=clock or SystemClock(),
            engine=engine or _opened_engine(settings, opened, DESK if settings.serves_staff else FRONT),
            opened=opened,
        )
        made.add()
        app.extensions[_CLOSING] = opened.pop_all()
    return app


def prepare_app(settings: Settings) -> "Callable[[], Flask]":
    """Import the parts of `settings.role` for processes to share; return the maker of its application."""
    import signals.web.http.application
    import signals.web.http.metrics  # noqa: F401

    if settings.serves_public:
        parts.blueprints((*parts.PUBLIC_CALLS, *parts.PUBLIC_PAGES))
    if settings.serves_staff:
        parts.blueprints((*parts.STAFF_CALLS, *parts.STAFF_PAGES))
    if settings.shows_figures:
        parts.blueprints((*parts.FIGURE_CALLS, *parts.FIGURE_PAGES))
    if settings.issues_tokens:
        parts.blueprints(parts.ISSUER_PAGES)
    return partial(create_app, settings)


def close_app(app: "Flask") -> None:
    """Close the keystore and the database that `create_app` opened; an engine that it got stays open."""
    app.extensions[_CLOSING].close()


def make_worker(settings: Settings, *, clock: Clock | None = None, engine: Engine | None = None) -> "Worker":
    """Return the jobs of a process that holds the keystore; `Worker.close` closes its connections.

    Raises `KeysUnusable` without the keystore or its master key.
    """
    from signals.notices.channels import make_channels
    from signals.notices.systems import make_systems
    from signals.operations.jobs import Worker

    with ExitStack() as opened:
        engine = engine or _opened_engine(settings, opened, JOBS)
        installation = _open(settings, clock or SystemClock(), engine, opened)
        systems = make_systems(settings, installation.begin, _handover_pdf)
        found, router = vars(installation), _router(settings, installation.engine, None)
        worker = Worker(**found, channels=make_channels(settings), systems=systems, router=router)
        opened.pop_all()
    return worker


def _handover_pdf(begin: "Begin", signal: "Signal") -> bytes:
    from signals.web.desk.handing_over import pdf_for_system  # late: it is large

    return pdf_for_system(begin, signal)


def open_issuer(settings: Settings, clock: Clock | None = None) -> "Issuer":
    """Return the issuer of these settings over a database of its own; it connects to nothing yet.

    Raises `SecretFileRefused`.
    """
    from privacy.secret_files import load_master_key
    from signals.issuer.service import Issuer
    from signals.issuer.tables import make_issuer_engine

    return Issuer(
        settings=settings.issuer,
        url=settings.server.public_url,
        clock=clock or SystemClock(),
        engine=make_issuer_engine(settings.issuer.database_url),
        secret=load_master_key(settings.issuer.secret_file),
    )


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The database, and the keystore with the audit log that needs its key."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    keystore: "Keystore" = field(repr=False)
    audit: "AuditLog" = field(repr=False)
    clock: Clock

    def operation(self, session: Session) -> "Operation":
        """Return an operation of the system in a session."""
        from signals.operation import open_operation

        return open_operation(self, session)

    @contextmanager
    def begin(self) -> Iterator["Operation"]:
        """Open a transaction for an operation of the system, and commit it."""
        with self.sessions.begin() as session:
            yield self.operation(session)


@contextmanager
def open_for_command(settings: Settings, **how: bool) -> Iterator[Opened]:
    """Open the database and the keystore for one command; the desk side only.

    `how` and errors: as of `open_keys`. Raises `ClockApart` too: a command may delete or release.
    """
    with ExitStack() as opened:
        found = _open(settings, SystemClock(), None, opened, **how)
        require_right_clock(found.engine, found.clock)
        yield found


def _open(settings: Settings, clock: Clock, engine: Engine | None, opened: ExitStack, **how: bool) -> Opened:
    from signals.audit.log import AuditLog
    from signals.keys.opening import open_keys
    from signals.retention.revocations import keep_in
    from signals.staff.refused_rows import guard_rows

    keystore = open_keys(settings, **how)
    opened.callback(keystore.dispose)
    engine = engine or _opened_engine(settings, opened, COMMANDS)
    sessions, audit = session_factory(engine), AuditLog(keystore.secret("audit"))
    keep, site = keep_in(settings.retention.journal_file, clock), settings.server.public_url
    guard_rows(engine, keystore.secret, keep, clock=clock, audit=audit, site=site)
    return Opened(
        settings=settings, engine=engine, sessions=sessions, keystore=keystore, audit=audit, clock=clock
    )


def _opened_engine(settings: Settings, opened: ExitStack, patience: Patience) -> Engine:
    engine = make_engine(settings.database.url, pool_size=settings.database.pool_size, patience=patience)
    opened.callback(engine.dispose)
    return engine


def _router(settings: Settings, engine: Engine, root_key: bytes | None) -> "Router":
    from signals.routing.snapshot import Router

    return Router(engine, root_public_key=root_key, refresh_seconds=settings.routing.refresh_seconds)


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """An application that is being put together, and what its parts share."""

    app: "Flask"
    api: "DescribedApi"
    settings: Settings
    clock: Clock
    engine: Engine
    opened: ExitStack

    def add(self) -> None:
        """Add the parts of this role."""
        from signals.web.http.health import health_blueprint
        from signals.web.http.pages import register_pages

        settings = self.settings
        router = _router(settings, self.engine, settings.front.root_key)
        checks: dict[str, Callable[[], None]] = {}
        if settings.role is not ProcessRole.ISSUER:
            checks["database"] = partial(ping, self.engine)
        if settings.serves_public:
            checks["database"] = self._add_front(router)
            checks["routing"] = lambda: router.check(today(self.clock))
        if settings.serves_staff:
            checks["keystore"] = self._add_staff_side(router)
            self._add_delivery()
            self._add_watch()
        if settings.shows_figures:
            self._add_figures(router)
        if settings.issues_tokens:
            checks["issuer"] = self._add_issuer()
        register_pages(self.app, settings)
        alone = settings.role is ProcessRole.ISSUER
        engine = self.app.extensions["signals.issuer"].engine if alone else self.engine
        compare = self.app.extensions[CLOCK_CHECK] = partial(require_right_clock, engine, self.clock)
        if not settings.serves_public:  # a front destroys nothing by a wrong clock
            checks["clock"] = compare
        self.app.register_blueprint(health_blueprint(checks, {"clock": compare}))

    def _add_front(self, router: "Router") -> Callable[[], None]:
        """Add the public side; return a check that raises when it can store no report."""
        from signals.intake.authorisation import TrustedIssuers
        from signals.intake.daily_limit import AreaLimit
        from signals.intake.front_keys import front_secrets
        from signals.intake.receiving import Intake
        from signals.intake.unproven_lane import UnprovenLane
        from signals.web.front.context import EXTENSION, FrontContext

        limits = self.settings.limits
        issuers = TrustedIssuers(
            file=self.settings.front.issuers_file,
            origin=urlsplit(self.settings.server.public_url).netloc,
            own=self._own_directory if self.settings.issues_tokens else None,
        )
        secret, *others = front_secrets(self.settings)
        intake = Intake(
            engine=self.engine,
            router=router,
            front_secret=secret,
            other_secret=next(iter(others), None),
            area_limit=AreaLimit(limits.open_reports_per_area_and_day),
            lane=UnprovenLane(limits),
            prover=issuers,
            notes_enabled=self.settings.notes.enabled,
            accepts_clear=self.settings.intake.clear_reports is ClearReports.ALLOW,
        )
        self.app.extensions[EXTENSION] = FrontContext(
            settings=self.settings, clock=self.clock, intake=intake, issuers=issuers
        )
        self._register(parts.PUBLIC_CALLS, parts.PUBLIC_PAGES)
        return partial(intake.check_storing, self.clock)

    def _add_staff_side(self, router: "Router") -> Callable[[], None]:
        """Add the staff side; return a check that raises when the keystore does not answer."""
        from signals.staff.guesses import GuessThrottle
        from signals.staff.openid import Directory
        from signals.web.staff_kit.account_shared import party_here
        from signals.web.staff_kit.browser_state import BrowserState
        from signals.web.staff_kit.context import EXTENSION, DeskContext, fenced_sessions

        found = _open(self.settings, self.clock, self.engine, self.opened, of_desk=True)
        self.app.extensions[EXTENSION] = DeskContext(
            settings=self.settings,
            clock=self.clock,
            engine=self.engine,
            sessions=fenced_sessions(self.engine),
            keystore=found.keystore,
            audit=found.audit,
            router=router,
            throttle=GuessThrottle(self.clock, self.engine, found.keystore.secret("guesses")),
            browser_state=BrowserState(clock=self.clock, secret=found.keystore.secret("carried")),
            directory=Directory(self.clock, self.settings.ca_file),
        )
        self._register(parts.STAFF_CALLS, parts.STAFF_PAGES)
        self.app.jinja_env.globals["passkeys_here"] = lambda: party_here() is not None
        return found.keystore.ping

    def _add_delivery(self) -> None:
        """Add the figures of delivery and, with text messages, the address that Twilio calls back."""
        from notifications.callbacks import StatusCalls, twilio_blueprint
        from signals.notices.channels import twilio_token
        from signals.web.http.metrics import Figures, metrics_blueprint

        sessions, token = session_factory(self.engine), twilio_token(self.settings)
        figures = Figures(sessions=sessions, clock=self.clock, reads_intake=self.settings.serves_public)
        self.app.register_blueprint(metrics_blueprint(figures))
        if token:
            url = self.settings.server.public_url
            calls = StatusCalls(sessions=sessions, clock=self.clock, auth_token=token, public_url=url)
            self.app.register_blueprint(twilio_blueprint(calls))

    def _add_watch(self) -> None:
        """Let a desk watch the worker, unless its jobs run in this process."""
        from signals.operations.worker_watch import watch_of

        if not self.settings.runs_jobs and (watch := watch_of(self.settings, self.clock, self.engine)):
            self.app.extensions["signals.worker_watch"] = watch

    def _add_figures(self, router: "Router") -> None:
        """Add the released figures; a process without staff has them only when they are public."""
        from signals.web.figures.context import EXTENSION, Doorkeeper, make_context

        doorkeeper = None
        if self.settings.serves_staff:
            from signals.web.figures.own_pages import own_figures_pages
            from signals.web.figures.registering import registering_pages
            from signals.web.staff_kit.auth import admit, csrf_field, recognise

            doorkeeper = Doorkeeper(admit=admit, recognise=recognise, csrf_field=csrf_field)
            self.app.register_blueprint(own_figures_pages)
            self.app.register_blueprint(registering_pages)
        context = make_context(self.settings, self.clock, self.engine, router, doorkeeper)
        self.app.extensions[EXTENSION] = context
        self._register(parts.FIGURE_CALLS, parts.FIGURE_PAGES)

    def _own_directory(self) -> tuple[str, Mapping[str, Any]]:
        """Return the address and the public keys of the issuer in this process."""
        issuer: Issuer = self.app.extensions["signals.issuer"]
        return issuer.url, issuer.directory()

    def _add_issuer(self) -> Callable[[], None]:
        """Add the issuer; return a check that raises when its database does not answer."""
        from signals.web.issuer.calls import EXTENSION

        issuer = open_issuer(self.settings, self.clock)
        self.opened.callback(issuer.engine.dispose)
        self.app.extensions[EXTENSION] = issuer
        self._register((), parts.ISSUER_PAGES)
        return partial(ping, issuer.engine)

    def _register(self, calls: Iterable[str], pages: Iterable[str]) -> None:
        for blueprint in parts.blueprints(calls):
            self.api.register_blueprint(blueprint)
        for blueprint in parts.blueprints(pages):
            self.app.register_blueprint(blueprint)
