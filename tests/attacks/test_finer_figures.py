"""A coordinator asks for anything finer than what was released: there is no such thing, whatever is asked."""

from typing import Any, Final

import pytest
from sqlalchemy import Engine

from privacy.disclosure.tables import Cell
from signals.statistics.old_menu import tables_for
from tests.support.desk_side import Desk
from tests.support.pages import Browser
from tests.support.releases import store_releases

RELEASES: Final = "/statistics/releases"
FOLLOW_UP: Final = f"{RELEASES}/2026-Q3/tables/follow_up"


@pytest.fixture(autouse=True)
def released(engine: Engine) -> None:
    store_releases(engine, ["2026-Q2", "2026-Q3"], _value)
    store_releases(engine, ["2025"], _value, withheld=frozenset({"outcomes"}))


def _value(cell: Cell) -> int | None:
    return None if cell.measure == "helped" else 100


@pytest.mark.parametrize(
    "path",
    [
        "2026-Q4/tables/follow_up",
        "2026/tables/follow_up",
        "2026-09/tables/follow_up",
        "2026-W40/tables/follow_up",
        "2026-Q3/tables/municipalities",
        "2026-Q3/tables/attempts",
        "2026-Q3/tables/regions_follow_up",
        "2025/tables/municipalities",
        "2025/tables/concern_type_by_outcome",
        "2025/tables/signals",
        "2025/tables/signal_facts",
        "2025/tables/organisations",
        "2025/tables/counted_tables",
        "2025/tables/attempts/region/GG0111",
        "2025/tables/..%2f..%2fsignals",
        "2025/tables/Attempts",
        "2025%27%20OR%201=1--/tables/attempts",
        "total/tables/attempts",
        "2022-2025/tables/municipalities",
        "2024-2025/tables/regions_received",
    ],
)
def test_an_unreleased_table_does_not_exist_for_a_reader(desk: Desk, path: str) -> None:
    for ending in ("", ".csv"):
        answer = desk.call("coen", "GET", f"{RELEASES}/{path}{ending}")
        assert answer.status_code == 404
        assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "question",
    [
        "municipality=GM0363",
        "region=GG0111",
        "organisation=Voorbeeld",
        "organisation_id=1",
        "group_by=municipality",
        "by=type,outcome",
        "from=2026-07-01&to=2026-07-31",
        "round=false",
        "suppress=0",
        "exact=1",
    ],
)
def test_no_question_makes_it_finer(desk: Desk, question: str) -> None:
    for path in (RELEASES, FOLLOW_UP, f"{FOLLOW_UP}.csv"):
        answer = desk.call("coen", "GET", f"{path}?{question}")
        assert answer.status_code == 400, path
        assert answer.get_json()["errors"][0]["code"] == "unknown_field"
    coen = Browser(desk, "coen")
    for path in ("/figures", "/figures/releases/2025/attempts", "/figures/open-data.zip"):
        assert coen.get(f"{path}?{question}").status_code == 400, path


def test_a_coordinator_reaches_no_teams_own_figures(desk: Desk) -> None:
    coen = Browser(desk, "coen")
    assert coen.get("/desk/figures").status_code == 403
    assert coen.get("/figures/regions?region=GM0363").status_code == 404
    assert coen.get("/figures/regions?region=GG0111&region=GM0363").status_code == 200  # the first one


def test_every_answer_is_what_was_released_and_nothing_else(desk: Desk) -> None:
    """Whatever cells the API gives, they are cells of the menu's tables, and as many."""
    for release in desk.call("coen", "GET", RELEASES).get_json()["items"]:
        kind = "quarter" if "Q" in release["period"] else "year"
        schemas = {schema.name: schema for schema in tables_for(kind)}
        for table in release["tables"]:
            body = _table(desk, release["period"], table["name"])
            if body["withheld"]:
                continue
            schema = schemas[table["name"]]
            names = [dimension.name for dimension in schema.dimensions]
            given = {(tuple(item[name] for name in names), item["measure"]) for item in body["items"]}
            assert given == {(cell.keys, cell.measure) for cell in schema.cells(release["period"])}
            assert len(given) == len(body["items"])


def _table(desk: Desk, period: str, name: str) -> Any:
    return desk.call("coen", "GET", f"{RELEASES}/{period}/tables/{name}").get_json()
