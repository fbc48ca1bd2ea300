"""Sign in at the provider of an organisation and out again, in a real Chromium.

The desk is at localhost and the provider at 127.0.0.1: for a browser these are two sites, as in practice.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.provider_site import Site, provider, site

__all__ = ["provider", "site"]

pytestmark = pytest.mark.browser

SIZES = {"phone": (360, 640), "desktop": (1280, 800)}
SECONDS = 60_000


@pytest.fixture(params=SIZES)
def sized(page: Page, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = SIZES[request.param]
    page.set_viewport_size({"width": width, "height": height})
    page.set_default_timeout(SECONDS)
    return page


def test_a_person_signs_in_and_out_at_the_provider(site: Site, sized: Page) -> None:
    sized.goto(f"{site.url}/desk/account")
    sized.get_by_label("Uw e-mailadres op het werk").fill("anna@example.org")
    sized.get_by_role("button", name="Aanmelden bij uw eigen organisatie").click()
    sized.get_by_label("Name").fill("anna")
    sized.get_by_role("button", name="Sign in").click()
    expect(sized.get_by_role("heading", name="Mijn account")).to_be_visible(timeout=SECONDS)
    assert [cookie["name"] for cookie in sized.context.cookies(site.url) if "begun" in cookie["name"]] == []
    sized.get_by_role("button", name="Afmelden").click()
    sized.get_by_role("button", name="Out").click()
    expect(sized).to_have_url(re.compile(r"/desk/sign-in\?done=sign-out"), timeout=SECONDS)
    assert site.sessions() == []
    sized.goto(f"{site.url}/desk/account")
    expect(sized).to_have_url(re.compile("/desk/sign-in"), timeout=SECONDS)
