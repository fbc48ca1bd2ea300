"""A team with one signal, whose reminders a test counts."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import pytest
from sqlalchemy import select, update

from notifications.events import Event
from notifications.models import OutboxMessage
from signals.audit.log import Actor
from signals.casework import claim, record_attempt, release
from signals.clock import AMSTERDAM
from signals.models import Organisation, Signal
from signals.operations.jobs import Worker
from signals.vocabulary import AttemptKind, AttemptResult, Role
from tests.support.world import AMSTERDAM as IN_CHARGE
from tests.support.world import NATIONAL, World

TEAM = {"een@gm0363.example.org", "twee@gm0363.example.org"}


DEPUTY = "plaatsvervanger@example.org"


# Received on Tuesday 24 November 2026: claim by the 25th, contact by the 26th, conclude by 22 December.
@dataclass(kw_only=True)
class Team:
    """Amsterdam with one signal that arrived, its worker, its lead and the national desk's lead."""

    world: World
    worker: Worker
    member: Actor
    lead: str
    manager: str

    def at(self, day: date, hour: int = 9) -> None:
        """Set the clock to an hour in Amsterdam."""
        self.world.clock.moment = datetime.combine(day, time(hour), AMSTERDAM).astimezone(UTC)

    def remind(self, day: date, hour: int = 9) -> int:
        self.at(day, hour)
        return self.worker.remind()

    def expect(self, event: Event, notified: dict[date, set[str]]) -> None:
        """Remind on each day, and compare who was notified by then."""
        for day, recipients in notified.items():
            self.remind(day)
            assert self.world.notified(event) == recipients, day

    def messages(self, event: Event) -> list[OutboxMessage]:
        with self.world.sessions() as session:
            return list(session.scalars(select(OutboxMessage).where(OutboxMessage.event == event)))

    def claim(self) -> None:
        [signal] = self.world.signals()
        with self.world.sessions.begin() as session:
            claim(self.world.operation(session, self.member), signal_id=signal.id)

    def try_contact(self, result: AttemptResult = AttemptResult.NO_ANSWER, until: date | None = None) -> None:
        [signal] = self.world.signals()
        with self.world.sessions.begin() as session:
            record_attempt(
                self.world.operation(session, self.member),
                signal_id=signal.id,
                kind=AttemptKind.VISIT,
                result=result,
                attempted_at=self.world.clock.now(),
                workers=1,
                postponed_until=until,
            )

    def agree(self, until: date) -> None:
        self.try_contact(AttemptResult.POSTPONED, until)

    def put_back(self) -> None:
        [signal] = self.world.signals()
        with self.world.sessions.begin() as session:
            release(self.world.operation(session, self.member), signal_id=signal.id)

    def set(self, **values: object) -> None:
        with self.world.sessions.begin() as session:
            session.execute(update(Organisation).where(Organisation.id == IN_CHARGE).values(**values))

    def change_signal(self, **values: object) -> None:
        with self.world.sessions.begin() as session:
            session.execute(update(Signal).values(**values))


@pytest.fixture
def team(world: World) -> Team:
    worker = world.worker()
    world.receive(1)
    worker.arrive()
    return Team(
        world=world,
        worker=worker,
        member=world.staff(),
        lead=world.email_of(world.staff(role=Role.LEAD)),
        manager=world.email_of(world.staff(NATIONAL, Role.LEAD)),
    )


NOVEMBER = {day: date(2026, 11, day) for day in range(1, 31)}


DECEMBER = {day: date(2026, 12, day) for day in range(1, 32)}
