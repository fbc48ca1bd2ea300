"""Attacks on signing in, each against two processes on one database: a promise holds in both at once."""

from dataclasses import replace
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import event, text
from werkzeug.test import TestResponse

from signals.staff import guesses
from signals.vocabulary import ProcessRole
from tests.support.at_once import run_at_once
from tests.support.meanwhile import meanwhile
from tests.support.two_processes import ANNA, CHEAP, LENA, LOCALHOST, Site, csrf_of
from tests.support.world import World


# Codes and sessions
def test_one_of_many_sign_ins_at_once_with_one_code_succeeds(site: Site) -> None:
    form = site.form()
    apps = (site.here, site.there) * 2
    statuses = run_at_once(
        *(lambda app=app: app.test_client().post("/desk/sign-in", data=form).status_code for app in apps)
    )
    assert statuses.count(303) == 1
    assert set(statuses) <= {303, 401, 429}  # a process checks two passwords at once and refuses others


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
    """The request does not write its old copy of the account over the change."""
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
def test_guesses_made_at_once_are_counted_one_by_one(site: Site) -> None:
    """Ten that all look before any of them is counted are still five too many.

    A process checks two passwords at once; it refuses others unchecked, and their turn comes later.
    """
    apps = (site.here, site.there) * 5
    statuses = [each for (each,) in run_at_once(*(lambda app=app: site.guess(1, app=app) for app in apps))]
    assert set(statuses) <= {401, 429}
    assert (statuses + site.guess(6)).count(401) == 5


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
