"""Messages that wait, and the people that they go to."""

from notifications.models import DeliveryAttempt, MessageState, OutboxMessage
from signals.models import Recipient
from tests.factories.base import EPOCH_DAY, MOMENT, RowFactory, derived, numbered_id, sequence


class RecipientFactory(RowFactory[Recipient]):
    """A recipient whose address is verified; `organisation_id` must be given."""

    class Meta:
        model = Recipient

    id = sequence(lambda n: numbered_id(0xEC, n))
    address = sequence(lambda n: f"ontvanger{n}@example.org")
    position = sequence(lambda n: n)
    verified_on = EPOCH_DAY


class OutboxMessageFactory(RowFactory[OutboxMessage]):
    """A message about a new signal that is due."""

    class Meta:
        model = OutboxMessage

    id = sequence(lambda n: numbered_id(0x0B, n))
    event = "new_signal"
    subject_id = sequence(lambda n: numbered_id(0x5B, n))
    channel = "email"
    recipient = "een@example.org"
    language = "nl"
    values = derived(lambda _row: {"link": "https://signalen.example/desk", "claim_by": "2026-11-25"})
    state = MessageState.QUEUED
    not_before = MOMENT
    tries = 0


class DeliveryAttemptFactory(RowFactory[DeliveryAttempt]):
    """A try that a mail server refused for good; `message_id` must be given."""

    class Meta:
        model = DeliveryAttempt

    id = sequence(lambda n: numbered_id(0xD7, n))
    at = MOMENT
    delivered = False
    problem = "smtp_550"
