"""Test that an administrator asks a team for its provider, and that a lead of the team approves it."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.models import IdentityProvider, Organisation
from tests.support.desk_side import AMSTERDAM, GRONINGEN, Desk
from tests.support.pages import hidden_value, sign_in, words

ASKED = {
    "issuer": "https://login.example.org/amsterdam",
    "client_id": "signals",
    "secret_file": "amsterdam.secret",
    "domains": "example.org  voorbeeld.example",
    "factors": "mfa",
}


def _page(desk: Desk, name: str = AMSTERDAM) -> str:
    with Session(desk.engine) as session:
        team = session.scalars(select(Organisation.id).where(Organisation.name == name)).one()
    return f"/admin/organisations/{team}/provider"


def _ask(browser: FlaskClient, path: str, **changed: str) -> Any:
    token = hidden_value(browser.get(path).text, "csrf_token")
    return browser.post(path, data=ASKED | changed | {"csrf_token": token})


def _decide(desk: Desk, who: str, answer: str = "approve") -> Any:
    browser = sign_in(desk, who)
    page = browser.get("/desk/approvals").text
    found = re.search(rf'action="(/desk/approvals/[0-9a-f-]+/{answer})"', page)
    assert found, words(browser.get("/desk/approvals"))
    return browser.post(found[1], data={"csrf_token": hidden_value(page, "csrf_token")})


def _providers(desk: Desk) -> list[IdentityProvider]:
    with Session(desk.engine) as session:
        return list(session.scalars(select(IdentityProvider)))


def test_a_provider_counts_once_a_lead_approves(desk: Desk) -> None:
    assert "Aanmelden bij uw eigen organisatie" not in desk.client.get("/desk/sign-in").text
    assert _ask(sign_in(desk, "bea"), _page(desk)).status_code == 303
    assert _providers(desk) == []
    lead = sign_in(desk, "lena")
    assert "https://login.example.org/amsterdam" in words(lead.get("/desk/approvals"))
    assert _decide(desk, "lena").status_code == 303
    (found,) = _providers(desk)
    assert (found.issuer, found.domains) == (ASKED["issuer"], "example.org voorbeeld.example")
    page = desk.client.get("/desk/sign-in").text
    assert page.index("/desk/provider/start") < page.index('action="/desk/sign-in"')


def test_a_team_leaves_its_provider_by_the_same_two_people(desk: Desk) -> None:
    _ask(sign_in(desk, "bea"), _page(desk))
    _decide(desk, "lena")
    assert _ask(sign_in(desk, "bea"), _page(desk), issuer="").status_code == 303
    assert len(_providers(desk)) == 1
    _decide(desk, "lena")
    assert _providers(desk) == []


def test_a_declined_provider_changes_nothing(desk: Desk) -> None:
    _ask(sign_in(desk, "bea"), _page(desk))
    _decide(desk, "lena", "decline")
    assert _providers(desk) == []


def test_a_lead_of_another_team_or_the_asker_decides_nothing(desk: Desk) -> None:
    _ask(sign_in(desk, "bea"), _page(desk))
    for who in ("floor", "bea"):
        page = sign_in(desk, who).get("/admin/approvals" if who == "bea" else "/desk/approvals").text
        assert "/approve" not in page


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("issuer", "http://login.example.org"),
        ("issuer", "javascript:alert(1)"),
        ("client_id", " "),
        ("secret_file", "../master.key"),
        ("secret_file", "/etc/passwd"),
        ("domains", ""),
        ("domains", "example"),
        ("domains", "example.org @x"),
    ],
)
def test_what_would_be_unsafe_is_not_even_asked(desk: Desk, field: str, text: str) -> None:
    answer = _ask(sign_in(desk, "bea"), _page(desk), **{field: text})
    assert answer.status_code == 400
    assert f'id="provider-{field}-wrong"' in answer.text


def test_a_domain_belongs_to_one_team(desk: Desk) -> None:
    _ask(sign_in(desk, "bea"), _page(desk))
    _decide(desk, "lena")
    assert _ask(sign_in(desk, "bea"), _page(desk, GRONINGEN)).status_code == 400
