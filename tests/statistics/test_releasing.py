"""A release: drawn once, stored for ever, and paid once, whatever happens to processes and copies."""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit
from sqlite3 import connect
from threading import Barrier

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from signals.models import OrganisationYear, Publication, SignalFact
from signals.statistics import menu
from signals.statistics.ledger import LedgerFile, NoLedger
from signals.statistics.periods import last_day_of, periods_until, quarter_after
from signals.statistics.publications import Forged, publications
from signals.statistics.releasing import ReleaseRefused
from signals.statistics.sealed_facts import secret_of
from tests.support.figures import add, released, releasing
from tests.support.world import AMSTERDAM, World

YEARLY = ("attempts", "regions", "outcomes", "kinds", "course")


@pytest.fixture
def later(world: World) -> World:
    """A world in 2027, with forty signals of 2026 whose year may be drawn."""
    return with_facts(world)


def with_facts(world: World) -> World:
    add(world, 40)
    world.clock.moment = datetime(2027, 2, 5, 9, tzinfo=UTC)
    return world


def rows(world: World) -> list[tuple[str, str, str]]:
    return [(row.period, row.code, row.content) for row in world.rows(select(Publication))]


def release_everything(world: World) -> list[str]:
    return [release.period for release in releasing(world).release_due(world.clock, grace_days=35)]


def test_quarters_and_the_year_are_released_after_their_days_of_grace(later: World) -> None:
    later.clock.moment = datetime(2027, 2, 4, 9, tzinfo=UTC)
    assert release_everything(later) == ["2026-Q3"]
    later.move(days=1)
    assert release_everything(later) == ["2026-Q4", "2026"]
    assert release_everything(later) == []


def test_each_table_says_what_it_spent_and_lies_near_the_truth(later: World) -> None:
    release_everything(later)
    received, outcomes = released(later, "2026-Q3", "received"), released(later, "2026", "outcomes")
    assert (float(received.epsilon), float(outcomes.epsilon), outcomes.scale) == (0.15, 0.25, 4)
    assert abs(received.noisy[()] - 40) < 20 * received.scale
    assert abs(outcomes.noisy["not_reached_tried_enough",] - 40) < 20 * outcomes.scale
    with later.sessions() as session:
        assert [row.code for row in publications(session) if row.period == "2026"] == sorted(YEARLY)
    assert set(outcomes.noisy) == set(menu.table_of("outcomes").cells)


def test_the_facts_of_a_drawn_year_go_with_their_key(later: World) -> None:
    add(later, 3, received="2026-Q4", concluded="2027")
    release_everything(later)
    with later.sessions() as session:
        assert set(session.scalars(select(SignalFact.year))) == {"2027"}
    assert not later.keystore.has_secret(secret_of("2026"))


def test_the_own_totals_of_a_year_stay(later: World) -> None:
    release_everything(later)
    with later.sessions() as session:
        own = session.get_one(OrganisationYear, (AMSTERDAM, "2026"))
    assert (own.received, own.concluded, own.in_time, own.reached) == (40, 40, 40, 0)
    assert own.outcomes == '{"not_reached_tried_enough": 40}'


def test_a_period_is_released_once(later: World) -> None:
    release_everything(later)
    before = rows(later)
    again = releasing(later).release(later.clock, period="2026")
    assert not again.is_new
    assert rows(later) == before


@pytest.mark.parametrize(
    ("period", "reason"),
    [
        ("2026", "release that first"),  # its quarters still need the facts
        ("2027", "is over"),
        ("2027-Q1", "is over"),
        ("2026-Q1", "is over and had signals"),
        ("2026-08", "no quarter"),
        ("2026-Q3' OR '1'='1", "no quarter"),
    ],
)
def test_other_periods_are_refused(later: World, period: str, reason: str) -> None:
    with pytest.raises(ReleaseRefused, match=reason):
        releasing(later).release(later.clock, period=period)
    assert rows(later) == []


