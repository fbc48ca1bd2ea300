"""Serving over HTTP by granian: one process that minds workers, each with an event loop and a few threads.

Workers are forked from a parent that has imported everything, so they start at once and share memory.
In role `all` the scheduler runs on threads of the first worker, beside the requests.
"""

import errno
import gc
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from privacy.logs import configure_logging
from privacy.patience import FRONT
from privacy.secret_files import SecretFileOpenToOthers, SecretFileRefused, load_master_key
from signals.clock import SystemClock, today
from signals.clock_guard import CLOCK_CHECK, watch_clock
from signals.db import make_engine
from signals.errors import NoMailboxKey
from signals.intake.front_keys import FrontKeyRefused, FrontKeys, front_secrets
from signals.operations.heartbeats import HEARTBEATS
from signals.operations.whole_requests import WholeRequests
from signals.routing.snapshot import Router
from signals.settings import Settings
from signals.vocabulary import Environment, ProcessRole

if TYPE_CHECKING:
    from signals.issuer.service import Issuer
    from signals.operations.jobs import Worker

PrepareApp = Callable[[Settings], Callable[[], Any]]
MakeWorker = Callable[[Settings], "Worker"]
OpenIssuer = Callable[[Settings], "Issuer"]

log = get_logger(__name__)

CONNECTIONS = 2048
"""How many a worker keeps open: one that waits for its client costs memory, and no thread."""
LEAST_THREADS = 4
"""A desk has so many: passwords may keep three busy (`signals.staff.new_passwords`)."""
STOP_SECONDS = 10
"""How long a worker may take to finish its requests before it is ended."""


