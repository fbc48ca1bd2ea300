"""A desk of two processes with a worker and a lead who sign in."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from privacy.passwords import PasswordHasherSettings
from signals.models import AccountLink, StaffMember
from signals.settings import ServerSettings, SessionsSettings
from signals.staff import accounts, recovery
from signals.vocabulary import ProcessRole, Role
from tests.support.authenticator import Authenticator
from tests.support.world import AMSTERDAM, World

PASSWORD = "zeven groene fietsen"


ANNA, LENA = "anna@example.org", "lena@example.org"


CHEAP = SessionsSettings(password_memory_kib=64)


LOCALHOST = ServerSettings(public_url="http://localhost")


@dataclass(kw_only=True)
class Site:
    """A desk served by two processes, and the authenticators of a worker (Anna) and her lead (Lena)."""

    world: World
    here: Flask
    there: Flask
    secrets: dict[str, str]

    def code(self, who: str = ANNA) -> str:
        self.world.move(seconds=30)
        return pyotp.TOTP(self.secrets[who]).at(self.world.clock.now())

    def form(self, who: str = ANNA, **fields: str) -> dict[str, str]:
        return {"email": who, "password": PASSWORD, "totp": self.code(who)} | fields

    def signed_in(self, who: str = ANNA) -> FlaskClient:
        browser = self.here.test_client()
        assert browser.post("/desk/sign-in", data=self.form(who)).status_code == 303
        return browser

    def cookie_of(self, browser: FlaskClient) -> str:
        cookie = browser.get_cookie("signals-desk")
        assert cookie is not None
        return cookie.value

    def with_cookie(self, value: str, *, app: Flask | None = None) -> FlaskClient:
        browser = (app or self.there).test_client()
        browser.set_cookie("signals-desk", value)
        return browser

    def member_id(self, who: str = ANNA) -> Any:
        with self.world.sessions() as session:
            return session.scalars(select(StaffMember.id).where(StaffMember.email == who)).one()

    def send(self, browser: FlaskClient, path: str, page: str, **fields: str) -> TestResponse:
        return browser.post(path, data={"csrf_token": csrf_of(browser.get(page))} | fields)

    def guess(self, times: int, *, app: Flask | None = None) -> list[int]:
        """A stranger's guesses, as many as that, from a browser that never signed in."""
        stranger = (app or self.here).test_client()
        form = {"email": ANNA, "password": "het verkeerde woord", "totp": "000000"}
        return [stranger.post("/desk/sign-in", data=form).status_code for _ in range(times)]

    def token(self, who: str = ANNA) -> str:
        """The secret of somebody's link, as only the mail carries it."""
        with self.world.sessions() as session:
            link = session.scalars(
                select(AccountLink).where(AccountLink.staff_member_id == self.member_id(who))
            ).one()
        return recovery.link_token(self.world.keystore, link.id)

    def take_up(self, token: str, app: Flask | None = None) -> Callable[[], int]:
        """A browser that opened a link and is about to send its form."""
        browser = (app or self.here).test_client()
        page = browser.post("/desk/account/link", data={"token": token})
        found = re.search(r"<code>([A-Z2-7 ]{39})</code>", page.text)
        secret = found[1].replace(" ", "") if found else "A" * 32
        code = pyotp.TOTP(secret).at(self.world.clock.now())
        offer = re.search(r'name="offer" value="([^"]+)"', page.text)
        form = {"token": token, "offer": offer[1] if offer else "", "password": PASSWORD, "totp": code}
        return lambda: browser.post("/desk/account/link/use", data=form).status_code

    def passkey(self, browser: FlaskClient) -> Authenticator:
        device = Authenticator(origin="http://localhost")
        options = browser.get("/desk/account/passkeys/options").text
        path, page = "/desk/account/passkeys", "/desk/account"
        sent = self.send(browser, path, page, label="telefoon", answer=device.create(options))
        assert sent.status_code == 303
        return device


def csrf_of(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]{96})"', page.text)
    assert found is not None, page.status
    return found[1]


def make_site(world: World, seeing: World) -> Site:
    """`seeing`: the same world as somebody who may add people."""
    people = {}
    with seeing.sessions.begin() as session:
        for email, role in ((ANNA, Role.WORKER), (LENA, Role.LEAD)):
            new = accounts.add_staff(
                world.operation(session),
                organisation_id=AMSTERDAM,
                role=role,
                name=email.partition("@")[0].capitalize(),
                email=email,
                password=PASSWORD,
                hasher=PasswordHasherSettings(memory_kib=64),
            )
            people[email] = new.totp_secret
    here, there = (world.app(ProcessRole.DESK, sessions=CHEAP, server=LOCALHOST) for _ in range(2))
    return Site(world=seeing, here=here, there=there, secrets=people)


@pytest.fixture
def site(world: World) -> Site:
    return make_site(world, world)
