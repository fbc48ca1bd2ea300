"""Test the page, the button and the API of the day's limit."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from signals.models.area_day import MOST_RAISES
from signals.vocabulary import AuditAction
from tests.support.chance import without_chance
from tests.support.desk_side import AMSTERDAM, GRONINGEN, Desk
from tests.support.limits import near_the_limit, raises
from tests.support.pages import hidden_value, sign_in, words

SETTING = 500
UNREAD = "Nobody opened 1 report of this day"


def press(browser: FlaskClient, area_day_id: UUID, **changed: str) -> Any:
    """Press the button as the page offers it."""
    page = browser.get(f"/desk/limits/{area_day_id}").text
    fields = {
        name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("csrf_token", "version")
    }
    return browser.post(f"/desk/limits/{area_day_id}", data=fields | changed)


@pytest.fixture
def lena(desk: Desk) -> FlaskClient:
    return sign_in(desk, "lena")


@pytest.mark.parametrize("who", ["lena", "bea"])
def test_one_button_raises_the_limit_for_today_and_says_so(desk: Desk, who: str) -> None:
    near, browser = near_the_limit(desk), sign_in(desk, who)
    answer = press(browser, near)
    assert answer.status_code == 303
    assert "1000" in browser.get(answer.headers["Location"]).text
    assert 'role="status"' in browser.get(answer.headers["Location"]).text
    assert raises(desk, near) == 1
    (entry,) = desk.entries(AuditAction.ORGANISATION_CHANGED)
    assert entry.ground == "limit_raised:1"


def test_following_the_link_changes_nothing(desk: Desk, lena: FlaskClient) -> None:
    near = near_the_limit(desk)
    assert lena.get(f"/desk/limits/{near}").status_code == 200
    assert raises(desk, near) == 0


def test_the_button_pressed_twice_raises_once(desk: Desk, lena: FlaskClient) -> None:
    near = near_the_limit(desk)
    press(lena, near)
    assert press(lena, near, version="0").status_code == 303
    assert raises(desk, near) == 1


def test_after_the_last_raise_the_page_has_no_button(desk: Desk, lena: FlaskClient) -> None:
    near = near_the_limit(desk, raises=MOST_RAISES)
    assert 'action="/desk/limits' not in lena.get(f"/desk/limits/{near}").text
    token = lena.get("/desk/team").text.split('name="csrf_token" value="')[1].split('"')[0]
    answer = lena.post(f"/desk/limits/{near}", data={"csrf_token": token})
    assert (answer.status_code, raises(desk, near)) == (409, MOST_RAISES)
    assert 'role="alert"' in answer.text


def test_the_page_of_an_earlier_day_says_nothing_of_today(desk: Desk) -> None:
    near = near_the_limit(desk, notified_percent=100)
    assert "new reports are refused" in words(sign_in(desk, "lena").get(f"/desk/limits/{near}"))
    desk.clock.moment += timedelta(days=1)
    page = words(sign_in(desk, "lena").get(f"/desk/limits/{near}"))
    assert "Is this misuse?" in page
    assert not any(said in page for said in ("refused", "Are these real reports?", "Tomorrow"))


@pytest.mark.parametrize("who", ["lena", "bea"])
def test_the_page_tells_an_administrator_no_number_of_reports_and_nobody_an_address(
    desk: Desk, who: str
) -> None:
    desk.arrive()
    page = sign_in(desk, who).get(f"/desk/limits/{near_the_limit(desk)}")
    assert "1012" not in without_chance(page.text)
    said = words(page).replace(UNREAD, "").split()
    assert {word for word in said if word.isdigit()} <= {"500", "1000", "24", "2026"}


# Programs


def test_a_lead_lists_the_own_day_and_an_administrator_all(desk: Desk) -> None:
    mine = near_the_limit(desk)
    near_the_limit(desk, GRONINGEN, notified_percent=100)
    (found,) = desk.call("lena", "GET", "/limits").get_json()["items"]
    assert found == {
        "id": str(mine),
        "organisation": {"id": found["organisation"]["id"], "name": AMSTERDAM},
        "day": "2026-11-24",
        "told_percent": 80,
        "limit": SETTING,
        "next_limit": 2 * SETTING,
        "version": 0,
    }
    assert len(desk.call("bea", "GET", "/limits").get_json()["items"]) == 2


def test_a_program_raises_it_and_a_stale_version_is_412(desk: Desk) -> None:
    path = f"/limits/{near_the_limit(desk)}/raise"
    raised = desk.call("bea", "POST", path, headers={"If-Match": '"0"'})
    assert (raised.status_code, raised.get_json()["limit"], raised.get_json()["version"]) == (
        200,
        2 * SETTING,
        1,
    )
    assert desk.call("bea", "POST", path, headers={"If-Match": '"0"'}).status_code == 412
    assert desk.call("bea", "POST", path).status_code == 200


def test_a_lead_sets_a_flood_aside_and_brings_it_back_by_one_click_each(
    desk: Desk, lena: FlaskClient
) -> None:
    desk.arrive()
    path = f"/desk/limits/{near_the_limit(desk)}"
    assert UNREAD in lena.get(path).text
    for step, done in (("set-aside", "are set aside"), ("bring-back", "back in the queue")):
        page = lena.get(path).text
        answer = lena.post(f"{path}/{step}", data={"csrf_token": hidden_value(page, "csrf_token")})
        assert done in words(lena.get(answer.headers["Location"]))
        assert ("1 report is set aside" if step == "set-aside" else UNREAD) in lena.get(path).text


def test_the_queue_leads_a_lead_to_such_a_day_for_a_week(desk: Desk, lena: FlaskClient) -> None:
    path = f"/desk/limits/{near_the_limit(desk)}"
    assert path in lena.get("/desk").text
    assert path not in sign_in(desk, "anna").get("/desk").text
    desk.clock.moment += timedelta(days=8)
    assert path not in sign_in(desk, "lena").get("/desk").text


@pytest.mark.parametrize("who", ["bea", "anna"])
@pytest.mark.parametrize("step", ["set-aside", "bring-back"])
def test_nobody_else_is_offered_or_allowed_it(desk: Desk, who: str, step: str) -> None:
    path, browser = f"/desk/limits/{near_the_limit(desk)}", sign_in(desk, who)
    assert step not in browser.get(path).text
    form = {"csrf_token": hidden_value(browser.get("/desk/account").text, "csrf_token")}
    assert browser.post(f"{path}/{step}", data=form).status_code == 403
