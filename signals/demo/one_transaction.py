"""One transaction in the place of an engine: intake and arrival commit with the demo or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.orm import Session, sessionmaker

from signals.db import is_sqlite


class OneTransaction(Engine):
    """An engine that hands out one connection, in a transaction of the caller's, whose commit decides.

    What others begin is a savepoint. `dispose` it when done; the connection stays the caller's.
    """

    def __init__(self, engine: Engine, connection: Connection) -> None:
        # Without its file: whoever takes turns at it would wait for this very transaction.
        url = make_url("sqlite://") if is_sqlite(engine) else engine.url
        super().__init__(engine.pool, engine.dialect, url, hide_parameters=True)
        self._connection = connection

    def execution_options(self, **_options: Any) -> Any:
        """Itself: isolation and hints for reading belong to transactions of one's own."""
        return self

    @contextmanager
    def connect(self) -> Iterator[Connection]:  # type: ignore[override]
        """The connection, left open at the end."""
        yield self._connection

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """The connection within a savepoint."""
        with self._connection.begin_nested():
            yield self._connection

    def dispose(self, close: bool = True) -> None:
        """Tell listeners that it is over; the pool belongs to the engine."""
        self.dispatch.engine_disposed(self)

    def sessions(self) -> sessionmaker[Session]:
        """Sessions whose commits are savepoints of this transaction."""
        return sessionmaker(
            self._connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )
