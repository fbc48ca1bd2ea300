"""Test a team's settings on pages without JavaScript."""

from io import BytesIO

import pytest
from werkzeug.test import TestResponse

from tests.support.desk_side import AMSTERDAM, GRONINGEN, Desk
from tests.support.pages import Browser, hidden_value, words
from tests.support.team_pages import post, team_of
from tests.support.team_work import organisation_of

NORMS = {
    "claim_working_days": "2",
    "contact_working_days": "3",
    "conclude_calendar_days": "42",
    "minimum_attempts": "4",
    "retry_working_days": "1, 3",
}

HOURS = {"opens_at": "8", "quiet_from": "19", "quiet_until": "7", "day_1": "1", "day_3": "1"}


@pytest.fixture
def lena(desk: Desk) -> Browser:
    return Browser(desk, "lena")


def test_a_lead_changes_norms_and_hours_on_the_page(desk: Desk, lena: Browser) -> None:
    answer = post(lena, "/desk/settings", "/desk/settings/norms", **NORMS)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/settings?done=norms#norms")
    assert post(lena, "/desk/settings", "/desk/settings/hours", **HOURS).status_code == 303
    team = team_of(desk)
    assert (team.claim_working_days, team.minimum_attempts, team.conclude_calendar_days) == (2, 4, 42)
    assert team.retry_working_days == "1,3"
    assert (team.opens_at, team.quiet_from, team.quiet_until, team.digest_at) == (8, 19, 7, None)
    assert team.working_days == "13"
    page = lena.get("/desk/settings?done=hours")
    assert "Saved." in words(page)
    assert 'value="42"' in page.text


def test_refused_settings_keep_the_typed_text_beside_the_error(desk: Desk, lena: Browser) -> None:
    answer = post(lena, "/desk/settings", "/desk/settings/norms", **NORMS | {"claim_working_days": "9"})
    assert answer.status_code == 400
    assert 'id="norms-claim_working_days-wrong"' in answer.text
    assert "Choose 1 to 5 working days." in words(answer)
    assert 'value="9"' in answer.text
    assert 'value="42"' in answer.text
    assert team_of(desk).settings_version == 1


@pytest.mark.parametrize("typed", ["drie", "1.5", "", "-1", "9" * 30])
def test_text_in_place_of_a_number_is_refused(desk: Desk, lena: Browser, typed: str) -> None:
    answer = post(lena, "/desk/settings", "/desk/settings/norms", **NORMS | {"minimum_attempts": typed})
    assert answer.status_code == 400
    assert 'id="norms-minimum_attempts-wrong"' in answer.text


@pytest.mark.parametrize("typed", ["", "2,", "0,3", "16", "2;4", "1,1,1,1,1,1"])
def test_days_until_the_next_attempt_are_one_to_five_numbers(desk: Desk, lena: Browser, typed: str) -> None:
    answer = post(lena, "/desk/settings", "/desk/settings/norms", **NORMS | {"retry_working_days": typed})
    assert answer.status_code == 400
    assert 'id="norms-retry_working_days-wrong"' in answer.text
    assert team_of(desk).retry_working_days == "2,4,7"


def test_a_page_that_is_older_than_a_colleagues_change_is_refused(desk: Desk, lena: Browser) -> None:
    old = lena.get("/desk/settings").text
    desk.call(
        "lena", "PATCH", f"/organisations/{organisation_of(desk, AMSTERDAM)}/settings", json={"opens_at": 7}
    )
    hidden = {name: hidden_value(old, name) for name in ("csrf_token", "version")}
    answer = lena.client.post("/desk/settings/norms", data=hidden | NORMS)
    assert answer.status_code == 412
    assert "Read the settings again and repeat your change." in words(answer)
    assert team_of(desk).claim_working_days == 1


def test_recipients_are_added_on_the_page_and_asked_again(desk: Desk, lena: Browser) -> None:
    team = team_of(desk)
    rows = {f"address-{row}": entry.address for row, entry in enumerate(team.recipients)}
    ways = {f"channel-{row}": "email" for row in range(3)}
    new = {"address-2": "nieuw@example.org", "phone-2": ""}
    answer = post(lena, "/desk/settings", "/desk/settings/recipients", **rows, **ways, **new)
    assert answer.status_code == 303, words(answer)
    assert [entry.address for entry in team_of(desk).recipients][-1] == "nieuw@example.org"
    page = lena.get("/desk/settings").text
    assert page.count("Send a new link") == 1
    answer = post(lena, "/desk/settings", "/desk/settings/asked-again", address="nieuw@example.org")
    assert answer.headers["Location"] == "/desk/settings?done=asked-again#recipients"


def test_an_administrator_has_the_same_page_of_any_team_and_a_lead_has_not(desk: Desk, lena: Browser) -> None:
    page = f"/admin/organisations/{organisation_of(desk, GRONINGEN)}/settings"
    bea = Browser(desk, "bea")
    answer = post(bea, page, f"{page}/norms", **NORMS)
    assert answer.headers["Location"] == f"{page}?done=norms#norms"
    assert team_of(desk, GRONINGEN).claim_working_days == 2
    assert lena.get(page).status_code == 403
    assert Browser(desk, "anna").get("/desk/settings").status_code == 403


LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30"><path d="M0 0h9v9z"/></svg>'


def head_of_letters(lena: Browser, logo: bytes = b"", **fields: str) -> TestResponse:
    file = {"logo": (BytesIO(logo), "logo.svg")} if logo else {}
    return post(lena, "/desk/settings", "/desk/settings/letterhead", **fields, **file)


def test_a_lead_gives_letters_a_head_with_lines_and_a_logo(desk: Desk, lena: Browser) -> None:
    assert head_of_letters(lena, LOGO, letterhead="Dam 1\nAmsterdam").status_code == 303
    assert "data:image/svg+xml;base64," in lena.get("/desk/settings").text
    kept = head_of_letters(lena, letterhead="Dam 2", letter_words="Kom  binnen.")
    assert kept.status_code == 303
    assert "data:image/svg+xml" in lena.get("/desk/settings").text
    assert (team_of(desk).letterhead, team_of(desk).letter_words) == ("Dam 2", "Kom binnen.")
    head_of_letters(lena, no_logo="1")
    assert "data:image/svg+xml" not in lena.get("/desk/settings").text
    assert team_of(desk).letterhead == ""


def test_own_words_of_letters_that_are_too_long_are_refused_and_kept_typed(desk: Desk, lena: Browser) -> None:
    answer = head_of_letters(lena, letter_words="w" * 301)
    assert answer.status_code == 400
    assert "w" * 301 in answer.text
    assert team_of(desk).letter_words == ""


@pytest.mark.parametrize(
    ("logo", "lines", "said"),
    [
        (LOGO.replace(b"<path", b"<script/><path"), "", "Save the logo as PNG."),
        (b"GIF89a", "", "This file is no SVG or PNG"),
        (LOGO + b" " * 200 * 1024, "", "The file is larger than 200 KB."),
        (b"", "1\n2\n3\n4\n5", "At most four lines"),
        (b"", "x" * 61, "At most four lines"),
    ],
)
def test_a_letterhead_that_cannot_be_is_refused_with_what_to_do(
    desk: Desk, lena: Browser, logo: bytes, lines: str, said: str
) -> None:
    answer = head_of_letters(lena, logo, letterhead=lines)
    assert answer.status_code == 400
    assert said in words(answer)
    assert team_of(desk).settings_version == 1
