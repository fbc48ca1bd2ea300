"""Signals in every state, and what hangs on them. The sealed columns hold no real envelopes."""

import hashlib
from datetime import date, timedelta
from typing import Any

import factory

from signals.models import AddressLink, ContactAttempt, Receipt, Signal
from signals.vocabulary import AttemptKind, AttemptResult, ReceiptState, SignalState
from tests.factories.base import EPOCH_DAY, MOMENT, RowFactory, numbered_id


def _next_deadline(row: Any) -> date:
    deadlines = {SignalState.NEW: row.claim_by, SignalState.CLAIMED: row.contact_by}
    found: date = deadlines.get(row.state, row.conclude_by)
    return found


class SignalFactory(RowFactory):
    """A new signal of an organisation (`organisation_id` must be given), with the default deadlines."""

    class Meta:
        model = Signal

    id = factory.Sequence(lambda n: numbered_id(0x51, n))
    reference = factory.Sequence(lambda n: f"{n // 10_000:04d}-{n % 10_000:04d}")
    state = SignalState.NEW
    version = 1
    received_on = EPOCH_DAY
    case_key_id = factory.Sequence(lambda n: numbered_id(0xCA, n))
    content = b"sealed content"
    summary = b"sealed summary"
    claim_by = factory.LazyAttribute(lambda row: row.received_on + timedelta(days=1))
    contact_by = factory.LazyAttribute(lambda row: row.received_on + timedelta(days=2))
    conclude_by = factory.LazyAttribute(lambda row: row.received_on + timedelta(days=28))
    due_on = factory.LazyAttribute(_next_deadline)


class ReceiptFactory(RowFactory):
    """A receipt of a report that has just arrived."""

    class Meta:
        model = Receipt

    receipt_hash = factory.Sequence(lambda n: hashlib.sha256(f"receipt {n}".encode()).digest())
    state = ReceiptState.RECEIVED
    state_before = ReceiptState.RECEIVED
    changed_on = EPOCH_DAY


class ContactAttemptFactory(RowFactory):
    """A visit at which nobody answered; `signal` and `recorded_by_id` must be given."""

    class Meta:
        model = ContactAttempt

    id = factory.Sequence(lambda n: numbered_id(0xA7, n))
    kind = AttemptKind.VISIT
    result = AttemptResult.NO_ANSWER
    attempted_at = MOMENT
    workers = 1
    recorded_at = MOMENT


class AddressLinkFactory(RowFactory):
    """A link of an address under the key of the first quarter; `organisation_id` must be given."""

    class Meta:
        model = AddressLink

    id = factory.Sequence(lambda n: numbered_id(0xAD, n))
    quarter = "2026-Q1"
    pseudonym = b"p" * 16
    house_pseudonym = b"h" * 16
    received_on = EPOCH_DAY
    signal_id = None
    outcome_group = None
