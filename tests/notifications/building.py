"""Builders for the notification tests: a message with every value that a test does not care about."""

import uuid
from datetime import UTC, datetime
from typing import Any

from notifications.channels import Outgoing
from notifications.outbox import NewMessage

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LINK = "https://signalen.example/desk"


def subject(number: int) -> uuid.UUID:
    return uuid.UUID(int=number)


def new_message(**changes: Any) -> NewMessage:
    values: dict[str, Any] = {
        "event": "new_signal",
        "subject_id": subject(1),
        "organisation_id": subject(1000),
        "channel": "memory",
        "recipient": "team@example.org",
        "language": "nl",
        "values": {"link": LINK, "claim_by": "2026-11-25"},
        "not_before": NOON,
        "expires_at": None,
    }
    return NewMessage(**(values | changes))


def outgoing(**changes: Any) -> Outgoing:
    values: dict[str, Any] = {
        "id": subject(7),
        "recipient": "team@example.org",
        "language": "nl",
        "subject": "Er is een nieuwe melding",
        "text": "Één melding.\n.\nDaarna.\n",
        "html": "<p>Één melding.</p>\n",
        "short": "Nieuwe melding.",
        "at": NOON,
    }
    return Outgoing(**(values | changes))
