"""A save undone on real Chromium, with and without JavaScript, by mouse and by keyboard."""

from uuid import UUID

import pytest
from playwright.sync_api import expect

from signals.vocabulary import SignalState
from tests.browser.desk import DONE, SIZES, Site
from tests.browser.desk_fixtures import OpenWindow

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scripts", [True, False])
def test_a_claim_is_undone_with_one_press_with_and_without_scripts(
    site: Site, window: OpenWindow, signal_id: UUID, size: str, scripts: bool
) -> None:
    anna = window("anna", size=SIZES[size], options={"java_script_enabled": scripts})
    page = anna.open_signal(signal_id)
    page.get_by_role("button", name="Dit signaal oppakken").click()
    expect(page.locator(DONE)).to_have_text("U hebt dit signaal opgepakt.")
    undo = page.get_by_role("button", name="Ongedaan maken")
    undo.focus()  # it stays while somebody is at it, however long axe reads
    anna.check_looks()
    undo.click()
    expect(page.locator(DONE)).to_have_text("Dat is ongedaan gemaakt.")
    expect(undo).to_have_count(0)
    assert site.signal(signal_id).state is SignalState.NEW


def test_the_button_goes_after_ten_seconds_and_comes_back_with_a_reload(
    window: OpenWindow, signal_id: UUID
) -> None:
    page = window("anna").open_signal(signal_id)
    page.get_by_role("button", name="Dit signaal oppakken").click()
    undo = page.get_by_role("button", name="Ongedaan maken")
    expect(undo).to_be_visible()
    waited = page.locator(".undo").evaluate(
        "undo => undo.getAnimations().map(each => (each.finish(), each.effect.getTiming().delay))"
    )
    assert waited == [10_000]
    expect(page.locator(".undo")).to_be_hidden()
    page.reload()
    expect(undo).to_be_visible()


def test_the_button_stays_for_the_keyboard_and_without_scripts(window: OpenWindow, signal_id: UUID) -> None:
    page = window("anna").open_signal(signal_id)
    page.get_by_role("button", name="Dit signaal oppakken").click()
    expect(page.locator(DONE)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Ongedaan maken")).to_be_focused()
    assert page.locator(".undo").evaluate("undo => undo.getAnimations().length") == 0
    bare = window("anna", options={"java_script_enabled": False})
    bare.open(page.url.removeprefix(bare.site.url))
    expect(bare.page.get_by_role("button", name="Ongedaan maken")).to_be_visible()
    assert bare.page.locator(".undo").evaluate("undo => getComputedStyle(undo).animationName") == "none"
