"""Test the share of the k-th attempts with contact, as the desk's suggestion shows it."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from signals.statistics.courses import tries_of
from signals.vocabulary import AttemptKind
from tests.support.publications import publish, year_of


def test_nothing_is_said_without_a_release_or_with_fewer_than_100_closed_signals(
    sqlite_engine: Engine,
) -> None:
    with Session(sqlite_engine) as session:
        assert tries_of(session, attempt=1, kind=AttemptKind.VISIT) is None
    publish(sqlite_engine, ["2025"], year_of(90))
    with Session(sqlite_engine) as session:
        assert tries_of(session, attempt=1, kind=AttemptKind.VISIT) is None


@pytest.mark.parametrize(
    ("size", "attempt", "kind", "about"),
    [
        (600, 1, AttemptKind.VISIT, AttemptKind.VISIT),
        (600, 2, AttemptKind.THROUGH_OTHER, None),
        (600, 9, AttemptKind.VISIT, AttemptKind.VISIT),
    ],
)
def test_the_share_is_of_the_kind_or_where_that_says_little_of_all_kinds(
    sqlite_engine: Engine, size: int, attempt: int, kind: AttemptKind, about: AttemptKind | None
) -> None:
    publish(sqlite_engine, ["2024", "2025", "2025-Q3"], year_of(size))
    with Session(sqlite_engine) as session:
        found = tries_of(session, attempt=attempt, kind=kind)
    assert found is not None
    assert (found.period, found.attempt, found.kind) == ("2024-2025", min(attempt, 4), about)
    assert found.share.low < 0.2 < found.share.high
    assert found.share.width <= 0.25
