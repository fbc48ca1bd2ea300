"""Give every factory the session of this test, and its fixed moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from factory import declarations
from factory.alchemy import SQLAlchemyModelFactory
from sqlalchemy.orm import Session

Row = TypeVar("Row")

EPOCH_DAY = date(2026, 3, 2)
"""The day on which signals of tests are received: a Monday without a holiday near."""

MOMENT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""Ten o'clock in Amsterdam on that day."""

_session: ContextVar[Session] = ContextVar("session of the factories")


class RowFactory(SQLAlchemyModelFactory, Generic[Row]):
    """A factory of rows in the session of `using`."""

    class Meta:
        abstract = True
        sqlalchemy_session_factory = _session.get
        sqlalchemy_session_persistence = "flush"

    # factory-boy's own methods carry no types.
    @classmethod
    def build(cls, **kwargs: Any) -> Row:
        """Return a row that no session knows yet."""
        row: Row = super().build(**kwargs)
        return row

    @classmethod
    def create(cls, **kwargs: Any) -> Row:
        """Return one row, flushed."""
        row: Row = super().create(**kwargs)
        return row

    @classmethod
    def create_batch(cls, size: int, **kwargs: Any) -> list[Row]:
        """Return several rows, flushed."""
        return [cls.create(**kwargs) for _ in range(size)]


def sequence(make: Callable[[int], Any]) -> Any:
    """A value made of the row's number."""
    return declarations.Sequence(make)  # type: ignore[no-untyped-call]


def derived(make: Callable[[Any], Any]) -> Any:
    """A value made of the row's other values."""
    return declarations.LazyAttribute(make)  # type: ignore[no-untyped-call]


def sub_factory(made_by: "type[RowFactory[Any]]") -> Any:
    """A row that another one needs."""
    return declarations.SubFactory(made_by)  # type: ignore[no-untyped-call]


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
