"""Test forms of the team that arrive twice, because somebody pressed the button twice."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.models import Absence
from signals.vocabulary import AuditAction
from tests.support.desk_side import Desk
from tests.support.pages import Browser, hidden_value, words

PARTS = {
    "norms": {
        "claim_working_days": "2",
        "contact_working_days": "3",
        "conclude_calendar_days": "42",
        "minimum_attempts": "4",
        "retry_working_days": "2,4",
    },
    "hours": {"opens_at": "8", "quiet_from": "0", "quiet_until": "7", "day_1": "1", "day_3": "1"},
    "escalation": {"escalation_working_days": "2", "deputy_email": "lies@example.org"},
    "contact": {"contact_phone": "020 1234567"},
}


def twice(who: Browser, page: str, to: str, **fields: str) -> list[TestResponse]:
    """Send one form of one page twice."""
    shown = who.get(page).text
    hidden = {"csrf_token": hidden_value(shown, "csrf_token")}
    if 'name="version"' in shown:
        hidden["version"] = hidden_value(shown, "version")
    return [who.client.post(to, data=hidden | fields) for _ in range(2)]


@pytest.mark.parametrize("part", PARTS)
def test_settings_that_are_sent_twice_are_saved_once(desk: Desk, part: str) -> None:
    answers = twice(Browser(desk, "lena"), "/desk/settings", f"/desk/settings/{part}", **PARTS[part])
    assert [answer.location for answer in answers] == [f"/desk/settings?done={part}#{part}"] * 2
    assert len(desk.entries(AuditAction.ORGANISATION_CHANGED)) == 1


def test_settings_of_an_outdated_page_are_still_refused(desk: Desk) -> None:
    lena = Browser(desk, "lena")
    old = lena.get("/desk/settings").text
    hidden = {name: hidden_value(old, name) for name in ("csrf_token", "version")}
    assert lena.client.post("/desk/settings/hours", data=hidden | PARTS["hours"]).status_code == 303
    other = lena.client.post("/desk/settings/hours", data=hidden | PARTS["hours"] | {"opens_at": "9"})
    assert other.status_code == 412
    assert "Changed by somebody else in the meantime" in words(other)


def test_an_absence_that_is_sent_twice_is_stored_once(desk: Desk) -> None:
    fields = {"away_from": "2026-12-01", "away_until": "2026-12-04"}
    answers = twice(Browser(desk, "anna"), "/desk/absence", "/desk/absence", **fields)
    assert [answer.location for answer in answers] == ["/desk/absence?done=alone"] * 2
    with Session(desk.engine) as session:
        assert session.scalar(select(func.count()).select_from(Absence)) == 1
