"""The official address file changes only what differs, and routing follows it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from signals import reference
from signals.clock import FixedClock
from signals.db import make_engine, session_factory
from signals.models import AuditEntry, Base, MunicipalityOfPostcode, RoutingVersion
from signals.routing.compact_coverage import CbsRow, CompactCoverage, Pc6Run, compress
from signals.routing.coverage import COMPLETE, CoverageImport, IncompleteFile, Share, import_official
from signals.routing.snapshot import Router
from signals.vocabulary import AuditAction, OrganisationKind
from tests.factories import receiving
from tests.support.operations import operation

NOW = datetime(2024, 9, 2, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
LONG_AGO = date(2024, 1, 1)
AMSTERDAM, DIEMEN = "GM0363", "GM0384"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path}/signals.db")
    Base.metadata.create_all(engine)
    with session_factory(engine).begin() as session:
        session.add(RoutingVersion(id=1, version=1))
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with session_factory(engine)() as session:
        yield session


ANYTHING = Share(rows=0, pc4s=0, edges=0, municipalities=0)


def file_of(*rows: tuple[str, int, str], partial: bool = False) -> CompactCoverage:
    return compress((CbsRow(*row) for row in rows), partial=partial)


def take(
    session: Session, file: CompactCoverage, as_of: date = TODAY, *, least: Share = ANYTHING
) -> CoverageImport:
    """A few rows stand for the whole country, unless `least` says otherwise."""
    result = import_official(operation(session, FixedClock(NOW)), file=file, as_of=as_of, least=least)
    session.commit()
    return result


def country(*, until: int = 9999, empty: frozenset[int] = frozenset()) -> CompactCoverage:
    """A file as large as the real one, in runs: all four digits of the map up to `until`, but for some."""
    runs = [run for run in reference.pc4_runs() if run.first <= until]
    digits = {pc4 for run in runs for pc4 in range(run.first, min(run.last, until) + 1)} - empty
    return CompactCoverage(
        pc6_runs=[Pc6Run(f"{a}AA", f"{min(b, until)}ZZ", code) for a, b, code in runs],
        ranges=[],
        pc4s=frozenset(digits),
        rows=reference.ADDRESSES * len(digits) // len(country_digits()),
    )


def country_digits() -> set[int]:
    return {pc4 for run in reference.pc4_runs() for pc4 in range(run.first, run.last + 1)}


def version(session: Session) -> int:
    return session.scalars(select(RoutingVersion.version)).one()


def stored(session: Session) -> list[tuple[str, int, int, str]]:
    return sorted(
        (row.first_pc6, row.number_from, row.number_to, row.municipality_code)
        for row in session.scalars(select(MunicipalityOfPostcode))
    )


def add_team(session: Session, name: str, code: str) -> None:
    session.add(receiving("municipality", code, valid_from=LONG_AGO, name=name))
    session.flush()


def add_desk(session: Session) -> None:
    desk = {"name": "Landelijk", "kind": OrganisationKind.NATIONAL}
    session.add(receiving("national", "NL", valid_from=LONG_AGO, **desk))
    session.flush()


def test_a_split_postcode_is_stored_by_house_numbers(session: Session) -> None:
    take(session, file_of(("1012AB", 1, AMSTERDAM), ("1012AB", 3, AMSTERDAM), ("1012AB", 5, DIEMEN)))
    assert stored(session) == [("1012AB", 1, 3, AMSTERDAM), ("1012AB", 5, 5, DIEMEN)]


def test_the_same_file_again_writes_nothing(session: Session) -> None:
    file = file_of(("1012AB", 12, DIEMEN))
    take(session, file)
    before = version(session)
    assert take(session, file) == CoverageImport(added=0, changed=0, removed=0, kept=1)
    assert version(session) == before


def test_only_what_differs_is_written(session: Session) -> None:
    # Addresses of Amsterdam lie between: a run takes in the unused postcodes between used ones.
    between = [("1012AC", 1, AMSTERDAM), ("1013AB", 1, AMSTERDAM), ("1014AB", 1, AMSTERDAM)]
    kept, first = ("1012AB", 12, DIEMEN), [("1013AA", 1, DIEMEN), ("1014AA", 1, DIEMEN)]
    take(session, file_of(*sorted([kept, *first, *between])))
    second = [("1013AA", 1, "GM0362"), ("1015AA", 1, DIEMEN)]
    result = take(session, file_of(*sorted([kept, *second, *between])))
    assert result == CoverageImport(added=1, changed=1, removed=1, kept=1)
    assert [row[3] for row in stored(session)] == [DIEMEN, "GM0362", DIEMEN]


def test_a_change_moves_the_routing_version_and_is_audited(session: Session) -> None:
    before = version(session)
    take(session, file_of(("1012AB", 12, DIEMEN)))
    assert version(session) == before + 1
    assert session.scalars(select(AuditEntry.action)).all() == [AuditAction.COVERAGE_CHANGED]


def test_a_file_that_is_far_from_complete_is_refused_with_what_it_holds(session: Session) -> None:
    take(session, file_of(("1012AB", 12, DIEMEN)))
    with pytest.raises(IncompleteFile) as refused:
        take(session, file_of(("1012AB", 1, AMSTERDAM), ("1383AA", 1, AMSTERDAM)), least=COMPLETE)
    assert str(refused.value) == (
        "it holds 2 of about 7,985,899 addresses, in 2 of about 4,072 four-digit postcodes and 1 of 342"
        " municipalities"
    )
    assert stored(session) == [("1012AB", 0, 99999, DIEMEN)]


@pytest.mark.parametrize("until", [1400, 5000, 9900])
def test_a_file_that_breaks_off_is_refused(session: Session, until: int) -> None:
    with pytest.raises(IncompleteFile):
        take(session, country(until=until), least=COMPLETE)


@pytest.mark.parametrize("as_of", [date(2022, 8, 1), TODAY, date(2027, 8, 1)])
def test_the_whole_country_is_taken_and_says_what_is_shipped(session: Session, as_of: date) -> None:
    assert not take(session, country(), as_of=as_of, least=COMPLETE).anything


def test_a_postcode_that_the_file_lacks_stays_where_it_was(engine: Engine, session: Session) -> None:
    add_desk(session)
    add_team(session, "Amsterdam", AMSTERDAM)
    add_team(session, "Hilversum", "GM0402")
    session.commit()
    assert not take(session, file_of(("1012AB", 1, AMSTERDAM), ("1383AA", 1, AMSTERDAM))).anything
    router = Router(engine, root_public_key=None, refresh_seconds=0.0)
    assert router.route("1211AA", 1, TODAY).name == "Hilversum"


def test_a_partial_file_writes_what_it_holds_and_removes_nothing_else(session: Session) -> None:
    take(session, file_of(("1012AB", 1, DIEMEN), ("1014AA", 1, AMSTERDAM), ("1015AA", 1, DIEMEN)))
    part = file_of(("1012AB", 1, AMSTERDAM), ("1013AA", 1, DIEMEN), ("1013AC", 1, DIEMEN), partial=True)
    assert take(session, part, least=COMPLETE) == CoverageImport(added=2, changed=0, removed=1, kept=1)
    assert [row[0] for row in stored(session)] == ["1013AA", "1013AC", "1015AA"]
    assert not take(session, part, least=COMPLETE).anything


def test_a_partial_file_leaves_a_split_postcode_of_which_it_has_one_side(session: Session) -> None:
    take(session, file_of(("1012AB", 1, AMSTERDAM), ("1012AB", 5, DIEMEN)))
    before = stored(session)
    one_side = take(session, file_of(("1012AB", 5, DIEMEN), partial=True))
    assert (one_side.anything, one_side.left) == (False, ("1012AB",))
    assert stored(session) == before
    both = file_of(("1012AB", 1, AMSTERDAM), ("1012AB", 7, DIEMEN), partial=True)
    assert take(session, both) == CoverageImport(added=1, changed=0, removed=1, kept=1)


def test_routing_follows_the_file(engine: Engine, session: Session) -> None:
    add_desk(session)
    add_team(session, "Amsterdam", AMSTERDAM)
    add_team(session, "Diemen", DIEMEN)
    session.commit()
    router = Router(engine, root_public_key=None, refresh_seconds=0.0)
    assert router.route("1012AB", 5, TODAY).name == "Amsterdam"
    take(session, file_of(("1012AB", 1, AMSTERDAM), ("1012AB", 5, DIEMEN)))
    assert router.route("1012AB", 5, TODAY).name == "Diemen"
    assert router.route("1012AB", 1, TODAY).name == "Amsterdam"
