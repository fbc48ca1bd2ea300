"""Steps of an administrator that several tests take."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from notifications.breaker import Breaker
from notifications.dead_letters import carry_out, post
from notifications.figures import count_messages
from notifications.models import MessageState, OutboxMessage
from notifications.states import Switch, write_states
from signals.db import session_factory
from signals.demo.organisations import go_live
from signals.models import AccountLink, Organisation
from signals.notices.drills import Drills
from signals.organisations.current_addresses import still_reached
from signals.staff.accounts import add_staff
from signals.vocabulary import Role
from tests.factories import DeliveryAttemptFactory, OutboxMessageFactory
from tests.support.desk_side import AMSTERDAM, PASSWORD, QUICK, Desk

NATIONAL = "Landelijk meldpunt"


def bea(desk: Desk, method: str, path: str, **body: Any) -> TestResponse:
    return desk.call("bea", method, path, **({"json": body} if body else {}))


def id_of(desk: Desk, name: str) -> str:
    with Session(desk.engine) as session:
        return str(session.scalars(select(Organisation.id).where(Organisation.name == name)).one())


def told(desk: Desk) -> list[tuple[str, str]]:
    """Return (recipient, link) of the mails about changed accounts."""
    with Session(desk.engine) as session:
        query = select(OutboxMessage).where(OutboxMessage.event == "account_changed")
        return sorted((message.recipient, message.values["link"]) for message in session.scalars(query))


def invited(desk: Desk) -> list[str]:
    with Session(desk.engine) as session:
        return [link.staff_member.email for link in session.scalars(select(AccountLink))]


def area_of(desk: Desk, organisation: str, **more: Any) -> TestResponse:
    wanted = {"level": "pc4", "area": "3511", "valid_from": "2026-03-01"} | more
    return bea(desk, "POST", "/coverage", organisation_id=organisation, **wanted)


def goes_live(desk: Desk, organisation: str) -> None:
    """Give an organisation a lead, and let its recipients and its team prove themselves."""
    with Session(desk.engine) as session, session.begin():
        acting = desk.operation(session)
        add_staff(
            acting,
            organisation_id=UUID(organisation),
            role=Role.LEAD,
            name="Lea Voorbeeld",
            email=f"lea@{organisation}.example.org",
            password=PASSWORD,
            hasher=QUICK,
        )
        team = session.get_one(Organisation, UUID(organisation))
        go_live(acting, drills=Drills(public_url="https://signalen.example"), organisations=[team])


RECIPIENT = "een@example.org"
"""Of each organisation."""


def message(
    desk: Desk,
    state: MessageState,
    *,
    to: str = AMSTERDAM,
    problem: str | None = None,
    number: int = 1,
    recipient: str = RECIPIENT,
) -> None:
    """Messages to a team in a state; `problem`: of their last try."""
    now = desk.clock.now()
    with session_factory(desk.engine).begin() as session:
        team = session.scalars(select(Organisation.id).where(Organisation.name == to)).one()
        for _ in range(number):
            row = OutboxMessageFactory.build(
                organisation_id=team,
                recipient=recipient,
                state=state,
                not_before=now - timedelta(hours=1),
                settled_at=now if state in (MessageState.DELIVERED, MessageState.FAILED) else None,
                tries=1,
            )
            session.add(row)
            session.flush()
            if problem:
                session.add(DeliveryAttemptFactory.build(message_id=row.id, at=now, problem=problem))


def count(desk: Desk, breaker: Breaker | None = None, *missing: str) -> None:
    """Run the worker's jobs of each minute."""
    with session_factory(desk.engine).begin() as session:
        carry_out(session, desk.clock, still_reached=still_reached)
        count_messages(session, desk.clock)
        post(session, still_reached=still_reached)
        switches = [Switch(channel="email"), Switch(channel="sms", missing=missing)]
        write_states(session, desk.clock, switches=switches, breakers={"email": breaker or Breaker()})
