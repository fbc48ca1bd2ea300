"""Count the presses of a whole case on real Chromium: from the queue to concluded, and nothing typed."""

from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, expect

from signals.vocabulary import Outcome, SignalState
from tests.browser.desk import DONE, SIZES, Site
from tests.browser.desk_fixtures import OpenWindow

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST = 7
ENDINGS = {
    Outcome.NOT_REACHED: ("Bezorgd, nog geen reactie", ("Genoeg geprobeerd",), 3),
    Outcome.HELP_ACCEPTED: ("Contact gehad", ("Hulp aanvaard", "Ja, nieuw in beeld"), 2),
}
"""How the second attempt goes, the tiles of the conclusion, and the number of attempts, by outcome.

A letter counts as one until somebody was reached.
"""


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("outcome", ENDINGS)
def test_a_case_with_a_letter_and_two_attempts_takes_seven_presses(
    site: Site, window: OpenWindow, signal_id: UUID, size: str, scripts: bool, outcome: Outcome
) -> None:
    anna = window("anna", size=SIZES[size], options={"java_script_enabled": scripts})
    page = anna.open()
    result, tiles, attempts = ENDINGS[outcome]
    presses = 0

    def press(place: Locator) -> None:
        nonlocal presses
        anna.press(place.filter(visible=True).first)
        presses += 1

    press(page.locator(f"a[href='/desk/signals/{signal_id}']"))
    press(page.get_by_role("button", name="Geen gehoor"))
    expect(page.locator(DONE)).to_have_text("De poging is opgeslagen.")
    with page.context.expect_page() as letter:
        press(page.get_by_role("button", name="Brief afdrukken"))
    letter.value.close()
    if outcome is Outcome.NOT_REACHED:  # after a talk, the conclusion asks for the letter
        press(page.get_by_role("button", name="Bezorgd, vandaag"))
    press(page.get_by_role("button", name=result))
    for tile in tiles:
        press(page.locator(".tile", has_text=tile))
    press(page.get_by_role("button", name="Dit signaal afronden"))
    expect(page.locator(DONE)).to_have_text("Het signaal is afgerond.")
    _check(site, signal_id, outcome, attempts)
    assert presses <= MOST
    expect(_next(page)).to_be_visible()


def _check(site: Site, signal_id: UUID, outcome: Outcome, attempts: int) -> None:
    found = site.signal(signal_id)
    assert (found.state, found.outcome) == (SignalState.CONCLUDED, outcome)
    assert len(found.attempts) == attempts
    assert found.notified_on is not None


def _next(page: Page) -> Locator:
    return page.get_by_role("link", name="Volgend signaal").or_(
        page.get_by_text("Er wacht verder niets op u.")
    )
