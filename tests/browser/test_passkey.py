"""Passkeys in a real Chromium with a virtual authenticator: added, used, refused for the wrong finger.

Also the mailed link, whose secret must leave the address before anything else is asked.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pyotp
import pytest
from playwright.sync_api import CDPSession, Page, expect
from sqlalchemy import select
from werkzeug.serving import make_server

from privacy.passwords import PasswordHasherSettings
from signals.models import AccountLink, Passkey, StaffMember
from signals.settings import ServerSettings, SessionsSettings
from signals.staff import accounts, recovery
from signals.staff.change_messages import AccountSettings
from signals.vocabulary import ProcessRole, Role
from tests.support.world import AMSTERDAM, World, make_world

pytestmark = pytest.mark.browser

EMAIL, PASSWORD = "anna@example.org", "zeven groene fietsen"
VERIFIED = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass(frozen=True, kw_only=True)
class Site:
    """A desk at localhost, and Anna's authenticator app."""

    url: str
    world: World
    secret: str

    def code(self) -> str:
        self.world.move(seconds=30)
        return pyotp.TOTP(self.secret).at(self.world.clock.now())


@pytest.fixture
def site(template: Path, tmp_path: Path) -> Iterator[Site]:
    """Served by threads of this process, at a port of its own."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    world = make_world(template, tmp_path)
    with world.sessions.begin() as session:
        new = accounts.add_staff(
            world.operation(session),
            organisation_id=AMSTERDAM,
            role=Role.WORKER,
            name="Anna Voorbeeld",
            email=EMAIL,
            password=PASSWORD,
            hasher=PasswordHasherSettings(memory_kib=64),
        )
    server = make_server("127.0.0.1", 0, lambda _environ, _start: [], threaded=True)
    url = f"http://localhost:{server.server_port}"
    server.app = world.app(
        ProcessRole.DESK,
        server=ServerSettings(public_url=url),
        sessions=SessionsSettings(password_memory_kib=64),
    )
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(url=url, world=world, secret=new.totp_secret)
    server.shutdown()
    thread.join()
    server.server_close()
    world.close()


@pytest.fixture
def finger(page: Page) -> Iterator[Device]:
    """The page's browser has an authenticator of its own."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": VERIFIED})
    yield Device(session=session, id=made["authenticatorId"])
    session.detach()


@dataclass(frozen=True, kw_only=True)
class Device:
    """A virtual authenticator of Chromium."""

    session: CDPSession
    id: str

    def verifies(self, person: bool) -> None:
        """Whether the fingerprint is the right one from now on."""
        self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": person})

    def touches(self, unasked: bool) -> None:
        """Whether the person touches the device as soon as a page asks for it."""
        automatic = {"authenticatorId": self.id, "enabled": unasked}
        self.session.send("WebAuthn.setAutomaticPresenceSimulation", automatic)


def sign_in(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/desk/account")
    page.locator("#sign-in-email").fill(EMAIL)
    page.locator("#sign-in-password").fill(PASSWORD)
    page.locator("#sign-in-totp").fill(site.code())
    page.get_by_role("button", name="Aanmelden", exact=True).click()
    expect(page).to_have_url(f"{site.url}/desk/account")


def add_passkey(page: Page, label: str) -> None:
    page.locator("#passkey-label").fill(label)
    page.get_by_role("button", name="Passkey toevoegen").click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Afmelden").click()
    expect(page.get_by_role("button", name="Aanmelden met een passkey")).to_be_visible()


@pytest.fixture
def page(page: Page) -> Page:
    page.set_extra_http_headers({"Accept-Language": "nl"})
    page.set_default_timeout(10_000)
    return page


def test_a_passkey_is_added_and_signs_in_without_password(
    page: Page, site: Site, finger: Device, complaints: list[str]
) -> None:
    sign_in(page, site)
    add_passkey(page, "werktelefoon")
    expect(page.get_by_text("De passkey is toegevoegd.")).to_be_visible()
    finger.touches(False)
    sign_out(page)
    finger.touches(True)
    page.get_by_role("button", name="Aanmelden met een passkey").click()
    expect(page).to_have_url(f"{site.url}/desk")
    page.goto(f"{site.url}/desk/account")
    expect(page.get_by_text("werktelefoon", exact=True)).to_be_visible()
    with site.world.sessions() as session:
        passkey = session.scalars(select(Passkey)).one()
    assert passkey.sign_count > 0
    assert complaints == []


def test_the_browser_offers_the_passkey_before_anybody_presses_a_button(
    page: Page, site: Site, finger: Device, complaints: list[str]
) -> None:
    sign_in(page, site)
    add_passkey(page, "werktelefoon")
    expect(page.get_by_text("De passkey is toegevoegd.")).to_be_visible()
    page.get_by_role("button", name="Afmelden").click()
    expect(page).to_have_url(f"{site.url}/desk")
    assert complaints == []


def test_a_passkey_with_the_wrong_finger_opens_nothing(page: Page, site: Site, finger: Device) -> None:
    sign_in(page, site)
    add_passkey(page, "werktelefoon")
    expect(page.get_by_text("De passkey is toegevoegd.")).to_be_visible()
    finger.verifies(False)
    finger.touches(False)
    sign_out(page)
    finger.touches(True)
    page.get_by_role("button", name="Aanmelden met een passkey").click()
    expect(page.get_by_text("Dat lukte niet.")).to_be_visible()
    page.goto(f"{site.url}/desk/account")
    expect(page).to_have_url(re.compile("/desk/sign-in"))


def test_a_passkey_shows_once_more_who_one_is(page: Page, site: Site, finger: Device) -> None:
    sign_in(page, site)
    add_passkey(page, "werktelefoon")
    expect(page.get_by_text("De passkey is toegevoegd.")).to_be_visible()
    site.world.clock.moment += timedelta(minutes=11)
    page.goto(f"{site.url}/desk/account/confirm")
    page.get_by_role("button", name="Passkey gebruiken").click()
    expect(page.get_by_role("button", name="Wachtwoord wijzigen")).to_be_visible()


def test_the_secret_of_a_mailed_link_leaves_the_address_and_sets_the_account_up(
    page: Page, site: Site, complaints: list[str]
) -> None:
    world = site.world
    with world.sessions.begin() as session:
        member = session.scalars(select(StaffMember)).one()
        settings = AccountSettings(site=site.url, hasher=PasswordHasherSettings(memory_kib=64))
        recovery.recover(world.operation(session), member=member, settings=settings)
        link_id = session.scalars(select(AccountLink.id)).one()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url + str(request.headers)))
    token = recovery.link_token(world.keystore, link_id)
    page.goto(f"{site.url}/desk/account/link#{token}")
    expect(page.locator("#token")).to_have_value(token)
    assert page.url == f"{site.url}/desk/account/link"
    page.get_by_role("button", name="Verder").click()
    page.locator("#take-up-password").fill("acht rode tulpen")
    secret = page.locator("code").inner_text().replace(" ", "")
    page.locator("#take-up-totp").fill(pyotp.TOTP(secret).at(world.clock.now()))
    assert page.locator("main img").evaluate("image => image.complete && image.naturalWidth > 100")
    page.get_by_role("button", name="Instellen en aanmelden").click()
    expect(page.get_by_text("Uw account is ingesteld")).to_be_visible()
    assert not [url for url in asked if token in url.partition("#")[0]]
    assert complaints == []
