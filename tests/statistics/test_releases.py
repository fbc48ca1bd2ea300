"""Releasing, on both databases: once, in order, whole or not at all, and never changed afterwards."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from privacy.disclosure.auditor import audit, told
from privacy.disclosure.protection import Protected
from signals.clock import Clock
from signals.errors import NotFound
from signals.models import CountedTable, SignalFact, StoredRelease, StoredTable
from signals.statistics import ledger, released, released_series, released_table, withheld_tables
from signals.statistics import old_menu as menu
from signals.statistics.counting import located_by
from signals.statistics.due_periods import next_quarter
from signals.statistics.forgetting import forget_facts
from signals.statistics.releases import ReleaseRefused, published, schemas_of
from signals.statistics.releasing import Release, Releasing
from signals.vocabulary import DeletionReason
from tests.support.disclosure import Coins
from tests.support.figures import Story, everywhere, fact_rows, facts, live
from tests.support.world import World, run_at_once

_ERASED = DeletionReason.ERASURE
QUARTERS_OF_2025 = [f"2025-Q{number}" for number in range(1, 5)]
AMSTERDAM, GRONINGEN = "GM0363", "GM0014"


def releasing(world: World) -> Releasing:
    """As the worker does it, with a chance that hides nothing: what is asserted is shown on every run."""
    locate = located_by(world.router())
    return Releasing(sessions=world.sessions, keys=world.keystore, locate=locate, chance=Coins())


def release(world: World, period: str) -> bool:
    return releasing(world).release(world.clock, period=period).is_new


def add(world: World, quarter: str, number: int = 30, **values: Any) -> None:
    """Facts of one quarter, half of them reached."""
    rows = [
        {"received_quarter": quarter, "concluded_quarter": quarter, "reached": half == 0, **values}
        for half in (0, 1)
        for _ in range(number // 2)
    ]
    with world.sessions.begin() as session:
        facts(session, rows)


def values(world: World, period: str, table: str) -> dict[tuple[tuple[str, ...], str], int | None]:
    with world.sessions() as session:
        rows = released_table(session, period=period, table=table).rows
    return {(keys, measure): value for keys, measure, value in rows}


def everything(world: World) -> list[tuple[Any, ...]]:
    with world.sessions() as session:
        query = select(StoredTable.period, StoredTable.name, StoredTable.schema, StoredTable.cells)
        return sorted(tuple(row) for row in session.execute(query))


def refused(world: World, period: str) -> str:
    with pytest.raises(ReleaseRefused) as caught:
        release(world, period)
    return str(caught.value)


def test_a_quarter_is_released_with_every_table_of_the_menu_for_quarters(world: World) -> None:
    add(world, "2026-Q3")
    assert release(world, "2026-Q3")
    with world.sessions() as session:
        (found,) = released(session)
    assert (found.period, found.released_on) == ("2026-Q3", date(2026, 11, 24))
    assert [name for name, _ in found.tables] == ["intake", "follow_up", "outcome_groups"]
    assert values(world, "2026-Q3", "follow_up")[(), "signals"] == 30


def test_a_release_never_changes_whatever_comes_later(world: World) -> None:
    add(world, "2026-Q3")
    release(world, "2026-Q3")
    before = everything(world)
    add(world, "2026-Q3", 40)
    assert not release(world, "2026-Q3")
    assert everything(world) == before


@pytest.mark.parametrize("table", ["releases", "released_tables", "counted_tables"])
@pytest.mark.parametrize("change", ["DELETE FROM {0}", "UPDATE {0} SET {1} = {1}"])
def test_the_database_itself_refuses_to_change_what_was_released(
    world: World, table: str, change: str
) -> None:
    add(world, "2026-Q3")
    release(world, "2026-Q3")
    column = "quarter" if table == "counted_tables" else "period"
    with pytest.raises(DBAPIError, match="never changes"), world.engine.begin() as connection:
        connection.execute(text(change.format(table, column)))


def test_late_facts_go_into_the_next_quarter(world: World) -> None:
    add(world, "2026-Q2")
    release(world, "2026-Q2")
    add(world, "2026-Q2", 20)
    add(world, "2026-Q3", 40)
    release(world, "2026-Q3")
    assert values(world, "2026-Q3", "intake")[("total",), "signals"] == 60


@pytest.mark.parametrize(
    "period", ["2026-Q5", "2026-q3", "26-Q3", "", "2026-2023", "2026-11", "Q3", "2026-Q3 "]
)
def test_an_unknown_period_is_refused(world: World, period: str) -> None:
    assert "not a period" in refused(world, period)


@pytest.mark.parametrize("period", ["2026-Q4", "2026", "2023-2026", "2027-Q1"])
def test_a_period_that_is_not_over_is_refused(world: World, period: str) -> None:
    add(world, "2026-Q3")
    assert refused(world, period) == f"{period} is not over yet"


def test_a_quarter_can_be_released_on_the_day_after_it(world: World) -> None:
    add(world, "2026-Q4")
    world.clock.moment = world.clock.moment.replace(month=12, day=31)
    assert "not over" in refused(world, "2026-Q4")
    world.move(days=1)
    assert release(world, "2026-Q4")


def test_quarters_are_released_in_order_from_the_first_with_a_signal(world: World) -> None:
    add(world, "2026-Q1")
    assert refused(world, "2026-Q2") == "2026-Q2 cannot be released: 2026-Q1 is next"
    assert refused(world, "2025-Q4") == "2025-Q4 cannot be released: 2026-Q1 is next"
    assert [release(world, f"2026-Q{number}") for number in (1, 2, 3)] == [True, True, True]
    assert values(world, "2026-Q2", "intake")[("total",), "signals"] is None


def test_nothing_is_released_before_anything_was_received(world: World) -> None:
    assert refused(world, "2026-Q3") == "nothing was received yet"


def test_the_first_quarter_may_have_live_signals_only(world: World) -> None:
    live(world, [Story(received_on=date(2026, 8, 17))])
    with world.sessions() as session:
        assert next_quarter(session) == "2026-Q3"
    assert release(world, "2026-Q3")


def test_a_quarter_waits_for_reports_that_have_not_arrived(world: World) -> None:
    add(world, "2026-Q3")
    world.receive(1)
    with world.sessions.begin() as session:
        session.execute(text("UPDATE sealed_reports SET received_on = '2026-09-30'"))
    assert "wait to arrive" in refused(world, "2026-Q3")
    world.worker().arrive()
    assert release(world, "2026-Q3")
    with world.sessions() as session:
        assert total(ledger.load(session, ["2026-Q3"])) == 31


def test_a_report_of_the_next_quarter_holds_nothing_up(world: World) -> None:
    add(world, "2026-Q3")
    world.receive(1)
    assert release(world, "2026-Q3")


def test_a_year_is_the_sum_of_its_quarters_and_needs_all_four(world: World) -> None:
    for number, quarter in enumerate(QUARTERS_OF_2025):
        add(world, quarter, 20 + 10 * number)
        if number:
            assert "2025 is the sum of its parts" in refused(world, "2025")
        release(world, quarter)
    add(world, "2025-Q4", 100)
    assert release(world, "2025")
    assert values(world, "2025", "intake")[("total",), "signals"] == 20 + 30 + 40 + 50


def test_a_year_that_releases_began_in_the_middle_of_is_never_released(world: World) -> None:
    add(world, "2025-Q2")
    for quarter in QUARTERS_OF_2025[1:]:
        release(world, quarter)
    assert "2025-Q1 was not released" in refused(world, "2025")


@pytest.mark.parametrize("period", ["2020-2023", "2021-2022", "2022-2025", "2019-2026"])
def test_only_the_fixed_periods_of_four_years_exist(world: World, period: str) -> None:
    world.clock.moment = world.clock.moment.replace(year=2027)
    assert "none of the fixed periods" in refused(world, period)


@pytest.mark.slow
def test_municipalities_are_released_for_four_years_together(sqlite_world: World) -> None:
    world = sqlite_world
    world.clock.moment = world.clock.moment.replace(year=2027, month=3, day=1)
    quarters = [f"{year}-Q{number}" for year in range(2023, 2027) for number in range(1, 5)]
    for quarter in quarters:
        add(world, quarter, 8)
        add(world, quarter, 4, municipality_code=GRONINGEN, region_code="GG0111")
    with world.sessions.begin() as session:
        everywhere(session, quarters, 4, besides=(AMSTERDAM, GRONINGEN))
    done = releasing(world).release_due(world.clock, grace_days=35)
    assert [one.period for one in done][-2:] == ["2026", "2023-2026"]
    assert len(done) == 21
    found = values(world, "2023-2026", "municipalities")
    assert found[(GRONINGEN,), "signals"] == 65
    shown = {keys[0] for (keys, _measure), value in found.items() if value is not None}
    assert {GRONINGEN} <= shown <= {AMSTERDAM, GRONINGEN, "total"}
    assert len(found) == 344
    with world.sessions() as session:
        cells, tables = published(session), schemas_of(session)
    assert told(audit(cells, tables, enough=5)) == ()
    assert {(row.municipality_code, row.concern_types) for row in fact_rows(world)} == {(None, "")}


def test_the_worker_releases_what_is_over_for_the_days_of_grace(world: World) -> None:
    add(world, "2026-Q2")
    assert [one.period for one in releasing(world).release_due(world.clock, grace_days=55)] == ["2026-Q2"]
    assert [one.period for one in releasing(world).release_due(world.clock, grace_days=54)] == ["2026-Q3"]
    assert releasing(world).release_due(world.clock, grace_days=0) == ()


def test_the_job_of_the_worker_goes_by_the_setting(world: World) -> None:
    add(world, "2026-Q3")
    assert [one.period for one in world.worker().release_figures()] == ["2026-Q3"]
    assert world.worker().release_figures() == ()


def test_a_run_that_died_after_counting_goes_on_from_the_same_numbers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(world, "2026-Q3")
    monkeypatch.setattr(Releasing, "store", _die)
    with pytest.raises(_Killed):
        release(world, "2026-Q3")
    monkeypatch.undo()
    assert (world.count(StoredRelease), world.count(CountedTable) > 0) == (0, True)
    add(world, "2026-Q3", 200)
    assert [one.period for one in releasing(world).release_due(world.clock, grace_days=35)] == ["2026-Q3"]
    assert values(world, "2026-Q3", "intake")[("total",), "signals"] == 30


@pytest.mark.parametrize("step", ["signals.statistics.releasing.mark", "signals.statistics.ledger.store"])
def test_a_run_that_died_while_counting_counted_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    add(world, "2026-Q3")
    monkeypatch.setattr(step, _die)
    with pytest.raises(_Killed):
        release(world, "2026-Q3")
    monkeypatch.undo()
    assert world.count(CountedTable) == 0
    assert {row.intake_counted for row in fact_rows(world)} == {None}
    assert release(world, "2026-Q3")


def test_a_run_that_died_while_storing_released_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(world, "2026-Q3")
    monkeypatch.setattr("signals.statistics.releasing._row", _die)
    with pytest.raises(_Killed):
        release(world, "2026-Q3")
    monkeypatch.undo()
    assert (world.count(StoredRelease), world.count(StoredTable)) == (0, 0)
    assert release(world, "2026-Q3")


def test_several_workers_release_a_period_once(world: World) -> None:
    add(world, "2026-Q3")
    jobs: list[Callable[[], int]] = [
        lambda: len(releasing(world).release_due(world.clock, grace_days=35)) for _ in range(3)
    ]
    assert sum(run_at_once(*jobs)) == 1
    assert (world.count(StoredRelease), world.count(StoredTable)) == (1, 3)
    assert total_of(world, "2026-Q3") == 30


def test_a_worker_does_not_report_the_release_of_another_worker(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(world, "2026-Q3")
    original = Releasing.release

    def beaten(self: Releasing, clock: Clock, *, period: str) -> Release:
        assert original(self, clock, period=period).is_new
        return original(self, clock, period=period)

    monkeypatch.setattr(Releasing, "release", beaten)
    assert releasing(world).release_due(world.clock, grace_days=35) == ()
    assert world.count(StoredRelease) == 1


def test_a_signal_that_is_purged_while_a_quarter_is_counted_counts_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL the purge commits within the count, which then begins again; on SQLite it waits."""
    (signal_id,) = live(world, [Story(received_on=date(2026, 8, 17))])
    original = ledger.store
    purged: list[object] = []

    def purge_first(*args: Any, **named: Any) -> None:
        if not purged and world.engine.dialect.name == "postgresql":
            purged.append(world.worker().retention().purge_now(world.clock, [signal_id], _ERASED))
        original(*args, **named)

    monkeypatch.setattr(ledger, "store", purge_first)
    assert release(world, "2026-Q3")
    assert total_of(world, "2026-Q3") == 1


