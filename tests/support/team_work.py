"""Steps of a team that several tests take."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from signals.models import Organisation, Signal, StaffMember
from tests.support.desk_side import Desk
from tests.support.pages import Browser, hidden_value


def post(who: Browser, path: str, **values: object) -> TestResponse:
    """Send a form of the page at this path."""
    token = hidden_value(who.get(path).text, "csrf_token")
    return who.client.post(path, data={"csrf_token": token, **values})


def signal_of(desk: Desk, signal_id: UUID) -> Signal:
    with Session(desk.engine, expire_on_commit=False) as session:
        return session.get_one(Signal, signal_id)


def id_of(desk: Desk, who: str) -> UUID:
    with Session(desk.engine) as session:
        return session.scalars(select(StaffMember.id).where(StaffMember.email == f"{who}@example.org")).one()


def organisation_of(desk: Desk, name: str) -> UUID:
    with Session(desk.engine) as session:
        return session.scalars(select(Organisation.id).where(Organisation.name == name)).one()


def join(browser: Browser, signal_id: UUID, earlier: UUID) -> TestResponse:
    return browser.send(signal_id, "join", earlier_id=str(earlier))
