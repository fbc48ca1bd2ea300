"""Attack with one account that reads on and on: it stops, others hear of it, and only they let it go on."""

import re
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.models import OutboxMessage
from signals.settings import Settings
from signals.vocabulary import AuditAction
from tests.support.both_databases import BOTH
from tests.support.desk_side import Desk
from tests.support.desk_side import desk_settings as usual_settings
from tests.support.pages import Browser, words

__all__ = ["usual_settings"]

pytestmark = BOTH
LIMIT = 3


@pytest.fixture
def desk_settings(usual_settings: Settings) -> Settings:
    return replace(usual_settings, limits=replace(usual_settings.limits, openings_per_hour=LIMIT))


@pytest.fixture
def ids(desk: Desk) -> list[UUID]:
    """Return more signals than anybody may open in an hour."""
    return [desk.arrive(number=number) for number in range(1, LIMIT * 2 + 1)]


def opened(desk: Desk, signal_id: UUID, who: str = "anna") -> int:
    return desk.call(who, "GET", f"/signals/{signal_id}").status_code


def read_on(desk: Desk, ids: list[UUID]) -> None:
    assert [opened(desk, one) for one in ids[: LIMIT + 2]] == [200] * LIMIT + [403, 403]


def mails(desk: Desk) -> list[str]:
    with Session(desk.engine) as session:
        query = select(OutboxMessage.recipient).where(OutboxMessage.event == "openings_stopped")
        return sorted(session.scalars(query))


def grounds(desk: Desk) -> list[str]:
    return [entry.ground for entry in desk.entries(AuditAction.STAFF_CHANGED) if "openings" in entry.ground]


def let_go_on(browser: Browser, desk: Desk) -> int:
    """Press the button; somebody without it sends what it would send."""
    stops = desk.entries(AuditAction.STAFF_CHANGED)
    staff_id = next(entry.subject_id for entry in stops if entry.ground == "openings_stopped")
    pages = browser.get("/desk/approvals").text + browser.get("/desk").text
    found = re.search(r'name="csrf_token" value="([^"]*)"', pages)
    form = {"csrf_token": found[1] if found else ""}
    return browser.client.post(f"/desk/approvals/accounts/{staff_id}", data=form).status_code


def test_an_account_stops_after_the_limit_and_lead_and_officer_hear_of_it_once(
    desk: Desk, ids: list[UUID]
) -> None:
    read_on(desk, ids)
    assert mails(desk) == sorted(desk.people[who].email for who in ("fleur", "lena"))
    assert grounds(desk) == ["openings_stopped"]
    assert len(desk.entries(AuditAction.SIGNAL_OPENED)) == LIMIT
    refused = desk.call("anna", "GET", f"/signals/{ids[0]}").get_json()
    assert refused["type"].endswith("openings_stopped")
    assert opened(desk, ids[0], "bram") == 200


def test_time_alone_lets_nobody_go_on(desk: Desk, ids: list[UUID]) -> None:
    read_on(desk, ids)
    desk.clock.moment += timedelta(hours=2)
    assert opened(desk, ids[0]) == 403
    assert desk.call("anna", "POST", f"/signals/{ids[0]}/refer", json={}).status_code in (400, 403)


def test_the_same_signals_again_and_again_are_no_reading_on(desk: Desk, ids: list[UUID]) -> None:
    """A round shows its addresses at every door."""
    assert {opened(desk, one) for one in ids[:LIMIT] * 3} == {200}
    assert opened(desk, ids[LIMIT]) == 403


def test_slow_work_is_not_stopped(desk: Desk, ids: list[UUID]) -> None:
    for one in ids:
        assert opened(desk, one) == 200
        desk.clock.moment += timedelta(minutes=21)


@pytest.mark.parametrize("who", ["lena", "fleur"])
def test_a_lead_or_officer_lets_the_account_go_on(desk: Desk, ids: list[UUID], who: str) -> None:
    read_on(desk, ids)
    colleague = Browser(desk, who)
    assert "Anna" in words(colleague.get("/desk/approvals"))
    assert [let_go_on(colleague, desk) for _ in range(2)] == [303, 303]
    assert sorted(grounds(desk)) == ["openings_resumed", "openings_stopped"]
    desk.clock.moment += timedelta(seconds=1)
    assert [opened(desk, one) for one in ids[: LIMIT + 1]] == [200] * LIMIT + [403]
    assert len(mails(desk)) == 4


def test_nobody_lets_the_own_account_go_on_nor_does_a_worker_or_a_stranger(
    desk: Desk, ids: list[UUID]
) -> None:
    lena = Browser(desk, "lena")
    for one in ids[: LIMIT + 1]:
        lena.get(f"/desk/signals/{one}")
    own = words(lena.get("/desk/approvals"))
    assert "Somebody else has to let your own account go on." in own
    assert [let_go_on(browser, desk) for browser in (lena, Browser(desk, "anna"))] == [403, 403]
    let_go_on(Browser(desk, "floor"), desk)
    assert grounds(desk) == ["openings_stopped"]


def test_the_page_says_who_can_help(desk: Desk, ids: list[UUID]) -> None:
    anna = Browser(desk, "anna")
    for one in ids[:LIMIT]:
        anna.get(f"/desk/signals/{one}")
    page = anna.get(f"/desk/signals/{ids[LIMIT]}")
    assert (page.status_code, "functionaris gegevensbescherming" in words(page)) == (403, True)
    assert anna.get("/desk").status_code == 200
