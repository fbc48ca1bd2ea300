"""A team's recipients on the administrator's page: nobody goes whom the administrator did not take off."""

import re
from datetime import date
from html import unescape

import pytest
from werkzeug.test import TestResponse

from signals.db import session_factory
from signals.models import Organisation
from tests.factories import RecipientFactory
from tests.support.desk_side import AMSTERDAM, Desk
from tests.support.pages import Browser, words
from tests.support.team_pages import team_of
from tests.support.team_work import organisation_of

CHECKED = date(2026, 2, 1)


@pytest.fixture
def bea(desk: Desk) -> Browser:
    return Browser(desk, "bea")


@pytest.fixture
def path(desk: Desk) -> str:
    return f"/admin/organisations/{organisation_of(desk, AMSTERDAM)}"


def grown(desk: Desk, number: int) -> list[str]:
    """Let the team have this many recipients; their addresses."""
    with session_factory(desk.engine).begin() as session:
        team = session.get_one(Organisation, organisation_of(desk, AMSTERDAM))
        team.recipients.extend(
            RecipientFactory.build(position=place, address=f"nummer{place}@example.org", verified_on=CHECKED)
            for place in range(len(team.recipients) + 1, number + 1)
        )
    return addresses(desk)


def addresses(desk: Desk) -> list[str]:
    return [one.address for one in team_of(desk).recipients]


def form_of(bea: Browser, path: str) -> dict[str, str]:
    """All fields of the form, as a browser would send them untouched."""
    page = bea.get(path).text
    form = page.partition(f'action="{path}"')[2].partition("</form>")[0]
    named = [(tag, re.search(r'name="([^"]+)"', tag)) for tag in re.findall(r"<input[^>]*>", form)]
    values = {found[1]: re.search(r'value="([^"]*)"', tag) for tag, found in named if found}
    typed = dict(re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL))
    fields = {name: found[1] if found else "" for name, found in values.items()} | typed
    return {name: unescape(value) for name, value in fields.items()}


def save(bea: Browser, path: str, **fields: str) -> TestResponse:
    return bea.client.post(path, data=form_of(bea, path) | fields)


@pytest.mark.parametrize("number", [2, 5, 10])
def test_a_changed_phone_number_keeps_the_recipient(desk: Desk, bea: Browser, path: str, number: int) -> None:
    before = grown(desk, number)
    assert len(before) == number
    assert save(bea, path, contact_phone="020 1234567").status_code == 303
    assert addresses(desk) == before
    assert team_of(desk).contact_phone == "020 1234567"
    assert all(one.verified_on for one in team_of(desk).recipients)


@pytest.mark.parametrize(("number", "places"), [(2, 3), (5, 6), (9, 10), (10, 10)])
def test_there_is_a_place_for_every_recipient_and_one_more_while_there_may_be_more(
    desk: Desk, bea: Browser, path: str, number: int, places: int
) -> None:
    grown(desk, number)
    assert sum(name.startswith("recipient-") for name in form_of(bea, path)) == places


def test_a_page_that_is_older_than_a_lead_s_change_takes_nobody_off(
    desk: Desk, bea: Browser, path: str
) -> None:
    seen = form_of(bea, path)
    wanted = [{"address": one} for one in [*addresses(desk), "nieuw@example.org"]]
    settings = f"/organisations/{organisation_of(desk, AMSTERDAM)}/settings"
    assert desk.call("lena", "PATCH", settings, json={"recipients": wanted}).status_code == 200
    refused = bea.client.post(path, data=seen)
    assert refused.status_code == 412
    assert "Lees de instellingen opnieuw" in words(refused)
    assert 'value="nieuw@example.org"' in refused.text
    assert "nieuw@example.org" in addresses(desk)


def test_a_lead_s_page_that_is_older_than_an_administrator_s_change_undoes_nothing(
    desk: Desk, bea: Browser, path: str
) -> None:
    settings = f"/organisations/{organisation_of(desk, AMSTERDAM)}/settings"
    read = desk.call("lena", "GET", settings).headers["ETag"]
    assert save(bea, path, contact_phone="020 1234567").status_code == 303
    old = {"contact_phone": "030 7654321"}
    refused = desk.call("lena", "PATCH", settings, json=old, headers={"If-Match": read})
    assert refused.status_code == 412
    assert team_of(desk).contact_phone == "020 1234567"


def test_the_error_of_a_recipient_stands_beside_its_own_place(desk: Desk, bea: Browser, path: str) -> None:
    before = grown(desk, 5)
    page = save(bea, path, **{"recipient-1": "", "recipient-5": "coen@example.org"})
    assert page.status_code == 400
    assert 'id="onboard-recipient-5-wrong"' in page.text
    assert "Een coördinator hoort nooit van een enkel signaal" in words(page)
    assert 'value="coen@example.org"' in page.text
    assert addresses(desk) == before


def test_a_recipient_who_became_a_coordinator_blocks_no_other_change(
    desk: Desk, bea: Browser, path: str
) -> None:
    with session_factory(desk.engine).begin() as session:
        team = session.get_one(Organisation, organisation_of(desk, AMSTERDAM))
        team.recipients.append(
            RecipientFactory.build(position=3, address="coen@example.org", verified_on=CHECKED)
        )
    assert save(bea, path, suspended_from="2026-12-24").status_code == 303
    assert team_of(desk).suspended_from == date(2026, 12, 24)
    assert save(bea, path, **{"recipient-0": ""}).status_code == 400


def test_nobody_verifies_an_address_on_their_own_word(desk: Desk, bea: Browser, path: str) -> None:
    grown(desk, 3)
    typed = {"recipient-2": "nieuw@example.org", "verified-2": "2026-11-20"}
    assert save(bea, path, **typed).status_code == 303
    assert {one.address: one.verified_on for one in team_of(desk).recipients}["nieuw@example.org"] is None
    answer = desk.call(
        "bea",
        "PATCH",
        path.replace("/admin", ""),
        json={"recipients": [{"address": "nieuw@example.org", "verified_on": "2026-11-20"}]},
    )
    assert [(one["field"], one["code"]) for one in answer.get_json()["errors"]] == [
        ("recipients.0.verified_on", "proved_by_link")
    ]


def test_two_confirmed_recipients_stay_when_an_administrator_replaces_one(
    desk: Desk, bea: Browser, path: str
) -> None:
    before = addresses(desk)
    assert len(before) == 2
    refused = save(bea, path, **{"recipient-1": "nieuw@example.org"})
    assert refused.status_code == 400
    assert "Er moeten twee ontvangers overblijven die bevestigd hebben" in words(refused)
    assert addresses(desk) == before
