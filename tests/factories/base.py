"""Give every factory the session of this test, and its fixed moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from uuid import UUID

from factory.alchemy import SQLAlchemyModelFactory
from sqlalchemy.orm import Session

EPOCH_DAY = date(2026, 3, 2)
"""The day on which signals of tests are received: a Monday without a holiday near."""

MOMENT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""Ten o'clock in Amsterdam on that day."""

_session: ContextVar[Session] = ContextVar("session of the factories")


class RowFactory(SQLAlchemyModelFactory):
    """A factory of rows in the session of `using`."""

    class Meta:
        abstract = True
        sqlalchemy_session_factory = _session.get
        sqlalchemy_session_persistence = "flush"


@contextmanager
def using(session: Session) -> Iterator[Session]:
    """Let the factories write to this session for a while."""
    token = _session.set(session)
    try:
        yield session
    finally:
        _session.reset(token)


def numbered_id(kind: int, number: int) -> UUID:
    """The id of the n-th row of a kind."""
    return UUID(int=kind << 96 | number)
