"""Ask as a coordinator for finer figures than the released ones: the service has none."""

from typing import Final

import pytest
from sqlalchemy import Engine

from signals.statistics.menu import table_of
from tests.support.desk_side import Desk
from tests.support.pages import Browser
from tests.support.publications import publish, year_of

RELEASES: Final = "/statistics/releases"
RECEIVED: Final = f"{RELEASES}/2026-Q3/tables/received"


@pytest.fixture(autouse=True)
def released(engine: Engine) -> None:
    publish(engine, ["2026-Q2", "2026-Q3", "2025"], year_of(600))


@pytest.mark.parametrize(
    "path",
    [
        "2026-Q4/tables/received",
        "2026/tables/attempts",
        "2026-09/tables/received",
        "2026-W40/tables/received",
        "2026-Q3/tables/municipalities",
        "2026-Q3/tables/attempts",
        "2026-Q3/tables/regions",
        "2025/tables/municipalities",
        "2025/tables/concern_type_by_outcome",
        "2025/tables/signals",
        "2025/tables/signal_facts",
        "2025/tables/organisations",
        "2025/tables/organisation_years",
        "2025/tables/attempts/region/GG0111",
        "2025/tables/..%2f..%2fsignals",
        "2025/tables/Attempts",
        "2025%27%20OR%201=1--/tables/attempts",
        "total/tables/attempts",
        "2024-2025/tables/regions",
        "2025-2025/tables/regions",
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
        "noise=false",
        "exact=1",
    ],
)
def test_no_question_makes_it_finer(desk: Desk, question: str) -> None:
    for path in (RELEASES, RECEIVED, f"{RECEIVED}.csv"):
        answer = desk.call("coen", "GET", f"{path}?{question}")
        assert answer.status_code == 400, path
        assert answer.get_json()["errors"][0]["code"] == "unknown_field"
    coen = Browser(desk, "coen")
    for path in ("/figures", "/figures/releases/2025", "/figures/open-data.zip"):
        assert coen.get(f"{path}?{question}").status_code == 400, path


def test_a_coordinator_reaches_no_teams_own_figures(desk: Desk) -> None:
    coen = Browser(desk, "coen")
    assert coen.get("/desk/figures").status_code == 403
    assert coen.get("/desk/figures/2025.pdf").status_code == 403


def test_every_answer_is_what_was_released_and_nothing_else(desk: Desk) -> None:
    """The API gives exactly the cells of the menu's tables."""
    for release in desk.call("coen", "GET", RELEASES).get_json()["items"]:
        for name in (table["name"] for table in release["tables"]):
            body = desk.call("coen", "GET", f"{RELEASES}/{release['period']}/tables/{name}").get_json()
            given = [
                tuple(item[side] for side in body["dimensions"])
                for item in body["items"]
                if item["measure"] == "drawn"
            ]
            assert given == list(table_of(name).cells)
