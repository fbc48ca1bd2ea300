"""An outbox for tests, with a clock and a channel in memory."""

import random
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import Mock

from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, selectinload, sessionmaker

from notifications.channels.memory import MemoryChannel
from notifications.delivery import DeliveryReport, deliver_due
from notifications.figures import message_figures
from notifications.models import OutboxMessage
from notifications.outbox import NewMessage, enqueue
from signals.clock import FixedClock
from tests.notifications.building import NOON, new_message, subject


@dataclass
class Outbox:
    """The tables of notifications and a worker's side of them."""

    url: str
    engine: Engine
    factory: sessionmaker[Session]
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))
    channel: MemoryChannel = field(default_factory=MemoryChannel)

    def write(self, *messages: NewMessage) -> int:
        with self.factory.begin() as session:
            return enqueue(session, messages)

    def write_numbers(self, *numbers: int, **changes: object) -> int:
        """Write a message about each of these subjects; about the first without numbers."""
        return self.write(*(new_message(subject_id=subject(number), **changes) for number in numbers or (1,)))

    def deliver(self, **more: Any) -> DeliveryReport:
        return deliver_due(self.factory, self.clock, {"memory": self.channel}, rng=random.Random(1), **more)

    def messages(self) -> list[OutboxMessage]:
        with self.factory() as session:
            found = select(OutboxMessage).options(selectinload(OutboxMessage.attempts))
            return list(session.scalars(found.order_by(OutboxMessage.subject_id)))

    def message(self) -> OutboxMessage:
        """Return the only message."""
        [message] = self.messages()
        return message


def prometheus_text(session: Session, clock: FixedClock) -> str:
    """Return the figures as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(Mock(spec=["collect"], collect=lambda: message_figures(session, clock)))
    return generate_latest(registry).decode()
