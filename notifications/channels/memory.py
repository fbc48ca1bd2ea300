"""A channel that keeps what it is given and fails when told to; for tests, here and elsewhere."""

from collections import deque
from dataclasses import dataclass, field

from notifications.channels import Outgoing, Sent
from notifications.retry import DeliveryFailure


@dataclass(kw_only=True)
class MemoryChannel:
    """`sent` holds what arrived, in order; each of `failures` is raised once before anything arrives."""

    sent: list[Outgoing] = field(default_factory=list)
    failures: deque[DeliveryFailure] = field(default_factory=deque)

    def send(self, message: Outgoing) -> Sent:
        if self.failures:
            raise self.failures.popleft()
        self.sent.append(message)
        return Sent(provider_message_id=f"memory-{message.id}")
