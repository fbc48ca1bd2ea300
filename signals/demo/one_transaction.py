"""One transaction in the place of an engine, so that intake and arrival commit with the demo."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.orm import Session, sessionmaker

from signals.db import is_sqlite


class OneTransaction(Engine):
    """An engine that hands out one connection, inside a transaction that the caller commits.

    Each `begin` is a savepoint. `dispose` leaves the connection open: it belongs to the caller.
    """

    def __init__(self, engine: Engine, connection: Connection) -> None:
        # The url lacks the file: a writer that takes turns by file would wait for this very transaction.
        url = make_url("sqlite://") if is_sqlite(engine) else engine.url
        options = dict(engine.get_execution_options())
        super().__init__(engine.pool, engine.dialect, url, hide_parameters=True, execution_options=options)
        self._connection = connection

    def execution_options(self, **_options: Any) -> Any:
        """Return this engine: options of isolation belong to separate transactions."""
        return self

    @contextmanager
    def connect(self) -> Iterator[Connection]:  # type: ignore[override]
        """Yield the connection, and leave it open."""
        yield self._connection

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Yield the connection within a savepoint."""
        with self._connection.begin_nested():
            yield self._connection

    def dispose(self, close: bool = True) -> None:
        """Notify listeners; the pool belongs to the real engine."""
        self.dispatch.engine_disposed(self)

    def sessions(self) -> sessionmaker[Session]:
        """Return a maker of sessions whose commits are savepoints of this transaction."""
        return sessionmaker(
            self._connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )
