"""Help tests act as an outsider: hear SQL, list pages, send cookies."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from signals.staff.sessions import csrf_token
from signals.web.staff_kit.auth import COOKIE
from tests.support.desk_side import Desk
from tests.support.endpoints import ALLOWED, PEOPLE, _page_session

Statements = list[tuple[str, str]]


# SQL
@contextmanager
def overheard() -> Iterator[Statements]:
    """Collect every statement that reaches a database, with its values."""
    found: Statements = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        found.append((statement, repr(values)))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


FILES: Final = ("/favicon.ico",)


def pages(signal_id: UUID) -> Iterator[tuple[str, str]]:
    """Yield (role, address) of each page that a person can open, with a signal of the own organisation."""
    for (method, rule), who in ALLOWED.items():
        path = rule.replace("<uuid:signal_id>", str(signal_id))
        shown = not rule.startswith(("/api/", "/static/", "/metrics")) and rule not in FILES
        if method == "GET" and "<" not in path and shown:
            yield who[0], path


def client(desk: Desk) -> FlaskClient:
    """Return a client that takes cookies from the headers only, whatever the host's name."""
    return desk.app.test_client(use_cookies=False)


def headers_of(desk: Desk, who: str) -> dict[str, str]:
    """Return the headers of somebody of this role who just signed in."""
    return {} if who == "-" else {"Cookie": f"{COOKIE}={_page_session(desk, PEOPLE[who])}"}


def secret_of(headers: Mapping[str, str]) -> dict[str, str]:
    return {"csrf_token": csrf_token(headers["Cookie"].partition("=")[2])} if headers else {}