def test_a_withheld_table_is_released_as_withheld_and_hides_all_its_cells(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(world, "2026-Q3")

    def withholding(counts: Any, *_args: Any, **_named: Any) -> Protected:
        return Protected(
            values=dict.fromkeys(counts, 20),
            withheld=frozenset({"outcome_groups"}),
            protocol={"nl": "# Verslag"},
        )

    monkeypatch.setattr("privacy.disclosure.protection.protect", withholding)
    assert releasing(world).release(world.clock, period="2026-Q3").withheld == ("outcome_groups",)
    with world.sessions() as session:
        found = released_table(session, period="2026-Q3", table="outcome_groups")
        assert (found.withheld, found.rows, found.protocol) == (True, (), {"nl": "# Verslag"})
        assert withheld_tables(session) == {("2026-Q3", "outcome_groups")}
        cells = published(session)
    assert {value for cell, value in cells.items() if cell.table == "outcome_groups"} == {None}
    assert {value for cell, value in cells.items() if cell.table == "intake"} == {20}


@pytest.mark.parametrize(
    ("period", "table"),
    [
        ("2026-Q3", "outcomes"),  # of a quarter only groups
        ("2026-Q3", "regions_received"),  # regions by year only
        ("2026-Q3", "municipalities"),
        ("2026-Q3", "signal_facts"),
        ("2026-Q3", "hours"),
        ("2026", "intake"),
        ("2026-08", "intake"),
        ("2026-Q3' OR '1'='1", "intake"),
    ],
)
def test_no_table_is_finer_than_the_menu(world: World, period: str, table: str) -> None:
    add(world, "2026-Q3")
    release(world, "2026-Q3")
    with world.sessions() as session, pytest.raises(NotFound):
        released_table(session, period=period, table=table)


def test_a_series_is_every_released_period_of_a_kind_oldest_first(world: World) -> None:
    add(world, "2026-Q1")
    for number in (1, 2, 3):
        release(world, f"2026-Q{number}")
    with world.sessions() as session:
        series = released_series(session, table="intake", kind="quarter")
        assert [one.period for one in series] == ["2026-Q1", "2026-Q2", "2026-Q3"]
        assert released_series(session, table="intake", kind="year") == ()


def test_a_menu_that_gives_a_released_table_other_members_releases_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(world, "2026-Q2")
    release(world, "2026-Q2")
    smaller = tuple(schema for schema in menu.menu() if schema.name != "intake")
    monkeypatch.setattr("signals.statistics.releases.menu", lambda: smaller)
    assert "the table intake was released with other members" in refused(world, "2026-Q3")


def test_facts_go_three_years_after_they_were_counted(world: World) -> None:
    add(world, "2026-Q3")
    add(world, "2026-Q3", 2, concluded_quarter=None, outcome=None)
    release(world, "2026-Q3")
    add(world, "2026-Q4", 4)
    world.clock.moment = world.clock.moment.replace(year=2029, month=9)
    forget(world)
    assert world.count(SignalFact) == 36
    world.clock.moment = world.clock.moment.replace(month=10)
    forget(world)
    assert world.count(SignalFact) == 4


def forget(world: World) -> None:
    with world.sessions.begin() as session:
        forget_facts(session, world.clock)


def total(book: ledger.Ledger) -> int:
    return book["intake"][("total",), "signals"]


def total_of(world: World, quarter: str) -> int:
    with world.sessions() as session:
        return total(ledger.load(session, [quarter]))


class _Killed(Exception):
    pass


def _die(*_args: object, **_values: object) -> None:
    raise _Killed
