"""Test the own account and a lead's team in the browser."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from notifications.channels.memory import MemoryChannel
from signals.models import Passkey, StaffMember, StaffSession
from signals.operations.jobs import Worker
from signals.routing.snapshot import Router
from signals.vocabulary import AuditAction
from tests.support.authenticator import Authenticator
from tests.support.desk_side import PASSWORD, Desk
from tests.support.pages import hidden_value, words

NEW_PASSWORD = "zeven groene fietsen"
LOCAL = {"base_url": "http://localhost:8000"}
"""The address at which passkeys work; the settings name 127.0.0.1."""


class Account:
    """Somebody's browser at `localhost`, signed in."""

    def __init__(self, desk: Desk, who: str) -> None:
        self.desk, self.client = desk, desk.app.test_client()
        form = {"email": desk.people[who].email, "password": PASSWORD, "totp": desk.code(who)}
        self.client.post("/desk/sign-in", data=form, **LOCAL)

    def get(self, path: str = "/desk/account") -> TestResponse:
        return self.client.get(path, **LOCAL)

    def send(self, path: str, page: str = "/desk/account", **fields: str) -> TestResponse:
        """Fill in a form of a page and send it."""
        return self.client.post(
            path, data={"csrf_token": hidden_value(self.get(page).text, "csrf_token")} | fields, **LOCAL
        )

    def add_passkey(self, device: Authenticator) -> TestResponse:
        options = self.get("/desk/account/passkeys/options")
        return self.send("/desk/account/passkeys", label="telefoon", answer=device.create(options.text))


def shown_secret(page: TestResponse) -> str:
    found = re.search(r"<code>([A-Z2-7 ]{39})</code>", page.text)
    assert found is not None, words(page)
    return found[1].replace(" ", "")


def mailed_link(desk: Desk) -> str:
    """Return the last mailed link, sent as the worker sends it."""
    channel = MemoryChannel()
    worker = Worker(
        settings=desk.settings,
        clock=desk.clock,
        engine=desk.engine,
        sessions=desk.app.extensions["signals.desk"].sessions,
        keystore=desk.keystore,
        audit=desk.app.extensions["signals.desk"].audit,
        router=Router(desk.engine, root_public_key=None, refresh_seconds=0),
        channels={"email": channel},
    )
    assert worker.deliver().delivered >= 1
    found = [
        link for sent in channel.sent for link in re.findall(r"https?://\S+/desk/account/link\S+", sent.text)
    ]
    return str(found[-1])


def take_up(browser: FlaskClient, desk: Desk, link: str, **fields: str) -> TestResponse:
    """Open a mailed link and activate the account, as its page asks."""
    token = urlsplit(link).fragment
    page = browser.post("/desk/account/link", data={"token": token})
    code = pyotp.TOTP(shown_secret(page)).at(desk.clock.now())
    form = {
        "token": token,
        "offer": hidden_value(page.text, "offer"),
        "password": NEW_PASSWORD,
        "totp": code,
    } | fields
    return browser.post("/desk/account/link/use", data=form)


@pytest.fixture
def anna(desk: Desk) -> Account:
    return Account(desk, "anna")


@pytest.fixture
def lena(desk: Desk) -> Account:
    return Account(desk, "lena")


def member_id(desk: Desk, who: str) -> Any:
    with Session(desk.engine) as session:
        return session.scalars(
            select(StaffMember.id).where(StaffMember.email == desk.people[who].email)
        ).one()


# Own account


def test_only_signed_in_people_see_the_account_page(desk: Desk) -> None:
    for who in ("anna", "lena", "coen", "bea"):
        assert Account(desk, who).get().status_code == 200
    refused = desk.app.test_client().get("/desk/account")
    assert (refused.status_code, refused.location) == (303, "/desk/sign-in?next=/desk/account")


