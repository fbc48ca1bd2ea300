"""Test signing out at the provider, by the provider, and with somebody whom the provider shut out."""

import base64
import json
from datetime import timedelta
from urllib.parse import urljoin

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from signals.models import Challenge, StaffSession
from signals.staff.openid import Client
from signals.vocabulary import AuditAction
from tests.support.identity_provider import Visitor, onward, question
from tests.support.pages import hidden_value
from tests.support.provider_site import Site

pytestmark = pytest.mark.slow


def _leave(visitor: Visitor, url: str) -> None:
    """Press the provider's own button to sign out there."""
    form = visitor.http.get(url, timeout=30).text
    action = form.partition('action="')[2].partition('"')[0]
    values = {"xsrf": hidden_value(form, "xsrf"), "logout": "yes"}
    assert visitor.http.post(urljoin(url, action), data=values, timeout=30, allow_redirects=False).is_redirect


def test_signing_out_here_leads_to_the_provider_with_no_word_of_who_it_is(site: Site) -> None:
    site.visitor.sign_in()
    page = site.visitor.get("/desk/account").text
    answer = site.visitor.post("/desk/sign-out", csrf_token=hidden_value(page, "csrf_token"))
    assert not site.visitor.is_in
    asked = question(onward(answer))
    assert set(asked) == {"client_id", "post_logout_redirect_uri"}
    _leave(site.visitor, onward(answer))
    url = site.visitor.begin()
    assert "/interaction/" in site.visitor.http.get(url, timeout=30).url  # the provider asks again, too


def test_signing_out_at_the_provider_ends_the_session_here(site: Site) -> None:
    """The provider posts a logout token of its own making."""
    site.visitor.sign_in()
    elsewhere = Visitor(site.url)
    elsewhere.sign_in()
    assert len(site.sessions()) == 2
    _leave(site.visitor, f"{site.provider.issuer}/session/end?client_id=signals-{site.provider.port}")
    assert not site.visitor.is_in
    assert elsewhere.is_in  # another sign-in of the same person at the provider
    assert [entry.ground for entry in site.desk.entries(AuditAction.SIGN_OUT)] == ["provider"]


def test_a_logout_token_counts_once_for_its_own_client_and_soon(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    read = Client.read_logout
    monkeypatch.setattr(Client, "read_logout", lambda one, token: heard.append(token) or read(one, token))
    site.visitor.sign_in()
    _leave(site.visitor, f"{site.provider.issuer}/session/end?client_id=signals-{site.provider.port}")
    path = f"/desk/provider/{site.team}/logout"
    assert site.visitor.post(path, logout_token=heard[0]).status_code == 400
    _forget_used(site)
    site.change(client_id="another")
    assert site.visitor.post(path, logout_token=heard[0]).status_code == 400
    site.change(client_id=f"signals-{site.provider.port}")
    site.move(minutes=5)
    assert site.visitor.post(path, logout_token=heard[0]).status_code == 400
    site.move(minutes=-5)
    assert site.visitor.post(path, logout_token=heard[0]).status_code == 200


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
def test_a_token_that_no_provider_signed_ends_nothing(site: Site, token: str) -> None:
    site.visitor.sign_in()
    assert site.visitor.post(f"/desk/provider/{site.team}/logout", logout_token=token).status_code == 400
    forged = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "none"}, {"iss": site.provider.issuer, "sub": "anna", "jti": "1"})
    )
    answer = site.visitor.post(f"/desk/provider/{site.team}/logout", logout_token=f"{forged}.")
    assert answer.status_code == 400
    assert site.visitor.is_in


def test_a_session_is_confirmed_after_forty_minutes(site: Site) -> None:
    site.visitor.sign_in()
    assert site.check_sessions() == 0
    before = site.sessions()[0]
    _age(site, 41)
    assert site.check_sessions() == 1
    after = site.sessions()[0]
    assert after.checked_at is not None
    assert before.checked_at is not None
    assert after.checked_at >= before.checked_at
    assert after.refresh_sealed not in (None, before.refresh_sealed)
    assert site.visitor.is_in


def test_somebody_whom_the_provider_shut_out_loses_all_sessions(site: Site) -> None:
    site.visitor.sign_in()
    elsewhere = Visitor(site.url)
    elsewhere.sign_in()
    site.provider.account("anna", disabled=True)
    _age(site, 41)
    site.check_sessions()
    assert site.sessions() == []
    assert not site.visitor.is_in
    assert not elsewhere.is_in


def test_a_provider_that_is_away_ends_a_session_after_an_hour_and_not_before(site: Site) -> None:
    site.visitor.sign_in()
    site.provider.stop()
    _age(site, 41)
    assert site.check_sessions() == 1
    assert site.visitor.is_in
    assert site.check_sessions() == 1  # the token is still there to ask again
    _age(site, 61)
    assert not site.visitor.is_in


def _forget_used(site: Site) -> None:
    with Session(site.desk.engine) as session, session.begin():
        session.execute(delete(Challenge).where(Challenge.purpose == "logout"))


def _age(site: Site, minutes: int) -> None:
    """Let the provider's last word about every session be so old, while the clocks stay together."""
    with Session(site.desk.engine) as session, session.begin():
        for one in site.sessions():
            found = session.get_one(StaffSession, one.id)
            found.checked_at = site.desk.clock.moment - timedelta(minutes=minutes)