def test_a_year_waits_for_its_days_of_grace(later: World) -> None:
    release_everything(later)
    add(later, received="2027-Q4", concluded="2027")
    later.clock.moment = datetime(2028, 2, 4, 9, tzinfo=UTC)
    for quarter in ("2027-Q1", "2027-Q2", "2027-Q3", "2027-Q4"):
        releasing(later).release(later.clock, period=quarter)
    with pytest.raises(ReleaseRefused, match="35 days"):
        releasing(later).release(later.clock, period="2027")


def test_facts_whose_key_is_gone_are_not_left_out_silently(later: World) -> None:
    later.clock.moment = datetime(2027, 2, 4, 9, tzinfo=UTC)
    release_everything(later)
    later.move(days=1)
    releasing(later).release(later.clock, period="2026-Q4")
    later.keystore.forget_secrets([secret_of("2026")])
    with pytest.raises(ReleaseRefused, match="restore the newest copy of the keystore"):
        releasing(later).release(later.clock, period="2026")


def test_a_menu_that_spends_more_than_two_is_refused(later: World, monkeypatch: pytest.MonkeyPatch) -> None:
    releasing(later).release(later.clock, period="2026-Q3")
    dearer = [replace(menu.table_of("received"), epsilon=Fraction("0.16"))]
    monkeypatch.setattr("signals.statistics.releasing.tables_of", lambda _kind: dearer)
    releasing(later).release(later.clock, period="2026-Q4")  # 0.16 alone
    monkeypatch.undo()
    with pytest.raises(ReleaseRefused, match=r"would spend 2\.01"):
        releasing(later).release(later.clock, period="2026")
    assert {period for period, *_ in rows(later)} == {"2026-Q3", "2026-Q4"}


def test_the_database_itself_refuses_to_change_a_release(later: World) -> None:
    release_everything(later)
    for change in (update(Publication).values(epsilon="0.01"), update(OrganisationYear).values(received=1)):
        with later.sessions.begin() as session, pytest.raises(DBAPIError, match="never changes"):
            session.execute(change)


def test_of_two_workers_at_once_one_draws(later: World) -> None:
    together = Barrier(2)

    def run(_number: int) -> bool:
        made = releasing(later)
        together.wait()
        try:
            return made.release(later.clock, period="2026-Q3").is_new
        except ReleaseRefused:
            return False

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(run, range(2))) == [False, True]
    assert [(period, code) for period, code, _ in rows(later)] == [("2026-Q3", "received")]
    assert len(list(LedgerFile(later.settings.figures.ledger_file).tables())) == 1


class _Killed(BaseException):
    pass


class _DyingLedger(LedgerFile):
    """A ledger whose process is killed after the file is written and before the database commits."""

    def append(self, tables: Sequence[Publication]) -> None:
        super().append(tables)
        raise _Killed


def test_a_killed_process_spends_once_the_next_one_takes_its_numbers(later: World) -> None:
    with pytest.raises(_Killed):
        releasing(later, ledger=_DyingLedger(later.settings.figures.ledger_file)).release(
            later.clock, period="2026-Q3"
        )
    assert rows(later) == []
    (drawn,) = LedgerFile(later.settings.figures.ledger_file).tables()
    release_everything(later)
    assert ("2026-Q3", "received", drawn.content) in rows(later)


def test_the_own_totals_of_a_year_survive_a_killed_process(later: World) -> None:
    for quarter in ("2026-Q3", "2026-Q4"):
        releasing(later).release(later.clock, period=quarter)
    dying = _DyingLedger(later.settings.figures.ledger_file)
    with pytest.raises(_Killed):
        releasing(later, ledger=dying).release(later.clock, period="2026")
    test_the_own_totals_of_a_year_stay(later)


