"""A browser without scripts for the desk's pages, and readers of its answers."""

import re
from html import unescape
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.desk_side import PASSWORD, Desk

ATTEMPT = {
    "kind": "visit",
    "result": "contact",
    "attempted_on": "2026-11-24",
    "attempted_time": "10:00",
    "workers": "2",
}


class Browser:
    """A person's browser; it sends what a page's form would send."""

    def __init__(self, desk: Desk, who: str) -> None:
        self.client: FlaskClient = desk.app.test_client()
        self.form = {"email": desk.people[who].email, "password": PASSWORD, "totp": desk.code(who)}
        self.client.post("/desk/sign-in", data=self.form)

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def send(self, signal_id: UUID, what: str, **fields: Any) -> TestResponse:
        """Open the signal's page, fill in one of its forms and send it."""
        page = self.client.get(f"/desk/signals/{signal_id}")
        hidden = {name: hidden_value(page.text, name) for name in ("csrf_token", "version")}
        return self.client.post(f"/desk/signals/{signal_id}/{what}", data=hidden | fields)


def hidden_value(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


def words(response: TestResponse) -> str:
    """The page's text as it is read, on one line."""
    text = re.sub(r"<[^>]+>", " ", response.text.partition("<body>")[2])
    return " ".join(unescape(text).split())


def sign_in(
    desk: Desk, who: str = "anna", *, code: str | None = None, password: str = PASSWORD
) -> FlaskClient:
    """A browser in which this person tried to sign in."""
    browser = desk.app.test_client()
    form = {"email": desk.people[who].email, "password": password, "totp": code or desk.code(who)}
    browser.post("/desk/sign-in", data=form)
    return browser
