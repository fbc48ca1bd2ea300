"""The coverage pages and API: the next boundary change, and areas that cannot be covered."""

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from signals.models import CoverageArea
from tests.support.admin_pages import NATIONAL, area_of, bea, id_of
from tests.support.desk_side import AMSTERDAM, GRONINGEN, Desk
from tests.support.officer_pages import browser, send

LONG_AGO, MERGER = date(2024, 1, 1), date(2027, 1, 1)


@pytest.fixture
def wijdemeren(desk: Desk) -> str:
    """The team of a municipality that ends on 1 January 2027, with a postcode area that does not."""
    team = id_of(desk, GRONINGEN)
    rows = [("municipality", "GM1696", MERGER), ("pc4", "1231", None)]
    with Session(desk.engine) as session:
        session.add_all(
            CoverageArea(
                organisation_id=UUID(team), level=level, area=area, valid_from=LONG_AGO, valid_until=until
            )
            for level, area, until in rows
        )
        session.commit()
    return team


def test_the_check_says_from_whom_to_whom_the_next_change_moves_postcodes(
    desk: Desk, wijdemeren: str
) -> None:
    found = bea(desk, "GET", "/coverage/check?on=2026-11-24").get_json()["next_change"]
    [move] = found["moves"]
    told = {(one["before"]["name"], one["after"]["name"]): one["areas"] for one in move["handovers"]}
    assert told == {(GRONINGEN, NATIONAL): ["1232-1244", "1394", "3625"], (GRONINGEN, GRONINGEN): ["1231"]}
    [outliving] = found["outliving"]
    assert (outliving["kind"], outliving["area"]) == ("outlives_municipality", "1231")
    assert outliving["organisations"] == [{"id": wijdemeren, "name": GRONINGEN}]


@pytest.mark.parametrize("on", ["2027-01-01", "2027-02-10"])
def test_after_the_change_the_check_names_what_outlived_it(desk: Desk, wijdemeren: str, on: str) -> None:
    problems = bea(desk, "GET", f"/coverage/check?on={on}").get_json()["problems"]
    found = [
        (one["area"], one["organisations"]) for one in problems if one["kind"] == "outlives_municipality"
    ]
    assert found == [("1231", [{"id": wijdemeren, "name": GRONINGEN}])]


@pytest.mark.usefixtures("wijdemeren")
def test_the_page_says_so_in_words(desk: Desk) -> None:
    bea = browser(desk, "bea")
    page = bea.get("/admin/coverage?on=2026-11-24").text
    assert f"1232-1244, 1394, 3625: {GRONINGEN} ontvangt tot die dag, {NATIONAL} vanaf die dag" in page
    assert f"1231: {GRONINGEN} ontvangt, ervoor en erna" in page
    assert "Deze gebieden lopen daarna door" in page
    later = bea.get("/admin/coverage?on=2027-02-10").text
    assert "Loopt door, terwijl de gemeente niet meer van dit team is" in later


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"level": "pc6", "area": "1234SS"}, "area", "deze letters"),
        ({"valid_from": "0001-01-01"}, "valid_from", "2000"),
        ({"valid_from": "1999-12-31"}, "valid_from", "2000"),
    ],
)
def test_letters_and_days_that_cannot_be_are_refused_by_field(
    desk: Desk, wrong: dict[str, str], field: str, says: str
) -> None:
    refused = area_of(desk, id_of(desk, AMSTERDAM), **wrong)
    assert refused.status_code == 400
    [problem] = refused.get_json()["errors"]
    assert problem["field"] == field
    assert says in problem["message"]


def test_the_form_says_of_a_day_that_cannot_be_what_can(desk: Desk) -> None:
    path = f"/admin/organisations/{id_of(desk, AMSTERDAM)}"
    area = {"level": "pc4", "area": "3511", "valid_from": "1999-12-31"}
    status, page = send(browser(desk, "bea"), f"{path}/coverage", page=path, **area)
    assert status == 400
    assert "Kies 1 januari 2000 of een latere dag." in page
