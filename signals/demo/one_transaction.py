"""One transaction in the place of an engine: intake and arrival commit with the demo or not at all."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Engine
from sqlalchemy.orm import Session, sessionmaker


class OneTransaction:
    """The part of an engine that `Intake` and `Router` use, on a connection in a transaction of the caller's.

    What they begin is a savepoint here; the caller's commit decides.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    def execution_options(self, **options: Any) -> "OneTransaction":
        """Itself: isolation and read-only hints belong to transactions of one's own."""
        del options
        return self

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """The connection, left open at the end."""
        yield self._connection

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """The connection within a savepoint."""
        with cast("AbstractContextManager[Any]", self._connection.begin_nested()):
            yield self._connection

    def as_engine(self) -> Engine:
        """Itself, for signatures that ask for an engine."""
        return cast(Engine, self)

    def sessions(self) -> sessionmaker[Session]:
        """Sessions whose commits are savepoints of this transaction."""
        return sessionmaker(
            self._connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )
