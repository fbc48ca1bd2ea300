"""Messages that wait, and the people that they go to."""

import factory

from notifications.models import DeliveryAttempt, MessageState, OutboxMessage
from signals.models import Recipient
from tests.factories.base import EPOCH_DAY, MOMENT, RowFactory, numbered_id


class RecipientFactory(RowFactory):
    """A recipient whose address is verified; `organisation_id` must be given."""

    class Meta:
        model = Recipient

    id = factory.Sequence(lambda n: numbered_id(0xEC, n))
    address = factory.Sequence(lambda n: f"ontvanger{n}@example.org")
    position = factory.Sequence(lambda n: n)
    verified_on = EPOCH_DAY


class OutboxMessageFactory(RowFactory):
    """A message about a new signal that is due."""

    class Meta:
        model = OutboxMessage

    id = factory.Sequence(lambda n: numbered_id(0x0B, n))
    event = "new_signal"
    subject_id = factory.Sequence(lambda n: numbered_id(0x5B, n))
    channel = "email"
    recipient = "een@example.org"
    language = "nl"
    values = factory.LazyAttribute(
        lambda _row: {"link": "https://signalen.example/desk", "claim_by": "2026-11-25"}
    )
    state = MessageState.QUEUED
    not_before = MOMENT
    tries = 0


class DeliveryAttemptFactory(RowFactory):
    """A try that a mail server refused for good; `message_id` must be given."""

    class Meta:
        model = DeliveryAttempt

    id = factory.Sequence(lambda n: numbered_id(0xD7, n))
    at = MOMENT
    delivered = False
    problem = "smtp_550"
