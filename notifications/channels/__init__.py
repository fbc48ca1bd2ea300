"""Channels to recipients: each takes one finished message and returns the answer of the provider."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from notifications.leasing import Lease


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A message that is ready to send. `id` stays the same in a repeat; `at`: the moment of this try."""

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
    """A channel."""

    def send(self, message: Outgoing) -> Sent:
        """Hand the message to the provider.

        Raises TemporaryFailure, PermanentFailure, Throttled or OutcomeUnknown, never with personal data.
        """
        ...


@runtime_checkable
class SystemChannel(Protocol):
    """A channel to another system: it makes its own request, where a person would get a text."""

    def pass_on(self, message: Lease) -> Sent:
        """Hand an event to the system. Raises as `Channel.send` does."""
        ...


AnyChannel = Channel | SystemChannel


@runtime_checkable
class KeepsConnection(Protocol):
    """A channel that keeps a connection from one message to the next."""

    def rest(self) -> None:
        """End the connection of this thread, until the next message."""
        ...


def message_id(id: uuid.UUID, host: str) -> str:
    """Return our Message-ID (RFC 5322, 3.6.4); it is the same for every try, so a repeat is recognisable."""
    return f"<{id}@{host}>"