def test_a_full_disk_leaves_no_part_of_a_release(later: World, tmp_path: Path) -> None:
    release_everything(later)
    with later.sessions() as session:
        tables = session.scalars(select(Publication)).all()
    ledger = LedgerFile(tmp_path / "small")
    _, most = getrlimit(RLIMIT_FSIZE)
    setrlimit(RLIMIT_FSIZE, (2_000, most))
    try:
        with pytest.raises(OSError, match="No space left"):
            ledger.append(tables)
    finally:
        setrlimit(RLIMIT_FSIZE, (most, most))
    assert list(ledger.tables()) == []


def test_a_line_that_a_crash_cut_off_is_skipped(later: World) -> None:
    file = later.settings.figures.ledger_file
    file.write_text('{"period": "2026-Q3", "code": "rec')
    release_everything(later)
    assert len(list(LedgerFile(file).tables())) == 2 + len(YEARLY)


class _Copy:
    """A copy of the database of before the release, which comes back."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self._file = world, folder / "backup.db"
        with closing(connect(world.folder / "signals.db")) as here, closing(connect(self._file)) as there:
            here.backup(there)

    def restore(self) -> None:
        self.world.engine.dispose()
        for left in self.world.folder.glob("signals.db-*"):
            left.unlink()
        shutil.copyfile(self._file, self.world.folder / "signals.db")


@pytest.fixture
def restored(sqlite_world: World, tmp_path: Path) -> World:
    """A world with a released year, whose database came back from the day before."""
    world = with_facts(sqlite_world)
    copy = _Copy(world, tmp_path)
    release_everything(world)
    copy.restore()
    return world


def test_a_restored_database_gets_its_releases_back_as_they_were(sqlite_world: World, tmp_path: Path) -> None:
    world = with_facts(sqlite_world)
    copy = _Copy(world, tmp_path)
    release_everything(world)
    before = rows(world)
    copy.restore()
    assert rows(world) == []
    assert release_everything(world) == []
    assert rows(world) == before
    assert world.count(SignalFact) == 0


def test_without_the_ledger_a_restored_database_releases_nothing_again(restored: World) -> None:
    restored.settings.figures.ledger_file.unlink()
    with pytest.raises(ReleaseRefused, match="restored to a day before"):
        releasing(restored).release(restored.clock, period="2026-Q3")
    assert rows(restored) == []


def test_a_lost_release_holds_up_no_later_one(restored: World) -> None:
    """Its year has a quarter that nobody can release any more; the next one goes on."""
    restored.settings.figures.ledger_file.unlink()
    add(restored, received="2027-Q1", concluded="2027")
    restored.clock.moment = datetime(2028, 2, 5, 9, tzinfo=UTC)
    assert release_everything(restored) == ["2027-Q1", "2027-Q2", "2027-Q3", "2027-Q4", "2027"]
    assert restored.count(SignalFact) == 0


def test_a_ledger_with_other_numbers_is_refused(restored: World) -> None:
    file = restored.settings.figures.ledger_file
    file.write_text(file.read_text().replace('"epsilon": "0.15"', '"epsilon": "0.05"'))
    with pytest.raises(Forged, match="not signed by this service"):
        release_everything(restored)
    assert rows(restored) == []


def test_another_file_is_no_ledger(restored: World) -> None:
    restored.settings.figures.ledger_file.write_text('{"key": "5"}\n')
    with pytest.raises(NoLedger, match="line 1"):
        release_everything(restored)


def test_the_file_that_differs_from_the_database_is_found(later: World) -> None:
    release_everything(later)
    file = later.settings.figures.ledger_file
    assert _differing(later) == ()
    file.write_text(file.read_text().replace('\\"sensitivity\\":1', '\\"sensitivity\\":9'))
    assert "2026-Q3/received" in _differing(later)


def test_periods_come_in_the_order_of_their_ends() -> None:
    assert list(periods_until("2025-Q3", date(2026, 4, 1))) == ["2025-Q3", "2025-Q4", "2025", "2026-Q1"]
    assert (quarter_after("2025-Q4"), last_day_of("2024-Q1")) == ("2026-Q1", date(2024, 3, 31))


def _differing(world: World) -> tuple[str, ...]:
    with world.sessions() as session:
        return releasing(world).differing(session)