def test_a_person_chooses_the_language_of_the_own_pages(desk: Desk) -> None:
    anna = Account(desk, "anna")
    assert '<html lang="nl">' in anna.get().text
    done = anna.send("/desk/account/language", language="en")
    assert done.location == "/desk/account?done=language"
    assert '<html lang="en">' in anna.get("/desk").text
    assert "The language is changed." in anna.get(done.location).text
    [entry] = [e for e in desk.entries(AuditAction.STAFF_CHANGED) if e.ground == "another_language"]
    assert entry.subject_id == entry.actor_id
    refused = anna.send("/desk/account/language", language="fr")
    assert (refused.status_code, '<html lang="en">' in refused.text) == (400, True)


def test_a_refused_password_is_explained_and_not_repeated(anna: Account) -> None:
    refused = anna.send("/desk/account/password", password="AnnaVoorbeeld12")
    assert refused.status_code == 400
    assert "Laat uw naam en uw e-mailadres weg." in words(refused)
    assert "AnnaVoorbeeld12" not in refused.text


def test_after_ten_minutes_a_change_needs_a_new_confirmation(desk: Desk, anna: Account) -> None:
    desk.clock.moment += timedelta(minutes=11)
    assert "Wachtwoord wijzigen" not in words(anna.get())
    assert anna.send("/desk/account/password", password=NEW_PASSWORD).location == "/desk/account/confirm"
    assert anna.get("/desk/account/passkeys/options").status_code == 403
    old = anna.client.get_cookie("signals-desk", "localhost")
    assert old is not None
    confirmed = anna.send(
        "/desk/account/confirm",
        page="/desk/account/confirm",
        password=PASSWORD,
        totp=desk.code("anna"),
        next="/desk/account",
    )
    assert confirmed.location == "/desk/account"
    new = anna.client.get_cookie("signals-desk", "localhost")
    assert new is not None
    assert new.value != old.value
    assert "Wachtwoord wijzigen" in words(anna.get())
    thief = desk.app.test_client()
    thief.set_cookie("signals-desk", old.value)
    assert thief.get("/desk").status_code == 303


def test_a_wrong_confirmation_changes_nothing(desk: Desk, anna: Account) -> None:
    desk.clock.moment += timedelta(minutes=11)
    refused = anna.send(
        "/desk/account/confirm", page="/desk/account/confirm", password="iets anders hier", totp="000000"
    )
    assert refused.status_code == 401
    assert "Wachtwoord wijzigen" not in words(anna.get())


def test_a_qr_code_connects_another_authenticator(desk: Desk, anna: Account) -> None:
    page = anna.get()
    assert 'src="data:image/svg+xml' in page.text
    secret = shown_secret(page)
    wrong = anna.send("/desk/account/authenticator", totp="000000")
    assert (wrong.status_code, shown_secret(wrong)) == (400, secret)
    done = anna.send("/desk/account/authenticator", totp=pyotp.TOTP(secret).at(desk.clock.now()))
    assert done.location == "/desk/account?done=authenticator"
    desk.clock.moment += timedelta(seconds=60)
    form = {"email": desk.people["anna"].email, "password": PASSWORD}
    browser = desk.app.test_client()
    assert browser.post("/desk/sign-in", data=form | {"totp": desk.code("anna")}).status_code == 401
    new = pyotp.TOTP(secret).at(desk.clock.now())
    assert browser.post("/desk/sign-in", data=form | {"totp": new}).status_code == 303


def test_the_page_lists_sessions_and_ends_another_one(desk: Desk, anna: Account) -> None:
    other = Account(desk, "anna")
    page = anna.get()
    assert "Token voor test" in words(page)
    with Session(desk.engine) as session:
        newest = select(StaffSession.id).where(StaffSession.kind == "page")
        other_id = session.scalars(newest.order_by(StaffSession.created_at.desc())).first()
    assert anna.send(f"/desk/account/sessions/{other_id}/end").location == "/desk/account?done=ended"
    assert other.get("/desk").status_code == 303


# Passkeys


def test_a_passkey_is_added_used_renamed_and_removed(desk: Desk, anna: Account) -> None:
    device = Authenticator()
    assert anna.add_passkey(device).location == "/desk/account?done=passkey"
    browser = desk.app.test_client()
    options = browser.get("/desk/passkey/options", **LOCAL).text
    answer = {"answer": device.get(options), "next": "/desk/account"}
    signed_in = browser.post("/desk/passkey/sign-in", data=answer, **LOCAL)
    assert (signed_in.status_code, signed_in.location) == (303, "/desk/account")
    assert "telefoon" in words(browser.get("/desk/account", **LOCAL))
    with Session(desk.engine) as session:
        passkey_id = session.scalars(select(Passkey.id)).one()
    assert anna.send(f"/desk/account/passkeys/{passkey_id}/rename", label="laptop").status_code == 303
    assert "laptop" in words(anna.get())
    assert anna.send(f"/desk/account/passkeys/{passkey_id}/remove").status_code == 303
    refused = browser.post(
        "/desk/passkey/sign-in",
        data={"answer": device.get(browser.get("/desk/passkey/options", **LOCAL).text)},
        **LOCAL,
    )
    assert refused.status_code == 401
    assert len(desk.entries(AuditAction.PASSKEY_CHANGED)) == 3


def test_a_passkey_confirms_the_person(desk: Desk, anna: Account) -> None:
    device = Authenticator()
    anna.add_passkey(device)
    desk.clock.moment += timedelta(minutes=11)
    answer = device.get(anna.get("/desk/account/confirm/options").text)
    done = anna.send("/desk/account/confirm/passkey", page="/desk/account/confirm", answer=answer)
    assert done.location == "/desk/account?done=confirmed"
    again = anna.send("/desk/account/confirm/passkey", page="/desk/account/confirm", answer=answer)
    assert again.status_code == 401


def test_a_wrong_answer_of_a_device_is_explained(anna: Account) -> None:
    refused = anna.add_passkey(Authenticator(verified=False))
    assert refused.status_code == 400
    assert "De passkey is niet toegevoegd" in words(refused)


def test_at_a_numeric_address_the_page_names_the_address_with_passkeys(desk: Desk) -> None:
    browser = desk.app.test_client()
    form = {"email": desk.people["anna"].email, "password": PASSWORD, "totp": desk.code("anna")}
    browser.post("/desk/sign-in", data=form, base_url="http://127.0.0.1:8000")
    page = browser.get("/desk/account", base_url="http://127.0.0.1:8000")
    assert 'href="http://localhost:8000/desk/account"' in page.text
    assert "data-passkey" not in page.text
    for path in ("/desk/passkey/options", "/desk/account/passkeys/options"):
        assert browser.get(path, base_url="http://127.0.0.1:8000").status_code == 404
    assert "data-passkey" not in browser.get("/desk/sign-in").text
    assert "data-passkey" in browser.get("/desk/sign-in", **LOCAL).text


# The team


def test_an_invited_colleague_activates_the_account_by_the_mailed_link(desk: Desk, lena: Account) -> None:
    form = {"name": "Nina Nieuw", "email": "nina@example.org", "role": "worker", "language": "nl"}
    assert lena.send("/desk/team/invite", page="/desk/team", **form).location == "/desk/team?done=invited"
    signal_id = desk.arrive()
    assert "Nina Nieuw , social worker, invited" in words(lena.get("/desk/team"))
    assert "Nina" not in lena.get(f"/desk/signals/{signal_id}").text
    link = mailed_link(desk)
    browser = desk.app.test_client()
    opened = browser.get(urlsplit(link).path)
    assert (opened.status_code, urlsplit(link).query) == (200, "")
    done = take_up(browser, desk, link)
    assert "invited" not in words(lena.get("/desk/team"))
    assert "Nina" in lena.get(f"/desk/signals/{signal_id}").text
    assert done.location == "/desk/account?done=set-up"
    assert "Nina Nieuw" in words(browser.get(done.location))
    assert browser.get("/desk").status_code == 200


def test_a_lead_confirms_before_typing_an_invitation(desk: Desk) -> None:
    lena = Account(desk, "lena")
    token = hidden_value(lena.get("/desk/team").text, "csrf_token")
    desk.clock.moment += timedelta(minutes=11)
    page = lena.get("/desk/team").text
    assert "show first that it is you" in words(lena.get("/desk/team"))
    assert '<form method="post" action="/desk/team/invite"' not in page
    assert "/disable" in page  # which needs no confirmation
    form = {"csrf_token": token, "name": "Nora Nieuw", "email": "nora@example.org", "role": "worker"}
    late = lena.client.post("/desk/team/invite", data=form, **LOCAL)
    assert late.location == "/desk/account/confirm?next=/desk/team?done%3Dconfirmed"
    confirm = {"password": PASSWORD, "totp": desk.code("lena"), "next": "/desk/team?done=confirmed"}
    shown = lena.send("/desk/account/confirm", page="/desk/account/confirm", **confirm)
    assert "Nothing was changed yet." in words(lena.get(shown.location))
    assert '<form method="post" action="/desk/team/invite"' in lena.get("/desk/team").text


def test_a_wrong_entry_shows_the_form_again_with_the_same_key(desk: Desk, lena: Account) -> None:
    lena.send(f"/desk/team/{member_id(desk, 'anna')}/recover", page="/desk/team")
    link, browser = mailed_link(desk), desk.app.test_client()
    refused = take_up(browser, desk, link, password="kort", totp="000000")
    assert refused.status_code == 400
    assert "Minstens 12 tekens" in words(refused)
    assert "kort" not in re.findall(r'value="([^"]*)"', refused.text)
    assert take_up(browser, desk, link).status_code == 303


def test_a_disabled_colleague_comes_back_only_by_a_new_link(desk: Desk, lena: Account) -> None:
    anna = f"/desk/team/{member_id(desk, 'anna')}"
    lena.send(f"{anna}/disable", page="/desk/team")
    assert f"{anna}/reopen" in lena.get("/desk/team").text
    assert lena.send(f"{anna}/reopen", page="/desk/team").location == "/desk/team?done=reopened"
    assert "may come in again" in words(lena.get("/desk/team?done=reopened"))
    form = {"email": desk.people["anna"].email, "password": PASSWORD, "totp": desk.code("anna")}
    assert desk.client.post("/desk/sign-in", data=form).status_code == 401
    browser = desk.app.test_client()
    assert take_up(browser, desk, mailed_link(desk)).status_code == 303
    assert browser.get("/desk").status_code == 200
    assert "reopened" in {entry.ground for entry in desk.entries(AuditAction.STAFF_CHANGED)}


def test_letting_in_an_enabled_account_keeps_its_password(desk: Desk, lena: Account) -> None:
    anna = Account(desk, "anna")
    lena.send(f"/desk/team/{member_id(desk, 'anna')}/reopen", page="/desk/team")
    assert anna.get("/desk").status_code == 200


def test_letting_in_again_needs_a_confirmation_of_the_lead(desk: Desk) -> None:
    lena, anna = Account(desk, "lena"), f"/desk/team/{member_id(desk, 'anna')}"
    lena.send(f"{anna}/disable", page="/desk/team")
    desk.clock.moment += timedelta(minutes=11)
    assert f"{anna}/reopen" not in lena.get("/desk/team").text
    late = lena.send(f"{anna}/reopen", page="/desk/team")
    assert late.location.startswith("/desk/account/confirm")
    assert desk.call("anna", "GET", "/queue").status_code == 401


def test_nobody_lets_in_an_emptied_account(desk: Desk, lena: Account) -> None:
    anna = member_id(desk, "anna")
    lena.send(f"/desk/team/{anna}/disable", page="/desk/team")
    with Session(desk.engine) as session, session.begin():
        session.get_one(StaffMember, anna).password_hash = ""  # as the nightly run does in the end
    assert f"{anna}/reopen" not in lena.get("/desk/team").text
    assert lena.send(f"/desk/team/{anna}/reopen", page="/desk/team").status_code == 403


def test_an_invitation_to_a_disabled_colleague_points_to_letting_in(desk: Desk, lena: Account) -> None:
    lena.send(f"/desk/team/{member_id(desk, 'anna')}/disable", page="/desk/team")
    form = {"name": "Anna", "email": "Anna@example.org", "role": "worker", "language": "nl"}
    refused = lena.send("/desk/team/invite", page="/desk/team", **form)
    assert refused.status_code == 400
    assert "was shut out. Let them in again above." in words(refused)
