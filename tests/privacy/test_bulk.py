"""Many rows in one INSERT mean the same on both databases, whatever they hold."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from privacy.bulk import among, insert_many


class Fruit(StrEnum):
    PEAR = "pear"


metadata = sa.MetaData()
rows = sa.Table(
    "rows",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("word", sa.String(40), nullable=False, unique=True),
    sa.Column(
        "fruit", sa.Enum(Fruit, native_enum=False, values_callable=lambda kind: [m.value for m in kind])
    ),
    sa.Column("number", sa.Integer),
    sa.Column("true", sa.Boolean),
    sa.Column("day", sa.Date),
    sa.Column("moment", sa.DateTime(timezone=True)),
    sa.Column("plain", sa.JSON),
)
IDS = [uuid.UUID(int=number) for number in range(1, 4)]
WORDS = ["", 'a "quoted", {braced} \\ one', "één NULL"]
FULL: dict[str, list[Any]] = {
    "id": IDS,
    "digest": [b"", b"\x00\xff", b"x" * 3000],
    "word": WORDS,
    "fruit": [Fruit.PEAR, None, Fruit.PEAR],
    "number": [-1, None, 2**31 - 1],
    "true": [True, None, False],
    "day": [date(1999, 12, 31), None, date(2026, 11, 24)],
    "plain": [{"link": "é"}, {}, {"a": "1"}],
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def connection(request: pytest.FixtureRequest) -> Iterator[sa.Connection]:
    """A connection to a database with the table above."""
    url = "sqlite://" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = sa.create_engine(url)
    with engine.begin() as made:
        metadata.create_all(made)
        yield made
    engine.dispose()


def stored(connection: sa.Connection, *names: str) -> list[tuple[Any, ...]]:
    """These columns of all rows, by id."""
    return [
        tuple(row) for row in connection.execute(sa.select(*(rows.c[n] for n in names)).order_by(rows.c.id))
    ]


def test_every_value_comes_back_as_it_was(connection: sa.Connection) -> None:
    assert insert_many(connection, rows, FULL) == 3
    assert stored(connection, *FULL) == list(zip(*FULL.values(), strict=True))


def test_a_moment_is_stored_whatever_its_zone(connection: sa.Connection) -> None:
    moment = datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    there = moment.astimezone(timezone(timedelta(hours=2))) if connection.dialect.name != "sqlite" else moment
    insert_many(connection, rows, {"id": IDS[:1], "digest": [b"x"], "word": ["a"], "moment": [there]})
    [(found,)] = stored(connection, "moment")
    assert found.replace(tzinfo=found.tzinfo or UTC) == moment


def test_a_bulk_insert_takes_a_shared_value_once_and_stores_null_for_a_missing_one(
    connection: sa.Connection,
) -> None:
    same = {"digest": b"same", "fruit": Fruit.PEAR, "day": date(2026, 1, 1)}
    assert insert_many(connection, rows, {"word": WORDS, "id": IDS}, same) == 3
    expected = [(word, b"same", Fruit.PEAR, date(2026, 1, 1), None) for word in WORDS]
    assert stored(connection, "word", "digest", "fruit", "day", "number") == expected


def test_rows_that_exist_are_left_out_and_not_counted(connection: sa.Connection) -> None:
    insert_many(connection, rows, {"id": IDS[:1], "word": ["a"]}, {"digest": b"first"})
    twice: dict[str, list[Any]] = {"id": IDS[1:], "word": ["a", "b"]}
    assert insert_many(connection, rows, twice, {"digest": b"second"}, unless=("word",)) == 1
    assert stored(connection, "word", "digest") == [("a", b"first"), ("b", b"second")]


def test_rows_that_exist_are_refused_unless_they_may_be_left_out(connection: sa.Connection) -> None:
    with pytest.raises(IntegrityError):
        insert_many(connection, rows, {"id": IDS, "word": ["a", "a", "b"]}, {"digest": b""})
    connection.rollback()


def test_rows_among_many_values_are_found(connection: sa.Connection) -> None:
    insert_many(connection, rows, FULL)
    unknown = (uuid.UUID(int=number) for number in range(3, 2000))
    found = sa.select(rows.c.id).where(among(connection, rows.c.id, [IDS[0], *unknown]))
    assert set(connection.scalars(found)) == {IDS[0], IDS[2]}
    assert connection.scalars(sa.select(rows.c.id).where(among(connection, rows.c.id, []))).all() == []
