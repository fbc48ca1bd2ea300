"""Channels that fail, look around or die while a message is sent."""

from collections.abc import Callable
from dataclasses import dataclass, field

from notifications.channels import Outgoing, Sent
from notifications.models import OutboxMessage


def problems(message: OutboxMessage) -> list[str | None]:
    return [attempt.problem for attempt in message.attempts]


class Crash(Exception):
    """An error that no channel should raise."""


def crash(_: Outgoing) -> int:
    raise Crash


@dataclass
class During:
    """A channel that does something while it sends and keeps what came of it."""

    action: Callable[[Outgoing], int]
    seen: list[int] = field(default_factory=list)

    def send(self, message: Outgoing) -> Sent:
        self.seen.append(self.action(message))
        return Sent(provider_message_id="during")
