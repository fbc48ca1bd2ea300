"""Ways to reach a recipient. Each takes one finished message and says what the provider answered."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A message ready to be sent. `id` is the same when it is sent again; `at` is the moment of this try."""

    id: uuid.UUID
    recipient: str = field(repr=False)
    language: str
    subject: str
    text: str
    html: str
    short: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The provider took the message under this id."""

    provider_message_id: str


class Channel(Protocol):
    """One way to send."""

    def send(self, message: Outgoing) -> Sent:
        """Hand the message to the provider.

        Raises TemporaryFailure, PermanentFailure, Throttled or OutcomeUnknown, never with personal data.
        """
        ...


@runtime_checkable
class KeepsConnection(Protocol):
    """A channel that keeps a connection from one message to the next."""

    def rest(self) -> None:
        """Nothing more is to be sent for now by this thread: end the connection."""
        ...


def message_id(id: uuid.UUID, host: str) -> str:
    """Our own Message-ID (RFC 5322, 3.6.4), the same for every try: a repeat can be recognised by it."""
    return f"<{id}@{host}>"
