"""One team that is sent drills and links."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update

from notifications.models import OutboxMessage
from signals.clock import AMSTERDAM, today
from signals.lifecycle.deadlines import add_working_days
from signals.models import Drill, Organisation, RoutingVersion, StaffMember
from signals.notices.drills import MISSED_AFTER
from signals.operations.jobs import Worker
from signals.vocabulary import Role
from tests.support.world import AMSTERDAM as IN_CHARGE
from tests.support.world import IN_AMSTERDAM, World

FIRST, SECOND = "een@gm0363.example.org", "twee@gm0363.example.org"


TUESDAY = date(2026, 11, 24)


@dataclass(kw_only=True)
class Practice:
    """Amsterdam and its drills."""

    world: World
    worker: Worker

    def send(self, organisation_id: uuid.UUID = IN_CHARGE) -> int:
        with self.world.sessions.begin() as session:
            return self.worker.drills().send(
                self.world.operation(session), organisation_ids=[organisation_id]
            )

    def at(self, day: date) -> None:
        self.world.clock.moment = datetime.combine(day, time(10), AMSTERDAM).astimezone(UTC)

    def follow_up(self, day: date) -> None:
        self.at(day)
        with self.world.sessions.begin() as session:
            self.worker.drills().follow_up(self.world.operation(session))

    def miss(self) -> None:
        """Send a drill today and let its time run out."""
        self.send()
        self.follow_up(add_working_days(today(self.world.clock), MISSED_AFTER))

    def answer(self, drill: Drill) -> bool:
        with self.world.sessions.begin() as session:
            found = session.get_one(Drill, drill.id)
            return self.worker.drills().answer(self.world.operation(session), drill=found)

    def drills(self) -> list[Drill]:
        with self.world.sessions() as session:
            return list(session.scalars(select(Drill).order_by(Drill.sent_on)))

    def links(self) -> dict[tuple[str, str], str]:
        """Return the path in each message, by event and recipient."""
        with self.world.sessions() as session:
            found = session.scalars(select(OutboxMessage)).all()
            return {(one.event, one.recipient): urlsplit(one.values["link"]).path for one in found}

    def receiver(self) -> uuid.UUID:
        """Return the receiver of a report from Amsterdam today."""
        on = today(self.world.clock)
        found = self.world.router().route(IN_AMSTERDAM.postcode, IN_AMSTERDAM.number, on)
        return found.organisation_id

    def staff(self, role: Role) -> str:
        actor = self.world.staff(role=role)
        with self.world.sessions() as session:
            return session.scalars(select(StaffMember.email).where(StaffMember.id == actor.id)).one()

    def version(self) -> int:
        with self.world.sessions() as session:
            return session.scalars(select(RoutingVersion.version)).one()


@pytest.fixture
def practice(world: World) -> Practice:
    return Practice(world=world, worker=world.worker())


# Deputies
DEPUTY_ADDRESS = "plaatsvervanger@example.org"


def name_deputy(practice: Practice, address: str | None, *, since: date | None = None) -> None:
    values = {"deputy_email": address, "deputy_verified_on": since}
    with practice.world.sessions.begin() as session:
        session.execute(update(Organisation).where(Organisation.id == IN_CHARGE).values(values))
