"""Test that the page on delivery fits a desk and a phone with long names and long reasons."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from notifications.breaker import Breaker
from notifications.models import MessageState
from signals.db import session_factory
from signals.models import Organisation
from tests.browser.desk import SIZES, Site
from tests.browser.desk_fixtures import OpenWindow
from tests.support.admin_pages import count, message

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG = "Veiligheids- en Gezondheidsregio Gelderland-Midden (voorbeeld)"


def trouble(site: Site) -> None:
    """One organisation of each kind of trouble, the longest of all names among them."""
    with session_factory(site.desk.engine).begin() as session:
        team = session.query(Organisation).order_by(Organisation.name).first()
        assert team is not None
        team.name = LONG
    message(site.desk, MessageState.FAILED, to=LONG, problem="smtp_550", number=2)
    message(site.desk, MessageState.QUEUED, to=LONG, problem="smtp_not_supported", number=12)
    until = site.desk.clock.now() + timedelta(minutes=5)
    count(site.desk, Breaker(failures=7, pauses=1, open_until=until, problem="smtp_not_supported"))


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_trouble_is_told_within_the_width_of_the_screen(
    site: Site, window: OpenWindow, size: dict[str, int]
) -> None:
    trouble(site)
    bea = window("bea", size=size)
    page = bea.open("/admin/messages")
    expect(page.get_by_role("heading", name="Opgegeven")).to_be_visible()
    expect(page.get_by_role("button", name="Alle 2 met deze oorzaak opnieuw versturen")).to_be_visible()
    for fold in page.locator("main details:not([open]) > summary").all():
        assert bea.wider_than_the_screen() == []
        fold.click()
    assert bea.wider_than_the_screen() == []
    assert bea.axe() == []
    overlapping = page.evaluate(
        """() => [...document.querySelectorAll(".queue--wide :is(th, td)")]
          .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.innerText)"""
    )
    assert overlapping == []
