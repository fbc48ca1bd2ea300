"""Mergers of municipalities: a window keeps the division of its own years, and later releases go on."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest

from privacy.disclosure.folder import read_folder
from privacy.disclosure.tables import Period, read_period
from privacy.disclosure.verification import verified
from signals import reference
from signals.statistics import released, released_table
from signals.statistics.counting import located_by
from signals.statistics.divisions import Division, division_of
from signals.statistics.exports import write_folder
from signals.statistics.facts import region_of
from signals.statistics.old_menu import UNKNOWN, municipalities
from signals.statistics.releasing import Releasing
from tests.support.another_map import forget_map, replace_map
from tests.support.figures import everywhere, facts
from tests.support.world import World

GOOI, AMSTERDAM_REGION = "GG3606", "GG3406"
WIJDEMEREN, HILVERSUM, HUIZEN = "GM1696", "GM0402", "GM0406"
"""Wijdemeren becomes a part of Hilversum on 1 January 2027; that Huizen did is an invention of a test."""

WINDOW, NEXT = read_period("2023-2026"), read_period("2027-2030")
FIRST_WINDOW_COUNTED, NEXT_COUNTED = date(2027, 2, 5), date(2031, 2, 5)


@pytest.fixture(autouse=True)
def shipped_map() -> Iterator[None]:
    yield
    forget_map()


def regions(window: Period, until: date, *counted: tuple[str, str]) -> Mapping[str, str]:
    return division_of(window, until, {(place, "signals"): 3 for place in counted}).regions


def test_today_the_division_of_the_first_window_is_the_map() -> None:
    known = {code: place.ggd_code for code, place in reference.municipalities().items()}
    assert regions(WINDOW, FIRST_WINDOW_COUNTED) == {**known, UNKNOWN: UNKNOWN}


def test_a_municipality_is_a_member_of_every_window_in_which_it_was_a_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in ("as the files are", "when the map of 2027 took their place"):
        assert regions(WINDOW, FIRST_WINDOW_COUNTED)[WIJDEMEREN] == GOOI
        assert WIJDEMEREN not in regions(NEXT, NEXT_COUNTED)
        assert "GM0501" not in regions(WINDOW, FIRST_WINDOW_COUNTED)  # Brielle ended on the first day
        assert regions(read_period("2019-2022"), date(2022, 12, 31))["GM0501"]
        replace_map(monkeypatch, "municipalities.csv", without_wijdemeren)


def test_a_municipality_that_begins_after_a_window_is_a_member_once_a_count_is_possible() -> None:
    """Addresses are located on the day of counting: the new name of the next year may be there."""
    before = read_period("2019-2022")
    assert "GM1992" not in regions(before, date(2022, 12, 31))  # Voorne aan Zee, from 1 January 2023
    assert "GM1992" in regions(before, date(2023, 2, 5))


def test_no_member_shows_whether_anything_was_counted_in_it() -> None:
    empty = regions(WINDOW, FIRST_WINDOW_COUNTED)
    assert regions(WINDOW, FIRST_WINDOW_COUNTED, (GOOI, WIJDEMEREN), (GOOI, HILVERSUM)) == empty


def test_a_municipality_that_moved_to_another_region_is_two_members_that_add_up() -> None:
    places: dict[tuple[tuple[str, ...], str], int] = {
        (place, "signals"): n for place, n in {(GOOI, HILVERSUM): 5, (AMSTERDAM_REGION, HILVERSUM): 7}.items()
    }
    division = division_of(WINDOW, FIRST_WINDOW_COUNTED, places)
    assert division.regions[HILVERSUM] == GOOI
    assert division.regions[f"{HILVERSUM}-{AMSTERDAM_REGION}"] == AMSTERDAM_REGION
    counts = division.counts(places)
    assert (counts[(HILVERSUM,), "signals"], counts[("total",), "signals"]) == (5, 12)
    assert counts[(f"{HILVERSUM}-{AMSTERDAM_REGION}",), "signals"] == 7


def test_a_municipality_that_moves_after_a_window_keeps_its_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replace_map(monkeypatch, "municipalities.csv", in_amsterdam)
    found = regions(WINDOW, FIRST_WINDOW_COUNTED, (GOOI, HILVERSUM))
    assert found[HILVERSUM] == GOOI
    assert f"{HILVERSUM}-{GOOI}" not in found
    assert regions(WINDOW, FIRST_WINDOW_COUNTED)[HILVERSUM] == AMSTERDAM_REGION


def test_the_same_division_is_the_same_table_and_another_one_is_called_by_its_first_year() -> None:
    division = Division(regions={HILVERSUM: GOOI, UNKNOWN: UNKNOWN})
    first = division.table(WINDOW, [])
    assert (first.name, first.dimensions[0].name) == ("municipalities", "municipality")
    assert division.table(NEXT, [first]) is first
    second = division.table(NEXT, [municipalities({UNKNOWN: UNKNOWN})])
    assert (second.name, second.dimensions[0].name) == ("municipalities_2027", "municipality_2027")


def test_a_municipality_that_is_no_more_is_in_the_region_of_what_it_became(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replace_map(monkeypatch, "municipalities.csv", without_wijdemeren)
    assert WIJDEMEREN not in reference.municipalities()
    assert region_of(WIJDEMEREN) == GOOI
    assert region_of("GM9999") is None


@pytest.mark.slow
@pytest.mark.soak
def test_mergers_within_a_window_and_after_it_keep_what_was_counted_and_hold_nothing_up(
    sqlite_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """One window for both, for to release one takes half a minute; `make soak` goes on to the next."""
    world = sqlite_world
    count_years(world, range(2023, 2025), {(GOOI, WIJDEMEREN): 5})
    release_until(world, date(2025, 3, 1))
    replace_map(monkeypatch, "municipalities.csv", in_amsterdam)
    count_years(world, range(2025, 2027), {(AMSTERDAM_REGION, HILVERSUM): 5, (GOOI, HILVERSUM): 4})
    assert release_until(world, date(2027, 3, 1))[-1] == "2023-2026"
    with world.sessions() as session:
        table = released_table(session, period="2023-2026", table="municipalities")
    assert {keys[0] for keys, _, value in table.rows if value} <= {
        WIJDEMEREN, HILVERSUM, f"{HILVERSUM}-{GOOI}", "total",
    }  # fmt: skip
    parent = table.schema.dimensions[0].parent
    assert parent is not None
    assert (parent[HILVERSUM], parent[WIJDEMEREN]) == (AMSTERDAM_REGION, GOOI)

    replace_map(monkeypatch, "municipalities.csv", without_huizen)
    count_years(
        world, range(2027, 2031), {(AMSTERDAM_REGION, HILVERSUM): 3, (AMSTERDAM_REGION, "GM0363"): 10}
    )
    assert release_until(world, date(2028, 3, 1))[-1] == "2027"
    assert shown(world, "2023-2026", "municipalities", HUIZEN) is None
    if is_soak(pytestconfig):
        goes_on_to_the_next_window(world, tmp_path)


def goes_on_to_the_next_window(world: World, folder: Path) -> None:
    assert release_until(world, date(2031, 3, 1))[-1] == "2027-2030"
    assert shown(world, "2027-2030", "municipalities_2027", HILVERSUM) in (50, None)
    with pytest.raises(KeyError):
        shown(world, "2027-2030", "municipalities_2027", HUIZEN)
    with world.sessions() as session:
        names = {one.period: [name for name, title in one.tables if title["nl"]] for one in released(session)}
        assert names["2027-2030"] == ["regions_received", "municipalities_2027"]
        write_folder(session, folder, licence="CC0-1.0")
    assert verified(read_folder(folder)).ok


def is_soak(config: pytest.Config) -> bool:
    return bool(config.getoption("--hypothesis-profile") == "soak")


def count_years(world: World, years: range, each: Mapping[tuple[str, str], int]) -> None:
    """Add facts of each place in every quarter, and a few of every other municipality in some quarter."""
    quarters = [f"{year}-Q{number}" for year in years for number in range(1, 5)]
    with world.sessions.begin() as session:
        everywhere(session, quarters, 4, besides=[code for _region, code in each])
        for quarter in quarters:
            for (region, code), number in each.items():
                usual = {"received_quarter": quarter, "concluded_quarter": quarter}
                facts(session, [{**usual, "region_code": region, "municipality_code": code}] * number)


def release_until(world: World, on: date) -> list[str]:
    world.clock.moment = world.clock.moment.replace(year=on.year, month=on.month, day=on.day)
    releasing = Releasing(sessions=world.sessions, keys=world.keystore, locate=located_by(world.router()))
    return [one.period for one in releasing.release_due(world.clock, grace_days=35)]


def shown(world: World, period: str, table: str, code: str) -> int | None:
    with world.sessions() as session:
        rows = released_table(session, period=period, table=table).rows
    return {keys: value for keys, _measure, value in rows}[code,]


def without_wijdemeren(row: dict[str, str]) -> dict[str, str] | None:
    return None if row["code"] == WIJDEMEREN else row


def without_huizen(row: dict[str, str]) -> dict[str, str] | None:
    return None if row["code"] == HUIZEN else row


def in_amsterdam(row: dict[str, str]) -> dict[str, str] | None:
    """Return the same map with Hilversum in the region of Amsterdam."""
    row["ggd_code"] = AMSTERDAM_REGION if row["code"] == HILVERSUM else row["ggd_code"]
    return without_wijdemeren(row)
