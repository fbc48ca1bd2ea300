"""Steps of a privacy officer that several tests take."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.db import session_factory
from signals.models import Organisation, StaffMember
from signals.staff.sessions import open_session
from signals.web.staff_kit.auth import COOKIE
from tests.support.desk_side import GRONINGEN, Desk


def ask(desk: Desk, what: str, who: str = "fleur", **body: Any) -> TestResponse:
    return desk.call(who, "POST", f"/residents/{what}", json=body)


def refer_to_groningen(desk: Desk, signal_id: UUID) -> None:
    refer(desk, "anna", signal_id, GRONINGEN)


def refer(desk: Desk, who: str, signal_id: UUID, receiver: str) -> None:
    with Session(desk.engine) as session:
        to = session.scalars(select(Organisation.id).where(Organisation.name == receiver)).one()
    body = {"organisation_id": str(to), "reason": "moved"}
    assert desk.call(who, "POST", f"/signals/{signal_id}/refer", json=body).status_code == 200


def browser(desk: Desk, who: str) -> FlaskClient:
    """A browser in which this person is signed in."""
    with session_factory(desk.engine).begin() as session:
        member = session.scalars(select(StaffMember).where(StaffMember.email == f"{who}@example.org")).one()
        token, _opened = open_session(session, member, "page", desk.clock.now(), timedelta(hours=8))
    client = desk.app.test_client()
    client.set_cookie(COOKIE, token)
    return client


def send(client: FlaskClient, path: str, page: str = "", **fields: str) -> tuple[int, str]:
    """Send a form as the page at `page` (by default that of the same path) would."""
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', client.get(page or path).text)
    assert found
    answer = client.post(path, data={"csrf_token": found[1], **fields})
    return answer.status_code, answer.headers.get("Location", "") or answer.text
