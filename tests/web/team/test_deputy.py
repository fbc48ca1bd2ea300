"""Test that a deputy is notified of missed deadlines after confirming."""

from datetime import date

import pytest
from sqlalchemy import update

from signals.db import session_factory
from signals.models import Organisation
from signals.vocabulary import AuditAction
from tests.support.desk_side import AMSTERDAM, Desk
from tests.support.pages import Browser, words
from tests.support.team_pages import asked, post, problems, recipients_of, team_of
from tests.support.team_work import organisation_of


@pytest.fixture
def lena(desk: Desk) -> Browser:
    return Browser(desk, "lena")


@pytest.fixture
def path(desk: Desk) -> str:
    """Return the path of the settings of Lena's team."""
    return f"/organisations/{organisation_of(desk, AMSTERDAM)}/settings"


def deputy(desk: Desk) -> tuple[str | None, date | None]:
    team = team_of(desk)
    return team.deputy_email, team.deputy_verified_on


def confirm_deputy(desk: Desk) -> None:
    with session_factory(desk.engine).begin() as session:
        named = Organisation.deputy_email.is_not(None)
        session.execute(update(Organisation).where(named).values(deputy_verified_on=date(2026, 11, 24)))


def test_a_new_deputy_is_asked_and_another_address_begins_anew(desk: Desk, path: str) -> None:
    body = desk.call("lena", "PATCH", path, json={"deputy_email": "lies@example.org"}).get_json()
    assert body["deputy_verified_on"] is None
    assert asked(desk) == ["lies@example.org"]
    confirm_deputy(desk)
    same = {"deputy_email": " Lies@example.org ", "opens_at": 8}
    body = desk.call("lena", "PATCH", path, json=same).get_json()
    assert (body["deputy_email"], body["deputy_verified_on"]) == ("lies@example.org", "2026-11-24")
    desk.call("lena", "PATCH", path, json={"deputy_email": "karim@example.org"})
    assert deputy(desk) == ("karim@example.org", None)
    assert asked(desk) == ["karim@example.org"]
    desk.call("lena", "PATCH", path, json={"deputy_email": "lies@example.org"})
    assert deputy(desk) == ("lies@example.org", None)
    assert asked(desk) == ["lies@example.org"]  # again, because nobody knows where the first link is
    desk.call("lena", "PATCH", path, json={"deputy_email": None})
    assert (deputy(desk), asked(desk)) == ((None, None), [])


@pytest.mark.parametrize("who", ["lena", "bea"])
def test_a_deputy_without_the_link_gets_a_new_one(desk: Desk, path: str, who: str) -> None:
    desk.call("lena", "PATCH", path, json={"deputy_email": "lies@example.org"})
    assert (asked(desk), asked(desk)) == (["lies@example.org"], [])
    again = {"json": {"address": "lies@example.org"}}
    assert desk.call(who, "POST", f"{path}/ask-again", **again).status_code == 202
    assert asked(desk) == ["lies@example.org"]
    grounds = [entry.ground for entry in desk.entries(AuditAction.ORGANISATION_CHANGED)]
    assert sorted(grounds) == ["deputy_asked_again", "settings:deputy_email"]
    confirm_deputy(desk)
    answer = desk.call(who, "POST", f"{path}/ask-again", **again)
    assert problems(answer) == {"address": "nothing_to_confirm"}


def test_a_recipient_and_deputy_confirms_for_both(desk: Desk, path: str) -> None:
    lies = {"address": "lies@example.org"}
    wanted = {"recipients": [*recipients_of(desk, path), lies], "deputy_email": "lies@example.org"}
    assert desk.call("lena", "PATCH", path, json=wanted).status_code == 200
    assert asked(desk) == ["lies@example.org"] * 2
    desk.call("lena", "POST", f"{path}/ask-again", json=lies)
    assert asked(desk) == ["lies@example.org"] * 2


def test_the_page_says_that_the_deputy_has_not_confirmed_and_asks_again(desk: Desk, lena: Browser) -> None:
    waits = "The deputy has not confirmed yet."
    assert waits not in words(lena.get("/desk/settings"))
    values = {"escalation_working_days": "1", "deputy_email": "lies@example.org"}
    post(lena, "/desk/settings", "/desk/settings/escalation", **values)
    page = lena.get("/desk/settings")
    assert waits in words(page)
    assert page.text.count('action="/desk/settings/deputy-asked-again"') == 1
    assert asked(desk) == ["lies@example.org"]
    to = "/desk/settings/deputy-asked-again"
    answer = post(lena, "/desk/settings", to, address="lies@example.org")
    assert answer.headers["Location"] == "/desk/settings?done=deputy-asked-again#escalation"
    assert asked(desk) == ["lies@example.org"]
    confirm_deputy(desk)
    page = lena.get("/desk/settings")
    assert waits not in words(page)
    assert "Confirmed on Tue 24 Nov 2026." in words(page)