def serve(
    settings: Settings,
    *,
    prepare_app: PrepareApp,
    make_worker: MakeWorker,
    open_issuer: OpenIssuer,
    tell: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT; every worker has ended when this returns.

    `prepare_app` imports the parts of the role before the fork and returns the maker of its application.
    `make_worker` makes the jobs in role `all`; `open_issuer` opens the issuer whose keys this process keeps.
    `tell` is called once nothing stands in the way any more.

    Ends the process with exit code 1 and a sentence when something else listens on the port, a secret or the
    keystore cannot be used or, for a front in production, no national desk receives.
    """
    configure_logging(level=settings.logging.level, date_only=not settings.serves_staff)
    _allow_connections()
    _stop_cleanly_from_the_start()
    with _claimed_port(settings.server.host, settings.server.port):
        refuse_a_taken_port(settings.server.host, settings.server.port)
        _refuse_unusable_secrets(settings)
        if settings.environment is Environment.PRODUCTION and settings.role is ProcessRole.FRONT:
            _refuse_without_national_desk(settings)
        tell()
        _run_granian(settings, _loader(settings, prepare_app, make_worker, open_issuer))


def _run_granian(settings: Settings, loader: Callable[[], Any]) -> None:
    """Serve; exit with code 1 when a worker ends twice within seconds, so that all starts anew."""
    server = Granian(
        "signals.operations.server:unused",
        address=settings.server.host,
        port=settings.server.port,
        interface=Interfaces.RSGI,
        workers=settings.server.processes,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        websockets=False,
        backpressure=CONNECTIONS,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        log_access=False,
        log_enabled=False,
    )
    _leave_alone_what_stays()
    _give_workers_signals_of_their_own()
    try:
        server.serve(target_loader=lambda *_args, **_kwargs: loader(), wrap_loader=False)
    except SystemExit as ended:
        if ended.code:
            log.critical("server.workers_end_too_often")
        raise


def refuse_a_taken_port(host: str, port: int) -> None:
    """End the process with a sentence when another one listens on the port.

    Granian shares its port (SO_REUSEPORT): a second instance quietly takes half of the requests.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that has just ended is no obstacle
        try:
            probe.bind((host, port))
        except OSError as error:
            raise _port_refused(host, port, error) from None


def _allow_connections() -> None:
    """Raise the limit of open files, which is often 1024, as far as the system lets a process."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


@contextmanager
def _claimed_port(host: str, port: int) -> Iterator[None]:
    """Keep another instance from this port: two may start at the same moment.

    On Linux one process at a time has a socket name outside the file system. Other systems do without.
    """
    if sys.platform != "linux":
        yield
        return
    with socket.socket(socket.AF_UNIX) as claim:
        try:
            claim.bind(f"\0signals/{host}:{port}")
        except OSError as error:
            raise _port_refused(host, port, error) from None
        yield


def _port_refused(host: str, port: int, error: OSError) -> SystemExit:
    another = 8080 if port != 8080 else 8081
    advice = f". Take another port: PORT={another} make run, or signals serve --port {another}"
    return SystemExit(
        f"cannot serve on {host}:{port}: {error.strerror}{advice if error.errno == errno.EADDRINUSE else ''}"
    )


def _refuse_unusable_secrets(settings: Settings) -> None:
    """Refuse unusable secrets before the fork: afterwards each worker fails and restarts without end."""
    if settings.serves_public:
        try:
            _refuse_another_front_key(settings)
        except SecretFileOpenToOthers as refused:
            raise SystemExit(f"cannot serve: front.secret_file: {refused}") from None
        except SecretFileRefused as refused:
            raise SystemExit(f"cannot serve: front.secret_file: {refused}. {_MEND_FRONT}") from None
    if settings.issues_tokens:
        try:
            load_master_key(settings.issuer.secret_file)
        except SecretFileRefused as refused:
            raise SystemExit(f"cannot serve: issuer.secret_file: {refused}") from None
    if settings.serves_staff:
        _refuse_unusable_keys(settings)


_MEND_FRONT = (
    "Put back the file that it had: with another one, a retry becomes a second signal. A new installation"
    " makes one with 'signals keys new-master FILE', the same for all machines of the front."
)


def _refuse_another_front_key(settings: Settings) -> None:
    """Refuse a secret that is not that of the other fronts. A database that is away says nothing yet.

    Raises `SecretFileRefused`.
    """
    secrets, engine = front_secrets(settings), make_engine(settings.database.url, patience=FRONT)
    try:
        FrontKeys(engine=engine, secrets=secrets).agree(today(SystemClock()))
    except FrontKeyRefused:
        raise SystemExit(
            "cannot serve: front.secret_file is not the secret of the other fronts, or lacks the other one of"
            f" a rotation (front.other_secret_file). {_MEND_FRONT} To replace it: docs/rotate.md,"
            " 'Replace front.key'"
        ) from None
    except SQLAlchemyError as problem:
        log.warning("server.front_key_not_compared", exc_info=problem)
    finally:
        engine.dispose()


def _refuse_unusable_keys(settings: Settings) -> None:
    """Return the error of an unusable keystore; import it late, because a front must not load it."""
    from signals.keys.opening import KeysUnusable, open_keys

    try:
        open_keys(settings).dispose()
    except KeysUnusable as unusable:
        raise SystemExit(f"cannot serve: {unusable}") from None


def _refuse_without_national_desk(settings: Settings) -> None:
    """Without one a report could reach nobody. A database that is away is no reason: it may come back.

    The desk starts all the same: the recipients of the national desk press their link there.
    """
    engine = make_engine(settings.database.url, patience=FRONT)
    try:
        snapshot = Router(engine, root_public_key=settings.front.root_key).snapshot()
        missing = snapshot.national_desk(today(SystemClock())) is None
    except NoMailboxKey:  # what the router makes of an installation that never had one
        missing = True
    except SQLAlchemyError:
        missing = False
    finally:
        engine.dispose()
    if missing:
        raise SystemExit(
            "cannot serve: no national desk receives yet; 'Go live' in docs/deployment.md says what it lacks"
        )


def _loader(
    settings: Settings, prepare_app: PrepareApp, make_worker: MakeWorker, open_issuer: OpenIssuer
) -> Callable[[], Any]:
    """Make the application inside a worker, after the fork: nothing connects before."""
    parent, make_app = os.getpid(), prepare_app(settings)
    start_jobs = _jobs(make_worker) if settings.role is ProcessRole.ALL else None
    keep_keys = _key_keeping(open_issuer) if settings.issues_tokens else None

    def load() -> Any:
        _end_with(parent)
        try:
            app = make_app()
            _leave_alone_what_stays()
            watch_clock(app.extensions[CLOCK_CHECK])
            HEARTBEATS.watch()
            if (watch := app.extensions.get("signals.worker_watch")) is not None:
                watch.begin()
            if start_jobs is not None:
                start_jobs(settings)
            if keep_keys is not None:
                keep_keys(settings)
        except Exception as error:
            # What starts workers prints an exception with all that it says.
            log.critical("server.worker_not_started", exc_info=error)
            raise SystemExit(1) from None
        return WholeRequests(app, max(settings.server.threads, LEAST_THREADS if settings.serves_staff else 1))

    return load


def _leave_alone_what_stays() -> None:
    """Let the garbage collector pass over what was made so far, for it stays as long as the process.

    Looking at an object writes to it: after the fork each process would own a copy of memory that they share.
    """
    gc.collect()
    gc.freeze()


def _jobs(make_worker: MakeWorker) -> Callable[[Settings], object]:
    """Return the starter of the jobs; import it before the fork, and never in a front."""
    from signals.operations.schedule import start_in_background

    return lambda settings: start_in_background(make_worker(settings))


def _key_keeping(open_issuer: OpenIssuer) -> Callable[[Settings], object]:
    """Return what keeps the issuer's keys; import it before the fork, and in a process of the issuer only."""
    from signals.issuer.keeping import keep_in_background

    return lambda settings: keep_in_background(open_issuer(settings))


def _stop_cleanly_from_the_start() -> None:
    """End this process at SIGTERM and SIGINT until granian listens to them.

    An exception does not do: Python ignores one that is raised while it collects garbage.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        os._exit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def _give_workers_signals_of_their_own() -> None:
    """Let the main process alone hear Ctrl-C, and a worker end at once while it still starts.

    A terminal sends SIGINT to every process, and the main process then sends SIGTERM to its workers. Granian
    may hang on two signals at once, and a new worker still has the main process's way of handling them.
    """
    signals = {signal.SIGINT, signal.SIGTERM}

    def begin() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, signals),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, signals),
        after_in_child=begin,
    )


def _end_with(parent: int) -> None:
    """End a worker whose parent is gone (killed, or stopped while it was still starting workers)."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
