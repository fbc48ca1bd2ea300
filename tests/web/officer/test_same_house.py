"""An officer's search at a house with several spellings of its additions, and the register entries."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.models import RegisterEntry, Signal
from tests.support.desk_side import Desk
from tests.support.officer_pages import ask, browser, refer_to_groningen, send

HOUSE: dict[str, Any] = {"postcode": "1012AB", "house_number": 12}
PROOF: dict[str, Any] = {"identity": "digid", "residence": "brp", "third_parties": True}
NO_OTHERS = {"signals": 0, "earlier": 0}
NOTHING = "Zeg dat tegen wie het vraagt"
NOT_YET = "Zeg nog niet dat u niets bewaart"
WHOSE = "Een signaal zonder toevoeging kan over elke woning"


def search(desk: Desk, addition: str = "", who: str = "fleur") -> dict[str, Any]:
    answer: dict[str, Any] = ask(desk, "search", who=who, **HOUSE, house_number_addition=addition).get_json()
    return answer


def page_of(desk: Desk, addition: str = "") -> str:
    fields = {"postcode": "1012AB", "house_number": "12", "house_number_addition": addition}
    return send(browser(desk, "fleur"), "/desk/officer/residents", **fields)[1]


def references(desk: Desk) -> set[str]:
    with Session(desk.engine) as session:
        return set(session.scalars(select(Signal.reference)))


def entries(desk: Desk) -> list[tuple[str, str, int]]:
    with Session(desk.engine) as session:
        found = session.scalars(select(RegisterEntry))
        return [(entry.right, entry.outcome, entry.signals_found) for entry in found]


@pytest.mark.parametrize(("kept", "asked"), [("2", "II"), ("", "A"), ("A", ""), ("H", "huis")])
def test_a_signal_of_the_same_house_is_counted_and_not_shown(desk: Desk, kept: str, asked: str) -> None:
    desk.arrive(house_number_addition=kept)
    found, page = search(desk, asked), page_of(desk, asked)
    assert (found["signals"], found["other_additions"]) == ([], {"signals": 1, "earlier": 0})
    assert NOT_YET in page
    assert NOTHING not in page
    assert not any(reference in page + str(found) for reference in references(desk))


def test_only_where_the_house_has_nothing_may_an_officer_say_so(desk: Desk) -> None:
    desk.arrive(number=14)
    assert search(desk)["other_additions"] == NO_OTHERS
    page = page_of(desk)
    assert NOTHING in page
    assert NOT_YET not in page


def test_a_deleted_or_referred_signal_of_another_addition_counts_as_earlier(desk: Desk) -> None:
    deleted = desk.arrive(house_number_addition="A")
    refer_to_groningen(desk, desk.arrive(house_number_addition="B"))
    with Session(desk.engine) as session, session.begin():
        session.delete(session.get_one(Signal, deleted))
    assert search(desk)["other_additions"] == {"signals": 0, "earlier": 2}
    assert NOT_YET in page_of(desk)


def test_the_page_asks_the_officer_to_find_out_the_owner_of_a_signal_without_addition(desk: Desk) -> None:
    desk.arrive(house_number_addition="A")
    assert WHOSE not in page_of(desk, "A")
    desk.arrive()
    assert WHOSE in page_of(desk)


def test_an_erasure_at_a_receiver_is_entered_with_what_was_erased_there(desk: Desk) -> None:
    refer_to_groningen(desk, desk.arrive())
    ask(desk, "erase", **HOUSE, **PROOF)
    assert entries(desk) == [("erasure", "erased", 1)]


@pytest.mark.parametrize(("what", "right"), [("erase", "erasure"), ("export", "access")])
def test_the_register_notes_that_nothing_was_found(desk: Desk, what: str, right: str) -> None:
    assert ask(desk, what, **HOUSE, **PROOF).status_code == 200
    assert entries(desk) == [(right, "nothing_found", 0)]
    assert "niets gevonden" in browser(desk, "fleur").get("/desk/officer/register").text


def register(desk: Desk, query: str = "") -> TestResponse:
    return desk.call("fleur", "GET", f"/residents/register{query}")


@pytest.fixture
def five_entries(desk: Desk) -> None:
    for number in range(1, 6):
        ask(desk, "export", postcode="1012AB", house_number=number, **PROOF)


@pytest.mark.usefixtures("five_entries")
def test_the_register_is_read_page_by_page_without_gap_or_double(desk: Desk) -> None:
    seen: list[UUID] = []
    query = "?limit=2"
    while query:
        page = register(desk, query).get_json()
        seen += [item["id"] for item in page["items"]]
        query = f"?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.usefixtures("five_entries")
def test_the_page_of_the_register_leads_to_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signals.web.officer.pages.PAGE_SIZE", 3)
    fleur, rows, path = browser(desk, "fleur"), 0, "/desk/officer/register"
    while path:
        page = fleur.get(path).text
        rows += page.count('<th scope="row">')
        path = page.partition('class="pages"')[2].partition('href="')[2].partition('"')[0]
    assert rows == 5


@pytest.mark.parametrize("basis", [" " * 12, "  Wet 1  ", "\u00a0" * 20])
def test_spaces_are_no_ground_for_a_period(desk: Desk, basis: str) -> None:
    body = {"rule": "concluded", "days": 14, "legal_basis": basis}
    refused = desk.call("fleur", "PUT", "/retention/periods", json=body)
    assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (400, "legal_basis")
    fields = {name: str(value) for name, value in body.items()}
    assert send(browser(desk, "fleur"), "/desk/officer/retention", **fields)[0] == 400
