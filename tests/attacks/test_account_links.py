"""Attacks on links of accounts, passkeys and challenges, over two processes."""

import re
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from notifications.models import OutboxMessage
from signals.models import AccountLink, AuditEntry, Passkey, StaffMember, StaffSession
from signals.staff.identity import open_totp
from tests.support.at_once import run_at_once
from tests.support.authenticator import Authenticator
from tests.support.fences import FencedWorld, worker_of
from tests.support.meanwhile import meanwhile
from tests.support.two_processes import ANNA, LENA, PASSWORD, Site, csrf_of, make_site


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


def test_a_link_sets_up_its_own_account_whatever_the_form_says(recovered: Site) -> None:
    browser, token = recovered.here.test_client(), recovered.token()
    before = _hash(recovered, LENA)
    form = shown_form(recovered, browser, token) | {"email": LENA, "username": LENA}
    form["staff_member_id"] = str(recovered.member_id(LENA))
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


def test_another_reader_of_the_mail_learns_no_second_factor_of_its_owner(recovered: Site) -> None:
    token, stranger, owner = recovered.token(), recovered.here.test_client(), recovered.there.test_client()
    seen = shown_form(recovered, stranger, token)
    own = shown_form(recovered, owner, token)
    assert own["totp"] != seen["totp"], "each look shows another secret"
    mixed = own | {"offer": seen["offer"]}
    assert stranger.post("/desk/account/link/use", data=mixed).status_code == 400
    wrong = owner.post("/desk/account/link/use", data=own | {"totp": "000000"})
    assert own["secret"] in wrong.text.replace(" ", ""), "a typing error costs no look and shows the same key"
    assert owner.post("/desk/account/link/use", data=own).status_code == 303
    assert stranger.post("/desk/account/link/use", data=seen).status_code == 410
    member_id = recovered.member_id()
    with recovered.world.sessions() as session:
        member = session.get_one(StaffMember, member_id)
        assert open_totp(recovered.world.keystore, member) == own["secret"]
        looks = select(AuditEntry.subject_id).where(AuditEntry.ground == "link_opened")
        assert list(session.scalars(looks)) == [member_id] * 2
        told = select(OutboxMessage.recipient).where(OutboxMessage.event == "account_link_opened")
        assert list(session.scalars(told)) == [ANNA] * 2


def test_a_link_ends_after_three_looks_and_an_open_form_still_works(recovered: Site) -> None:
    token, browser = recovered.token(), recovered.here.test_client()
    form, _second, _third = (shown_form(recovered, browser, token) for _ in range(3))
    assert browser.post("/desk/account/link", data={"token": token}).status_code == 410
    assert browser.post("/desk/account/link/use", data=form | {"offer": "x"}).status_code == 410
    assert browser.post("/desk/account/link/use", data=form).status_code == 303


def shown_form(site: Site, browser: FlaskClient, token: str) -> dict[str, str]:
    """Return the form of a link as its page shows it, filled in; `secret` is the key that it shows."""
    page = browser.post("/desk/account/link", data={"token": token}).text
    key = re.search(r"<code>([A-Z2-7 ]{39})<", page)
    offer = re.search(r'name="offer" value="([^"]+)"', page)
    assert key is not None
    assert offer is not None
    secret = key[1].replace(" ", "")
    code = pyotp.TOTP(secret).at(site.world.clock.now())
    return {"token": token, "offer": offer[1], "password": PASSWORD, "totp": code, "secret": secret}
