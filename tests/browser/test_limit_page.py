"""The alarm of a full day for lead and administrator: a link, and one press that lets reports in again."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from notifications.events import Event
from notifications.models import OutboxMessage
from signals.db import session_factory
from signals.models import AreaDay
from signals.models.area_day import MOST_RAISES
from signals.notices import limit_notices as area_days
from signals.settings import LimitsSettings, Settings
from tests.browser.carrier import SENT
from tests.browser.desk import PHONE, SIZES, Site
from tests.browser.desk_fixtures import OpenWindow
from tests.support.limits import near_the_limit, raises

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LIMIT = 2
RAISED = re.compile(
    r"^(De daglimiet is verhoogd\. Dat geldt vandaag|The limit is raised\. It holds today)\.$"
)
"""Bea's desk is in Dutch, Lena's in English."""
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
THUMB = 48


@pytest.fixture
def desk_settings(desk_settings: Settings) -> Settings:
    """Carriers reach it too, and the second report of a day fills it."""
    return replace(desk_settings, limits=LimitsSettings(open_reports_per_area_and_day=LIMIT))


def test_a_full_day_is_told_and_one_press_lets_reports_in_again(site: Site, window: OpenWindow) -> None:
    carrier = window(size=PHONE, options={"java_script_enabled": False})
    for number in (1, 2):
        _send(carrier.open("/"), number)
        expect(carrier.page.locator("h1")).to_have_text(SENT)
    _send(carrier.open("/"), 3)
    expect(carrier.page.get_by_role("alert")).to_contain_text("kunnen er vandaag geen meldingen meer bij")

    lena = window("lena", size=PHONE)
    page = lena.open(_link_of_the_alarm(site))
    expect(page.locator("main")).to_contain_text("The limit is reached")
    lena.press(_button(page, 2 * LIMIT))
    expect(page.get_by_role("status")).to_have_text(RAISED)
    assert lena.presses() == 1

    carrier.page.wait_for_timeout(2500)  # a process asks every two seconds whether it was raised
    carrier.press(carrier.page.get_by_role("button", name="Versturen"))
    expect(carrier.page.locator("h1")).to_have_text(SENT)


@SCRIPTS
@pytest.mark.parametrize("who", ["lena", "bea"])
def test_pressed_once_it_says_so_and_offers_the_next(
    site: Site, window: OpenWindow, who: str, scripts: bool
) -> None:
    near = near_the_limit(site.desk, notified_percent=100)
    one = window(who, options={"java_script_enabled": scripts})
    page = one.open(f"/desk/limits/{near}")
    one.press(_button(page, 2 * LIMIT))
    expect(page.get_by_role("status")).to_have_text(RAISED)
    expect(page.locator("dl.card dd")).to_have_text(re.compile(rf"^{2 * LIMIT} "))
    expect(_button(page, 3 * LIMIT)).to_be_visible()
    assert raises(site.desk, near) == 1


def test_the_link_of_the_mail_leads_through_signing_in_to_the_button(site: Site, window: OpenWindow) -> None:
    near = near_the_limit(site.desk)
    lena = window(size=PHONE)
    page = lena.open(f"/desk/limits/{near}")
    lena.sign_in("lena")
    expect(page).to_have_url(f"{site.url}/desk/limits/{near}")
    lena.press(_button(page, 2 * LIMIT))
    expect(page.get_by_role("status")).to_have_text(RAISED)


def test_two_people_who_have_it_open_raise_it_once(site: Site, window: OpenWindow) -> None:
    near = near_the_limit(site.desk)
    both = [window("lena"), window("bea")]
    for one in both:
        one.open(f"/desk/limits/{near}")
    for one in both:
        one.press(_button(one.page, 2 * LIMIT))
        expect(one.page.get_by_role("status")).to_have_text(RAISED)
    assert raises(site.desk, near) == 1


def test_the_keyboard_is_enough(site: Site, window: OpenWindow) -> None:
    near = near_the_limit(site.desk)
    page = window("lena").open(f"/desk/limits/{near}")
    button = _button(page, 2 * LIMIT)
    for _ in range(40):
        page.keyboard.press("Tab")
        if button.evaluate("(one) => one === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text(RAISED)
    assert raises(site.desk, near) == 1


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("who", ["lena", "bea"])
def test_every_state_is_for_everybody(site: Site, window: OpenWindow, who: str, size: str) -> None:
    near = near_the_limit(site.desk)
    one = window(who, size=SIZES[size])
    for told, done in ((80, 0), (100, 0), (0, 1), (100, MOST_RAISES)):
        with session_factory(site.desk.engine).begin() as session:
            row = session.get_one(AreaDay, near)
            row.notified_percent, row.raises = told, done
        page = one.open(f"/desk/limits/{near}?done=raised")
        assert one.axe() == []
        assert one.wider_than_the_screen() == []
        assert page.locator("main form button").count() == (done < MOST_RAISES)
        heights = [
            box["height"] for one_ in page.locator("main button").all() if (box := one_.bounding_box())
        ]
        assert all(height >= THUMB for height in heights)


def _button(page: Page, number: int) -> Locator:
    return page.get_by_role("button", name=re.compile(rf"^(Verhoog naar|Raise to) {number} "))


def _send(page: Page, number: int) -> None:
    page.fill("#postcode", "1012AB")
    page.fill("#house_number", str(number))
    page.get_by_role("button", name="Versturen").tap()


def _link_of_the_alarm(site: Site) -> str:
    """The page that the mail names, as the worker's job finds the day full and writes of it."""
    desk = site.desk
    with session_factory(desk.engine).begin() as session:
        assert area_days.watch_limits(session, desk.clock, setting=LIMIT, public_url=site.url) > 0
        full = select(OutboxMessage).where(OutboxMessage.event == Event.AREA_FULL.value)
        (link,) = {message.values["link"] for message in session.scalars(full)}
    return link.removeprefix(site.url)
