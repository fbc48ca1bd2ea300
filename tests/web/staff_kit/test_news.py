"""A person who was away for ninety days reads what changed, in at most two lines."""

from datetime import date, timedelta

import pytest

from signals.web.staff_kit import news
from tests.support.desk_side import PASSWORD, Desk
from tests.support.pages import sign_in, words

TODAY = date(2026, 12, 10)
PATH = "/desk"


def test_a_person_who_came_yesterday_or_never_reads_no_news() -> None:
    assert news.with_news(PATH, TODAY - timedelta(days=89), TODAY) == PATH
    assert news.with_news(PATH, None, TODAY) == PATH


def test_a_person_who_was_away_for_ninety_days_reads_two_lines() -> None:
    assert news.with_news(PATH, TODAY - timedelta(days=90), TODAY) == "/desk?news=2"
    assert (
        news.with_news("/desk/team?done=x", TODAY - timedelta(days=90), TODAY) == "/desk/team?done=x&news=2"
    )


def test_only_what_changed_since_the_last_visit_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    last = TODAY - timedelta(days=100)
    monkeypatch.setattr(news, "CHANGES", ((last + timedelta(days=1), "new"), (last, "known")))
    assert news.with_news(PATH, last, TODAY) == "/desk?news=1"
    assert news.with_news(PATH, last + timedelta(days=5), TODAY) == PATH


def test_the_first_page_after_a_long_absence_shows_the_news_and_the_next_does_not(desk: Desk) -> None:
    sign_in(desk, "anna")
    desk.clock.moment += timedelta(days=120)
    browser = desk.app.test_client()
    form = {"email": desk.people["anna"].email, "password": PASSWORD, "totp": desk.code("anna")}
    landed = browser.post("/desk/sign-in", data=form)
    assert landed.location == "/desk?news=2"
    shown = words(browser.get(landed.location))
    assert "Sinds uw laatste bezoek Aanmelden: klik in het veld voor uw adres" in shown
    assert "volgende stap past nu" not in shown
    assert "Sinds uw laatste bezoek" not in words(browser.get("/desk"))


@pytest.mark.parametrize("asked", ["-1", "x", "2026-08-01", ""])
def test_an_address_that_asks_for_no_number_of_lines_shows_none(desk: Desk, asked: str) -> None:
    assert "notice__title" not in sign_in(desk, "anna").get(f"/desk?news={asked}").text
