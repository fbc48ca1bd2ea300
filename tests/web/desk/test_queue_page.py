"""Test the queue's page beside its list: news, ended sessions, statements."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from signals.models import Organisation, StaffMember, StaffSession
from tests.support.desk_side import Desk
from tests.support.pages import Browser

HTMX = {"HX-Request": "true"}


@pytest.fixture
def anna(desk: Desk) -> Browser:
    return Browser(desk, "anna")


def test_an_empty_queue_promises_signals_only_to_a_team_that_receives_them(desk: Desk, anna: Browser) -> None:
    assert "Het kanaal werkt." in anna.get("/desk").text
    with Session(desk.engine) as session, session.begin():
        for team in session.scalars(select(Organisation)):
            team.suspended_from = desk.clock.now().date()
    assert "Uw team ontvangt nu geen signalen." in anna.get("/desk").text


def test_the_poll_tells_how_many_came_in_since_the_page_was_shown(desk: Desk, anna: Browser) -> None:
    desk.arrive(number=1)
    poll = _poll_of(anna)
    assert anna.get(poll).status_code == 204
    desk.arrive(number=2)
    desk.arrive(number=3)
    answer = anna.get(poll)
    assert answer.status_code == 200
    assert "2 nieuwe signalen, <a" in answer.text
    assert anna.get(f"{poll}&said=2").status_code == 204


def test_a_signal_that_a_colleague_claims_is_no_news_and_takes_none_away(desk: Desk, anna: Browser) -> None:
    first = desk.arrive(number=1)
    poll = _poll_of(anna)
    Browser(desk, "bram").send(first, "claim")
    desk.arrive(number=2)
    assert "1 nieuw signaal" in anna.get(poll).text


@pytest.mark.parametrize("asked", ["", "since=x", "since=2026-11-10&known=-1", "since=2026-11-10&said=a"])
def test_a_poll_that_makes_no_sense_is_refused(anna: Browser, asked: str) -> None:
    assert anna.get(f"/desk/news?{asked}").status_code == 400


def test_a_poll_is_no_activity_and_a_page_is(desk: Desk, anna: Browser) -> None:
    poll, seen = _poll_of(anna), _last_seen(desk)
    desk.clock.moment += timedelta(minutes=5)
    anna.get(poll)
    assert _last_seen(desk) == seen
    anna.get("/desk")
    assert _last_seen(desk) == desk.clock.now()


def test_polling_stops_with_the_session_and_says_where_to_sign_in(desk: Desk, anna: Browser) -> None:
    poll = _poll_of(anna)
    desk.clock.moment += timedelta(minutes=desk.settings.sessions.idle_minutes)
    answer = anna.client.get(poll, headers=HTMX)
    assert answer.status_code == 286  # by which htmx stops
    assert 'href="/desk/sign-in?next=/desk"' in answer.text


def test_a_filter_of_an_ended_session_goes_to_the_form_as_a_whole_page(desk: Desk, anna: Browser) -> None:
    desk.clock.moment += timedelta(minutes=desk.settings.sessions.idle_minutes)
    answer = anna.client.get("/desk?mine=1", headers=HTMX)
    assert (answer.status_code, answer.data) == (401, b"")
    assert answer.headers["HX-Redirect"] == "/desk/sign-in?next=/desk?mine%3D1"


def test_the_queue_asks_the_database_as_often_for_many_as_for_few(desk: Desk, anna: Browser) -> None:
    desk.arrive(number=1)
    with _counted(desk) as few:
        anna.get("/desk")
    for number in range(2, 9):
        desk.arrive(number=number)
    with _counted(desk) as many:
        anna.get("/desk")
    assert len(few) == len(many)
    assert len(many) < 15


def _poll_of(browser: Browser) -> str:
    found = re.search(r'hx-get="(/desk/news\?[^"]*)"', browser.get("/desk").text)
    assert found is not None
    return unescape(found[1])


def _last_seen(desk: Desk) -> Any:
    query = (
        select(StaffSession.last_seen_at)
        .join(StaffMember)
        .where(StaffMember.email == "anna@example.org", StaffSession.kind == "page")
    )
    with Session(desk.engine) as session:
        return session.scalars(query).one()


@contextmanager
def _counted(desk: Desk) -> Iterator[list[str]]:
    """Collect the statements that run meanwhile."""
    statements: list[str] = []

    def heard(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    event.listen(desk.engine, "before_cursor_execute", heard)
    try:
        yield statements
    finally:
        event.remove(desk.engine, "before_cursor_execute", heard)
