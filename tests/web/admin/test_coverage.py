"""The coverage pages and API: the next boundary change, and areas that cannot be covered."""

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from tests.factories import CoverageAreaFactory
from tests.support.admin_pages import NATIONAL, area_of, bea, id_of
from tests.support.desk_side import AMSTERDAM, GRONINGEN, Desk

LONG_AGO, MERGER = date(2024, 1, 1), date(2027, 1, 1)


@pytest.fixture
def wijdemeren(desk: Desk) -> str:
    """The team of a municipality that ends on 1 January 2027, with a postcode area that does not."""
    team = id_of(desk, GRONINGEN)
    rows = [("municipality", "GM1696", MERGER), ("pc4", "1231", None)]
    with Session(desk.engine) as session:
        session.add_all(
            CoverageAreaFactory.build(organisation_id=UUID(team), level=level, area=area, valid_until=until)
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
