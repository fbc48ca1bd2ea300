"""Test sign-in, tokens, cookies, roles and CSRF, and the authentication that every route states."""

import re
import sys
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from signals.vocabulary import AuditAction
from signals.web.staff_kit.auth import Authentication
from tests.support.desk_side import BASE, PASSWORD, Desk
from tests.support.pages import sign_in

# Routes of libraries and of no side: the OpenAPI description, its page, the icon, static files and bundles.
OF_NO_SIDE = {"openapi", "bundle", "docs", "favicon", "mark", "static"}
SAID = {"none", "bearer", "cookie"}


def routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method


def test_every_blueprint_states_its_authentication(desk: Desk) -> None:
    said = {
        name: getattr(sys.modules[blueprint.import_name], "AUTHENTICATION", None)
        for name, blueprint in desk.app.blueprints.items()
    }
    assert {name: means for name, means in said.items() if means not in SAID} == {}


def test_every_view_has_the_authentication_of_its_blueprint(desk: Desk) -> None:
    wrong = []
    for rule, _method in routes(desk.app):
        if rule.endpoint in OF_NO_SIDE:
            continue
        name = rule.endpoint.rpartition(".")[0]
        stated = sys.modules[desk.app.blueprints[name].import_name].__dict__["AUTHENTICATION"]
        asked = getattr(
            desk.app.view_functions[rule.endpoint], "authentication", Authentication(means="none")
        )
        is_open = rule.rule.endswith(("/sessions", "/sign-in", "/desk/sw.js", "/desk/offline"))
        if asked.means != ("none" if is_open else stated) or (asked.means != "none" and not asked.roles):
            wrong.append(rule.endpoint)
    assert wrong == []


def test_a_program_signs_in_and_out(desk: Desk) -> None:
    body = {"email": "Anna@Example.org ", "password": PASSWORD, "totp": desk.code("anna")}
    answer = desk.client.post(f"{BASE}/sessions", json=body)
    session = answer.get_json()
    assert (answer.status_code, session["role"], session["name"]) == (201, "worker", "Anna Voorbeeld")
    assert answer.headers.getlist("Set-Cookie") == []
    bearer = {"Authorization": f"Bearer {session['token']}"}
    assert desk.client.get(f"{BASE}/me", headers=bearer).status_code == 200
    assert desk.client.delete(f"{BASE}/sessions/current", headers=bearer).status_code == 204
    assert desk.client.get(f"{BASE}/me", headers=bearer).status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic YTpi", "Token x", "Bearer \xe9"])
def test_a_malformed_token_is_refused(desk: Desk, header: str) -> None:
    answer = desk.client.get(f"{BASE}/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "wrong", [{"email": "nobody@example.org"}, {"password": "een ander wachtwoord"}, {"totp": "000000"}]
)
def test_every_wrong_sign_in_gets_one_answer_and_a_known_account_an_entry(
    desk: Desk, wrong: dict[str, str]
) -> None:
    body = {"email": "anna@example.org", "password": PASSWORD, "totp": desk.code("anna")} | wrong
    answer = desk.client.post(f"{BASE}/sessions", json=body)
    assert answer.status_code == 401
    assert answer.get_json()["type"] == "urn:problem:signals:sign_in_failed"
    assert len(desk.entries(AuditAction.SIGN_IN_FAILED)) == ("email" not in wrong)


def test_a_session_of_a_browser_is_no_token_and_a_token_is_no_session(desk: Desk) -> None:
    browser = sign_in(desk)
    cookie = browser.get_cookie("signals-desk")
    assert cookie is not None
    answer = desk.client.get(f"{BASE}/me", headers={"Authorization": f"Bearer {cookie.value}"})
    assert answer.status_code == 401
    other = desk.app.test_client()
    other.set_cookie("signals-desk", desk.people["anna"].token)
    assert other.get("/desk").status_code == 303


def test_the_api_takes_no_cookie(desk: Desk) -> None:
    assert sign_in(desk).get(f"{BASE}/me").status_code == 401


def test_a_form_of_an_older_session_is_shown_to_its_writer_and_changes_nothing(desk: Desk) -> None:
    signal_id = desk.arrive()
    older = csrf_of(sign_in(desk))
    form = {"text": "Wat ik typte", "label:text": "Notitie", "csrf_token": older}
    refused = sign_in(desk).post(f"/desk/signals/{signal_id}/notes", data=form)
    assert refused.status_code == 403
    assert "Wat ik typte" in refused.text
    assert older not in refused.text
    assert desk.entries(AuditAction.SIGNAL_CHANGED) == []


def test_signing_in_leads_back_to_the_wanted_page(desk: Desk) -> None:
    signal_id = desk.arrive()
    asked = desk.client.get(f"/desk/signals/{signal_id}?done=claim")
    assert asked.location == f"/desk/sign-in?next=/desk/signals/{signal_id}?done%3Dclaim"
    form = {"email": "anna@example.org", "password": PASSWORD, "totp": desk.code("anna")}
    there = desk.client.post("/desk/sign-in", data=form | {"next": f"/desk/signals/{signal_id}"})
    assert there.location == f"/desk/signals/{signal_id}"


def csrf_of(browser: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]{96})"', browser.get("/desk").text)
    assert found is not None
    return found[1]
