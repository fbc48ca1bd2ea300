"""Attacks on signing in, each against two processes on one database: a promise holds in both at once."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, text
from werkzeug.test import TestResponse

from notifications.models import OutboxMessage
from privacy.passwords import PasswordHasherSettings
from signals.models import AccountLink, Passkey, StaffMember, StaffSession
from signals.settings import ServerSettings, SessionsSettings
from signals.staff import accounts, guesses, recovery
from signals.vocabulary import ProcessRole, Role
from tests.support.authenticator import Authenticator
from tests.support.fences import FencedWorld, worker_of
from tests.support.meanwhile import meanwhile
from tests.support.world import AMSTERDAM, World, run_at_once

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
        form = {"token": token, "password": PASSWORD, "totp": code}
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


# Codes and sessions


def test_a_code_that_was_used_in_one_process_is_refused_in_the_other(site: Site) -> None:
    form = site.form()
    assert site.here.test_client().post("/desk/sign-in", data=form).status_code == 303
    assert site.there.test_client().post("/desk/sign-in", data=form).status_code == 401


def test_one_of_many_sign_ins_at_once_with_one_code_succeeds(site: Site) -> None:
    form = site.form()
    apps = (site.here, site.there) * 2
    statuses = run_at_once(
        *(lambda app=app: app.test_client().post("/desk/sign-in", data=form).status_code for app in apps)
    )
    assert sorted(statuses) == [303, 401, 401, 401]


def test_a_session_id_given_before_sign_in_is_never_used_after(site: Site) -> None:
    attacker = site.cookie_of(site.signed_in(LENA))
    for planted in ("A" * 43, attacker):
        victim = site.with_cookie(planted, app=site.here)
        victim.post("/desk/sign-in", data=site.form())
        assert site.cookie_of(victim) != planted
    assert ">Anna</a>" not in site.with_cookie(attacker).get("/desk").text  # the name of who is signed in
    assert ">Anna</a>" in victim.get("/desk").text


def test_a_cookie_stolen_before_sign_out_opens_nothing_after(site: Site) -> None:
    browser = site.signed_in()
    stolen = site.cookie_of(browser)
    assert site.with_cookie(stolen).get("/desk").status_code == 200
    site.send(browser, "/desk/sign-out", "/desk")
    assert site.with_cookie(stolen).get("/desk").status_code == 303


def test_a_worker_who_signs_out_while_the_lead_shuts_them_out_stays_out(site: Site) -> None:
    """What was read of the account as the request began is not written over what came since."""
    browser, lena = site.signed_in(), site.signed_in(LENA)
    csrf, shut = csrf_of(browser.get("/desk")), f"/desk/team/{site.member_id()}/disable"

    def shut_out() -> None:
        assert site.send(lena, shut, "/desk/team").status_code == 303

    with meanwhile(site.world.engine, "staff_sessions", shut_out):
        browser.post("/desk/sign-out", data={"csrf_token": csrf})
    assert site.here.test_client().post("/desk/sign-in", data=site.form()).status_code == 401


def test_a_changed_password_ends_a_stolen_session_in_every_process(site: Site) -> None:
    stolen, browser = site.cookie_of(site.signed_in()), site.signed_in()
    changed = site.send(browser, "/desk/account/password", "/desk/account", password="acht rode tulpen")
    assert changed.status_code == 303
    assert site.with_cookie(stolen).get("/desk").status_code == 303


def test_a_worker_shut_out_by_the_lead_is_out_in_every_process(site: Site) -> None:
    stolen = site.cookie_of(site.signed_in())
    shut = site.send(site.signed_in(LENA), f"/desk/team/{site.member_id()}/disable", "/desk/team")
    assert shut.status_code == 303
    assert site.with_cookie(stolen).get("/desk").status_code == 303
    assert site.here.test_client().post("/desk/sign-in", data=site.form()).status_code == 401


@pytest.mark.parametrize("https", [False, True])
def test_cookies_are_for_the_server_alone_and_are_sent_by_no_other_site(site: Site, https: bool) -> None:
    server = replace(LOCALHOST, public_url="https://desk.example") if https else LOCALHOST
    app = site.world.app(ProcessRole.DESK, sessions=CHEAP, server=server)
    cookies = app.test_client().post("/desk/sign-in", data=site.form()).headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        name, *flags = cookie.split("; ")
        kept = {flag for flag in flags if not flag.startswith(("Expires", "Max-Age"))}
        assert kept == {"HttpOnly", "Path=/", "SameSite=Strict"} | ({"Secure"} if https else set())
        assert name.startswith("__Host-") is https
        assert "anna" not in cookie


# Other sites


FORMS = (
    "/desk/account/password",
    "/desk/account/authenticator",
    "/desk/account/passkeys",
    "/desk/account/confirm",
    "/desk/account/confirm/passkey",
    "/desk/team/invite",
    "/desk/sign-out",
)


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("given", [None, "", "0" * 64])
def test_a_form_of_another_site_changes_nothing(site: Site, path: str, given: str | None) -> None:
    browser = site.signed_in(LENA)
    fields = {"password": "acht rode tulpen", "totp": site.code(LENA), "label": "x", "answer": "{}"}
    forged = fields if given is None else fields | {"csrf_token": given}
    assert browser.post(path, data=forged).status_code == 403
    assert browser.get("/desk").status_code == 200


@pytest.mark.parametrize("path", ["/desk/sign-in", "/desk/passkey/sign-in", "/desk/account/link/use"])
def test_another_site_cannot_sign_anybody_in(site: Site, path: str) -> None:
    for site_of in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": site_of}
        refused = site.here.test_client().post(path, data=site.form() | {"answer": "{}"}, headers=headers)
        assert refused.status_code == 403
        assert refused.headers.getlist("Set-Cookie") == []


ELSEWHERE = (
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/desk//evil.example",
    "/desk/../../evil",
    "/desk\r\nSet-Cookie: a=b",
    "/desk?x=\r\nLocation: https://evil.example",
    "javascript:alert(1)",
    "/desk@evil.example",
    "http:/desk",
    "",
)


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_signing_in_leads_nowhere_else_and_adds_no_header(site: Site, elsewhere: str) -> None:
    browser = site.here.test_client()
    answer = browser.post("/desk/sign-in", data=site.form(next=elsewhere))
    assert_stays_here(answer)
    site.world.move(minutes=11)
    confirmed = site.send(
        browser, "/desk/account/confirm", "/desk/account/confirm", **site.form(next=elsewhere)
    )
    assert_stays_here(confirmed)


def assert_stays_here(answer: TestResponse) -> None:
    assert answer.status_code == 303
    location = urlsplit(str(answer.location))
    assert (location.scheme, location.netloc) == ("", "")
    assert location.path.startswith("/desk")
    assert "\r" not in str(answer.headers["Location"])
    assert all(name in ("signals-desk", "signals-known") for name in names_of_cookies(answer))


def names_of_cookies(answer: TestResponse) -> list[str]:
    return [cookie.partition("=")[0] for cookie in answer.headers.getlist("Set-Cookie")]


# Guessing


def test_guesses_are_counted_over_all_processes(site: Site) -> None:
    assert site.guess(3) == [401] * 3
    assert site.guess(3, app=site.there) == [401, 401, 429]
    assert site.guess(1) == [429]


def test_guesses_made_at_once_are_counted_one_by_one(site: Site) -> None:
    """Ten that all look before any of them is counted are still five too many."""
    apps = (site.here, site.there) * 5
    statuses = [each for (each,) in run_at_once(*(lambda app=app: site.guess(1, app=app) for app in apps))]
    assert sorted(statuses) == [401] * 5 + [429] * 5


def test_a_stranger_who_keeps_guessing_does_not_keep_the_right_person_out(site: Site) -> None:
    browser = site.signed_in()
    site.send(browser, "/desk/sign-out", "/desk")
    assert site.guess(6)[-1] == 429
    form = site.form()
    site.guess(6)
    assert site.there.test_client().post("/desk/sign-in", data=form).status_code == 429
    known = site.there.test_client()
    cookie = browser.get_cookie("signals-known")
    assert cookie is not None
    known.set_cookie("signals-known", cookie.value)
    assert known.post("/desk/sign-in", data=form).status_code == 303


def test_nor_who_has_a_passkey_or_a_link_of_the_lead(site: Site) -> None:
    device = site.passkey(site.signed_in())
    lena = site.signed_in(LENA)
    site.guess(6)
    browser = site.there.test_client()
    answer = device.get(browser.get("/desk/passkey/options").text)
    assert browser.post("/desk/passkey/sign-in", data={"answer": answer}).status_code == 303
    site.send(lena, f"/desk/team/{site.member_id()}/recover", "/desk/team")
    assert site.take_up(site.token())() == 303


def test_the_cookie_of_a_known_browser_is_no_way_around_the_brake(site: Site) -> None:
    browser = site.signed_in()
    form = {"email": ANNA, "password": "het verkeerde woord", "totp": "000000"}
    assert [browser.post("/desk/sign-in", data=form).status_code for _ in range(6)][-1] == 429
    of_lena = {**form, "email": LENA}  # a browser that Lena never used counts as a stranger's
    assert [browser.post("/desk/sign-in", data=of_lena).status_code for _ in range(6)][-1] == 429
    assert site.there.test_client().post("/desk/sign-in", data=of_lena).status_code == 429


def test_a_good_sign_in_that_forgets_the_guesses_meanwhile_stops_no_other(world: World) -> None:
    """Counting a guess holds its row from the first moment: a deletion waits until it is over."""
    throttle = guesses.GuessThrottle(world.clock, world.engine, bytes(32))
    throttle.admit(ANNA)
    forgetting = Thread(target=throttle.succeeded, args=[ANNA])

    def meanwhile(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO sign_in_guesses") and forgetting.ident is None:
            forgetting.start()
            forgetting.join(timeout=0.3)  # time enough to be done, were it not made to wait

    event.listen(world.engine, "after_cursor_execute", meanwhile)
    throttle.admit(ANNA)
    forgetting.join(timeout=30)
    with world.sessions() as session:
        assert session.execute(text("SELECT count(*) FROM sign_in_guesses")).scalar_one() == 0


def test_a_guess_leaves_no_address_behind_and_nothing_after_a_while(site: Site) -> None:
    site.guess(2)
    with site.world.sessions() as session:
        rows = session.execute(text("SELECT * FROM sign_in_guesses")).all()
    assert len(rows) == 1
    assert "anna" not in repr(rows)
    site.world.move(minutes=15)
    assert site.world.worker().forget_sign_ins() == 1
    with site.world.sessions() as session:
        assert session.execute(text("SELECT count(*) FROM sign_in_guesses")).scalar_one() == 0


# Links


@pytest.fixture
def recovered(site: Site) -> Site:
    """Anna was recovered by Lena."""
    path = f"/desk/team/{site.member_id()}/recover"
    assert site.send(site.signed_in(LENA), path, "/desk/team").status_code == 303
    return site


def test_a_link_is_used_once_even_by_two_at_once(recovered: Site) -> None:
    token = recovered.token()
    ready = [recovered.take_up(token, app) for app in (recovered.here, recovered.there)]
    assert sorted(run_at_once(*ready)) == [303, 410]
    assert recovered.take_up(token)() == 410


def test_a_link_that_is_too_old_or_of_a_disabled_account_is_refused(recovered: Site) -> None:
    token = recovered.token()
    with recovered.world.sessions.begin() as session:
        member = session.get_one(StaffMember, recovered.member_id())
        member.disabled_at = recovered.world.clock.now()
    assert recovered.take_up(token)() == 410
    with recovered.world.sessions.begin() as session:
        session.get_one(StaffMember, recovered.member_id()).disabled_at = None
    recovered.world.move(hours=24)
    assert recovered.take_up(token)() == 410


def test_a_link_sets_up_its_own_account_whatever_the_form_says(recovered: Site) -> None:
    browser, token = recovered.here.test_client(), recovered.token()
    before = _hash(recovered, LENA)
    page = browser.post("/desk/account/link", data={"token": token})
    found = re.search(r"<code>([A-Z2-7 ]{39})</code>", page.text)
    assert found is not None
    code = pyotp.TOTP(found[1].replace(" ", "")).at(recovered.world.clock.now())
    more = {"email": LENA, "staff_member_id": str(recovered.member_id(LENA)), "username": LENA}
    form = {"token": token, "password": PASSWORD, "totp": code} | more
    assert browser.post("/desk/account/link/use", data=form).status_code == 303
    assert _hash(recovered, LENA) == before
    assert "Anna" in browser.get("/desk/account").text


def _hash(site: Site, who: str) -> str:
    with site.world.sessions() as session:
        return session.get_one(StaffMember, site.member_id(who)).password_hash


def test_a_stolen_database_has_no_link_to_follow(recovered: Site) -> None:
    with recovered.world.sessions() as session:
        stolen = [
            value
            for model in (OutboxMessage, AccountLink)
            for row in session.scalars(select(model)).all()
            for value in vars(row).values()
        ]
    assert recovered.token() not in repr(stolen)
    for value in stolen:
        refused = recovered.here.test_client().post("/desk/account/link", data={"token": str(value)})
        assert refused.status_code == 410


def test_the_lead_who_recovers_somebody_never_sees_the_secret(site: Site) -> None:
    lena = site.signed_in(LENA)
    done = site.send(lena, f"/desk/team/{site.member_id()}/recover", "/desk/team")
    seen = done.text + str(done.headers) + lena.get("/desk/team").text
    assert site.token() not in seen


# Passkeys


def test_the_answer_to_a_challenge_works_once_in_all_processes(site: Site) -> None:
    device = site.passkey(site.signed_in())
    device.count = -1  # a device that does not count
    with site.world.sessions.begin() as session:
        session.scalars(select(Passkey)).one().sign_count = 0
    answer = device.get(site.here.test_client().get("/desk/passkey/options").text)

    def use(app: Flask) -> int:
        return app.test_client().post("/desk/passkey/sign-in", data={"answer": answer}).status_code

    assert sorted(run_at_once(lambda: use(site.here), lambda: use(site.there))) == [303, 401]
    assert use(site.here) == 401


def test_the_passkey_of_somebody_who_is_disabled_opens_nothing(site: Site) -> None:
    device, browser = site.passkey(site.signed_in()), site.here.test_client()
    site.send(site.signed_in(LENA), f"/desk/team/{site.member_id()}/disable", "/desk/team")
    answer = device.get(browser.get("/desk/passkey/options").text)
    refused = browser.post("/desk/passkey/sign-in", data={"answer": answer})
    assert refused.status_code == 401
    assert names_of_cookies(refused) == []


def test_a_browser_left_open_adds_no_passkey_and_changes_no_password(site: Site) -> None:
    browser = site.signed_in()
    site.world.move(minutes=11)
    assert browser.get("/desk/account/passkeys/options").status_code == 403
    for path, fields in (
        ("/desk/account/password", {"password": "acht rode tulpen"}),
        ("/desk/account/authenticator", {"totp": "000000"}),
        ("/desk/account/passkeys", {"label": "x", "answer": "{}"}),
    ):
        moved = site.send(browser, path, "/desk/account", **fields)
        assert moved.location == "/desk/account/confirm"


def test_a_passkey_that_is_sent_while_the_lead_recovers_the_account_is_not_kept(site: Site) -> None:
    """Recovery shuts every way in; whoever still had a session cannot leave themselves another one."""
    browser, lena = site.signed_in(), site.signed_in(LENA)
    device = Authenticator(origin="http://localhost")
    answer = device.create(browser.get("/desk/account/passkeys/options").text)
    form = {"csrf_token": csrf_of(browser.get("/desk/account")), "label": "telefoon", "answer": answer}

    def recover() -> None:
        path = f"/desk/team/{site.member_id()}/recover"
        assert site.send(lena, path, "/desk/team").status_code == 303

    with meanwhile(site.world.engine, "staff_sessions", recover):
        assert browser.post("/desk/account/passkeys", data=form).status_code == 401
    with site.world.sessions() as session:
        assert session.scalars(select(Passkey)).all() == []


def test_asking_for_challenges_a_thousand_times_stores_nothing(site: Site) -> None:
    browser = site.here.test_client()
    challenges = {browser.get("/desk/passkey/options").get_json()["challenge"] for _ in range(1000)}
    assert len(challenges) == 1000
    with site.world.sessions() as session:
        assert session.execute(text("SELECT count(*) FROM challenges")).scalar_one() == 0


# As the database's own roles


@pytest.mark.postgres
def test_a_desk_behind_its_fence_recovers_invites_and_takes_up(fenced_world: FencedWorld) -> None:
    site = make_site(fenced_world.desk, fenced_world.all_seeing)
    device = site.passkey(site.signed_in())
    lena = site.signed_in(LENA)
    form = {"name": "Nina", "email": "nina@example.org", "role": "worker"}
    assert site.send(lena, "/desk/team/invite", "/desk/team", **form).status_code == 303
    worker = worker_of(fenced_world.worker)
    assert worker.deliver().delivered == 1
    assert site.take_up(site.token("nina@example.org"))() == 303
    assert site.send(lena, f"/desk/team/{site.member_id()}/recover", "/desk/team").status_code == 303
    answer = device.get(site.here.test_client().get("/desk/passkey/options").text)
    refused = site.here.test_client().post("/desk/passkey/sign-in", data={"answer": answer})
    assert refused.status_code == 401
    assert site.take_up(site.token())() == 303
    with fenced_world.all_seeing.sessions() as session:
        live = session.scalars(select(StaffSession).where(StaffSession.revoked_at.is_(None))).all()
    assert {found.created_at - site.world.clock.now() <= timedelta() for found in live} == {True}
