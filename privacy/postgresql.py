"""Connect to PostgreSQL so that silence ends: of a server, of a network, and of a client that vanished.

A server that dies sends no word. Without a limit a process then waits for its answer for good. A url may
name several servers: with `target_session_attrs=read-write` each new connection finds the one that writes.
"""

from typing import Any, Final

from psycopg import Connection
from psycopg.errors import ReadOnlySqlTransaction
from psycopg.errors import _WaitTimeout as NoAnswer
from sqlalchemy import URL, Engine, ExceptionContext, create_engine, event

from privacy.patience import Patience

CONNECT_SECONDS: Final = 5
POOL_WAIT_SECONDS: Final = 10
RECYCLE_SECONDS: Final = 1800
SILENT_SECONDS: Final = 15
"""After so long without an acknowledgement the network counts as broken, on either side."""

_KEPT_ALIVE: Final = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": SILENT_SECONDS * 1000,
}
_OF_SERVER: Final = {
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 2,
    "tcp_user_timeout": SILENT_SECONDS * 1000,
}


def _session(patience: Patience) -> str:
    """Return the settings of a session, as libpq sends them."""
    limits = {
        "statement_timeout": patience.statement * 1000,
        "lock_timeout": patience.lock * 1000,
        "idle_in_transaction_session_timeout": patience.idle * 1000,
    }
    return " ".join(f"-c {name}={value}" for name, value in {**limits, **_OF_SERVER}.items())


class _Listening(Connection[Any]):
    """A connection that closes when an answer does not come in time; the pool then opens a new one."""

    seconds: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer. Raises psycopg's `OperationalError`, and closes, after `seconds`."""
        try:
            return super().wait(gen, interval, timeout=self.seconds if timeout is None else timeout)
        except NoAnswer:
            if timeout is None:
                self.pgconn.finish()
            raise


def postgresql_engine(url: URL, patience: Patience, **options: Any) -> Engine:
    """Return an engine on PostgreSQL that waits for nothing longer than its work allows; connect to nothing.

    `options`: those of `create_engine`. The url wins over these settings. Errors quote no values, because
    values are sealed content and hashes.
    """
    session = {"options": f"{_session(patience)} {url.query.get('options', '')}".strip()}
    kept_alive = {name: value for name, value in _KEPT_ALIVE.items() if name not in url.query}
    engine = create_engine(
        url,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_recycle=RECYCLE_SECONDS,
        hide_parameters=True,
        connect_args=kept_alive | session,
        **options,
    )

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, arguments: Any, parameters: Any) -> _Listening:
        connection = _Listening.connect(*arguments, **parameters)
        connection.seconds = patience.answer
        return connection

    @event.listens_for(engine, "handle_error")
    def leave_what_only_reads(failure: ExceptionContext) -> None:
        """Drop the pool's connections to a primary that became read-only: another server writes now."""
        if isinstance(failure.original_exception, ReadOnlySqlTransaction):
            failure.is_disconnect = True

    return engine
