"""Test the search for a resident who calls back; the address of its result tells nothing."""

import re
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.models import AddressLink, Signal
from signals.vocabulary import AuditAction
from signals.web.desk.search_pages import SHOWN_FOR
from tests.support.desk_side import GRONINGEN, Desk
from tests.support.pages import Browser, words
from tests.support.team_work import id_of, organisation_of, post, signal_of

PLACE = {"by": "address", "postcode": "1012AB", "house_number": "12"}
OVER = "Wat een zoekopdracht vond, is een half uur te zien voor wie zocht. Zoek opnieuw."


@pytest.fixture
def anna(desk: Desk) -> Browser:
    return Browser(desk, "anna")


def found_at(who: Browser, **values: Any) -> str:
    """Return the address of a search's result."""
    answer = post(who, "/desk/search", **values)
    assert answer.status_code == 303, words(answer)
    return str(answer.location)


def find(who: Browser, **values: Any) -> TestResponse:
    """Return the page of a search's result."""
    page = who.get(found_at(who, **values))
    assert page.status_code == 200
    return page


def searches(desk: Desk) -> list[tuple[str, UUID | None, str]]:
    """Return the audit entries of searches, as (ground, subject, outcome)."""
    found = [(entry.ground, entry.subject_id, entry.outcome) for entry in desk.entries(AuditAction.SEARCHED)]
    return sorted(found, key=lambda entry: entry[2] == "found")  # of one moment, in no order


@pytest.mark.parametrize("read", ["K0P1QX2M", "k0p1 qx2m", "KOPL-QX2M", "K0P1\N{EN DASH}QX2M", " k0p1-qx2m "])
def test_a_signal_is_found_by_its_reference_as_people_read_it_out(
    desk: Desk, anna: Browser, read: str
) -> None:
    signal_id = desk.arrive()
    with Session(desk.engine) as session, session.begin():
        session.get_one(Signal, signal_id).reference = "K0P1-QX2M"
    page = find(anna, by="reference", reference=read)
    assert f'href="/desk/signals/{signal_id}"' in page.text


def test_the_search_says_when_deleted_signals_of_an_address_came_in(desk: Desk, anna: Browser) -> None:
    desk.arrive()
    purge(desk)
    page = words(post(anna, "/desk/search", **PLACE))
    assert "Wat binnenkwam op di 24 nov 2026 is verwijderd." in page
    assert "Bewaard blijft alleen dat er toen iets binnenkwam" in page
    assert "het leesbare adres zijn weg" not in page
    signal_id = desk.arrive()
    page = words(find(anna, **PLACE))
    assert "1 signaal gevonden" in page
    assert "Wat binnenkwam op di 24 nov 2026 is verwijderd." in page
    found = desk.call("anna", "POST", "/search", json={"postcode": "1012AB", "house_number": 12}).get_json()
    assert [item["id"] for item in found["items"]] == [str(signal_id)]
    assert (found["deleted_received_on"], found["deleted_on"], found["more"]) == (["2026-11-24"], None, False)
    elsewhere = desk.call("gerda", "POST", "/search", json={"postcode": "1012AB", "house_number": 12})
    assert elsewhere.get_json()["deleted_received_on"] == []


def purge(desk: Desk) -> None:
    """Delete the signals as the nightly run does; their links stay."""
    with Session(desk.engine) as session, session.begin():
        session.execute(update(AddressLink).values(signal_id=None))
        session.execute(delete(Signal))


def test_a_signal_is_found_by_address_and_the_address_is_in_no_link(desk: Desk, anna: Browser) -> None:
    signal_id = desk.arrive()
    page = find(anna, by="address", postcode="1012 ab", house_number="12")
    assert f'href="/desk/signals/{signal_id}"' in page.text
    assert "1012 AB" not in page.text
    assert "1012AB" not in page.text
    assert re.fullmatch(r"/desk/search\?found=[A-Za-z0-9_-]+", page.request.full_path)
    assert searches(desk) == [("address", None, "ok"), ("address", signal_id, "found")]


def test_another_teams_signal_is_not_found(desk: Desk) -> None:
    reference = signal_of(desk, desk.arrive()).reference
    page = post(Browser(desk, "gerda"), "/desk/search", by="reference", reference=reference)
    assert "Niets gevonden." in words(page)
    assert reference not in re.findall(r">([^<]+)</a>", page.text)


def test_the_search_says_when_a_signal_was_referred(desk: Desk, anna: Browser) -> None:
    signal_id = desk.arrive()
    reference = signal_of(desk, signal_id).reference
    body = {"organisation_id": str(organisation_of(desk, GRONINGEN)), "reason": "moved"}
    assert desk.call("anna", "POST", f"/signals/{signal_id}/refer", json=body).status_code == 200
    page = words(post(anna, "/desk/search", by="reference", reference=reference))
    assert "Overgedragen op di 24 nov 2026." in page


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"by": "reference", "reference": " "}, "by-reference-reference"),
        ({"by": "reference", "reference": "9" * 21}, "by-reference-reference"),
        ({"by": "address", "postcode": "1012AB", "house_number": ""}, "by-address-house_number"),
        ({"by": "address", "postcode": "0000", "house_number": "12"}, "by-address-postcode"),
        ({"by": "nonsense"}, "by-reference-reference"),
    ],
)
def test_a_refused_search_keeps_the_typed_text_and_leaves_no_entry(
    desk: Desk, anna: Browser, values: dict[str, str], wrong: str
) -> None:
    page = post(anna, "/desk/search", **values)
    assert page.status_code == 400
    assert f'id="{wrong}-wrong"' in page.text
    assert desk.entries(AuditAction.SEARCHED) == []


def test_the_address_of_a_result_holds_nothing_to_read(desk: Desk, anna: Browser) -> None:
    signal_id = desk.arrive()
    token = found_at(anna, **PLACE).partition("=")[2]
    inside = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for told in (
        b"1012AB",
        signal_id.bytes,
        signal_id.hex.encode(),
        signal_of(desk, signal_id).reference.encode(),
    ):
        assert told not in inside
    assert token != found_at(anna, **PLACE).partition("=")[2]


def test_returning_to_a_result_is_no_search_and_shows_the_present_claimant(desk: Desk, anna: Browser) -> None:
    signal_id = desk.arrive()
    there = found_at(anna, **PLACE)
    assert "nog niemand heeft het" in words(anna.get(there))
    with Session(desk.engine) as session, session.begin():
        session.execute(update(Signal).values(claimed_by_id=id_of(desk, "bram")))
    assert "Bram Voorbeeld" in words(anna.get(there))
    assert searches(desk) == [("address", None, "ok"), ("address", signal_id, "found")]
    assert desk.entries(AuditAction.SIGNAL_OPENED) == []
    assert signal_id == signal_of(desk, signal_id).id


@pytest.mark.parametrize("who", ["anna", "bram", "gerda"])
def test_no_other_session_sees_the_result_of_a_search(desk: Desk, anna: Browser, who: str) -> None:
    desk.arrive()
    there = found_at(anna, **PLACE)
    elsewhere = Browser(desk, who).get(there)
    assert elsewhere.status_code == 410
    assert OVER in words(elsewhere)
    assert "gevonden" not in elsewhere.text


@pytest.mark.parametrize("made_up", ["", "x", "é", "A" * 400])
def test_a_made_up_address_finds_nothing(anna: Browser, made_up: str) -> None:
    assert OVER in words(anna.get(f"/desk/search?found={made_up}"))


def test_after_half_an_hour_one_searches_again(desk: Desk, anna: Browser) -> None:
    desk.arrive()
    there = found_at(anna, **PLACE)
    desk.clock.moment += SHOWN_FOR - timedelta(seconds=1)
    assert anna.get(there).status_code == 200
    desk.clock.moment += timedelta(seconds=2)
    assert anna.get(there).status_code == 410


def test_the_cookie_of_the_session_holds_nothing_of_a_search(desk: Desk, anna: Browser) -> None:
    desk.arrive()
    answer = post(anna, "/desk/search", **PLACE)
    assert answer.headers.getlist("Set-Cookie") == []
