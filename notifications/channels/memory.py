"""A channel for tests: it keeps messages and fails on demand."""

from collections import deque
from dataclasses import dataclass, field

from notifications.channels import Outgoing, Sent
from notifications.retry import DeliveryFailure


@dataclass(kw_only=True)
class MemoryChannel:
    """`sent`: the messages that arrived, in order; each of `failures` is raised once before that."""

    sent: list[Outgoing] = field(default_factory=list)
    failures: deque[DeliveryFailure] = field(default_factory=deque)

    def send(self, message: Outgoing) -> Sent:
        if self.failures:
            raise self.failures.popleft()
        self.sent.append(message)
        return Sent(provider_message_id=f"memory-{message.id}")
