"""Share helpers of the tests of a team's own settings."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from notifications.models import OutboxMessage
from signals.db import session_factory
from signals.models import Organisation
from signals.organisations.recipients import ask_for_proof
from tests.support.desk_side import AMSTERDAM, Desk
from tests.support.pages import Browser, hidden_value


def post(who: Browser, form: str, to: str, **values: str) -> TestResponse:
    """Send a form of the page `form` to the address `to`."""
    page = who.get(form).text
    hidden = {"csrf_token": hidden_value(page, "csrf_token")}
    if 'name="version"' in page:
        hidden["version"] = hidden_value(page, "version")
    return who.client.post(to, data=hidden | values)


def team_of(desk: Desk, name: str = AMSTERDAM) -> Organisation:
    with Session(desk.engine, expire_on_commit=False) as session:
        found = session.scalars(select(Organisation).where(Organisation.name == name)).one()
        assert found.recipients is not None
        return found


def problems(answer: TestResponse) -> dict[str, str]:
    assert answer.status_code == 400, answer.text
    return {entry["field"]: entry["code"] for entry in answer.get_json()["errors"]}


def recipients_of(desk: Desk, path: str) -> list[dict[str, Any]]:
    found = desk.call("lena", "GET", path).get_json()["recipients"]
    return [{name: entry[name] for name in ("address", "channel", "phone")} for entry in found]


def asked(desk: Desk) -> list[str]:
    """Let the worker ask whom it has not asked yet; whom it asks now."""
    with session_factory(desk.engine).begin() as session:
        told = set(session.scalars(select(OutboxMessage.id)))
        ask_for_proof(desk.operation(session), public_url="https://signalen.example")
        new = select(OutboxMessage.recipient).where(OutboxMessage.id.not_in(told))
        return list(session.scalars(new))


def away(desk: Desk, who: str, **values: object) -> TestResponse:
    body = {"away_from": "2026-11-24", "away_until": "2026-12-04", **values}
    return desk.call(who, "POST", "/team/absences", json=body)


def claimed(desk: Desk, who: str, number: int = 12) -> UUID:
    signal_id = desk.arrive(number=number)
    assert desk.call(who, "POST", f"/signals/{signal_id}/claim").status_code == 200
    return signal_id


def visit(desk: Desk, who: str, signal_id: UUID) -> int:
    tried = {"kind": "visit", "result": "contact", "attempted_at": "2026-11-24T10:00:00+01:00"}
    return desk.call(who, "POST", f"/signals/{signal_id}/contact-attempts", json=tried).status_code
