"""Write the answer to a request for access (art. 15 AVG): all data of the resident, and no name of staff."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from marshmallow import Schema, fields, post_dump, validate

from signals.residents.export import RECIPIENTS, ExportedSignal
from signals.retention.expiry import LINKS_KEPT_DAYS
from signals.vocabulary import RetentionRule
from signals.web.http.fields import Choice, CodeList
from signals.web.labels import sender
from signals.web.staff_kit.schemas import AddressSchema, DayOfMoment

_RECIPIENT: Final = CodeList(
    name="RecipientCategory", text="A category of recipients (art. 15(1)(c) AVG)", codes=RECIPIENTS
)


class Minute(fields.DateTime):
    """Write whole minutes; RFC 3339 wants the seconds too."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return value.replace(second=0, microsecond=0).isoformat() if value else None


class KeptSchema(Schema):
    """The retention period of one rule, and its legal basis (art. 15(1)(d) AVG)."""

    rule = Choice(RetentionRule, required=True)
    days = fields.Integer(required=True)
    legal_basis = fields.String(required=True)


class ExportedAccessSchema(Schema):
    """The day on which somebody opened or changed the signal, and the act."""

    on = DayOfMoment(attribute="at", required=True)
    action = fields.String(required=True)


class ExportedAttemptSchema(Schema):
    """A contact attempt."""

    kind = fields.String(required=True)
    result = fields.String(required=True)
    at = Minute(attribute="attempted_at", required=True)
    workers = fields.Integer(required=True)
    agreed_for = fields.Date(attribute="postponed_until", required=True, allow_none=True)


class ExportedChangeSchema(Schema):
    """A change of the state."""

    action = fields.String(required=True)
    on = fields.Date(required=True)
    before = fields.String(required=True, allow_none=True)
    after = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    day = fields.Date(required=True, allow_none=True)


class ExportedNoteSchema(Schema):
    """A note of the follow-up."""

    at = Minute(attribute="written_at", required=True)
    text = fields.String(required=True)


class ExportedSignalSchema(Schema):
    """A signal: how it came in, its content, its follow-up and everybody's use of it."""

    reference = fields.String(attribute="signal.reference", required=True)
    received_on = fields.Date(attribute="signal.received_on", required=True)
    unrouted = fields.Boolean(attribute="signal.unrouted", required=True)
    outside_area = fields.Boolean(attribute="signal.outside_area", required=True)
    repeat = fields.Boolean(attribute="signal.repeat", required=True)
    urgent = fields.Boolean(attribute="signal.urgent", required=True)
    drawn_order = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The first attempts that were drawn for a comparison; empty without one"},
    )
    team_told = fields.Boolean(attribute="signal.team_notified", required=True)
    state = fields.String(attribute="signal.state", required=True)
    claim_by = fields.Date(attribute="signal.claim_by", required=True)
    contact_by = fields.Date(attribute="signal.contact_by", required=True)
    conclude_by = fields.Date(attribute="signal.conclude_by", required=True)
    due_on = fields.Date(attribute="signal.due_on", required=True, allow_none=True)
    contact_attempts = fields.List(
        fields.Nested(ExportedAttemptSchema), attribute="signal.attempts", required=True
    )
    corrected_attempts = fields.List(
        fields.Nested(ExportedAttemptSchema),
        attribute="signal.former_attempts",
        required=True,
        metadata={"description": "As first noted; `contact_attempts` has what is right"},
    )
    postponed_until = fields.Date(attribute="signal.postponed_until", required=True, allow_none=True)
    first_contact_at = Minute(attribute="signal.first_contact_at", required=True, allow_none=True)
    concluded_at = Minute(attribute="signal.concluded_at", required=True, allow_none=True)
    outcome = fields.String(attribute="signal.outcome", required=True, allow_none=True)
    referred_to = fields.String(attribute="signal.referred_to", required=True, allow_none=True)
    newly_known = fields.Boolean(attribute="signal.newly_known", required=True, allow_none=True)
    letter_printed_on = fields.Date(attribute="signal.letter_printed_on", required=True, allow_none=True)
    notified_on = fields.Date(attribute="signal.notified_on", required=True, allow_none=True)
    deferred_because = fields.String(attribute="signal.deferred_because", required=True, allow_none=True)
    wmo_notified_on = fields.Date(attribute="signal.wmo_notified_on", required=True, allow_none=True)
    filed_on = fields.Date(
        attribute="signal.filed_on",
        required=True,
        allow_none=True,
        metadata={"description": "The case system of the organisation got the hand-over"},
    )
    restricted_on = fields.Date(attribute="signal.restricted_on", required=True, allow_none=True)
    history = fields.List(fields.Nested(ExportedChangeSchema), required=True)
    accesses = fields.List(fields.Nested(ExportedAccessSchema), required=True)
    content = fields.String(
        validate=validate.Equal("deleted"),
        metadata={"description": "Only when the key was destroyed: the fields below are then left out"},
    )
    address = fields.Nested(AddressSchema, attribute="opened.report.address")
    neighbourhood = fields.String(
        attribute="opened.report.summary.neighbourhood",
        metadata={"description": "Looked up at arrival; empty when no file had it"},
    )
    concern_types = fields.List(fields.String(), attribute="opened.report.summary.concern_types")
    seen = fields.String(attribute="opened.report.summary.seen", allow_none=True)
    noticed_on = fields.Date(attribute="opened.report.noticed_on", allow_none=True)
    note = fields.String(attribute="opened.report.note", allow_none=True)
    follow_up_notes = fields.List(fields.Nested(ExportedNoteSchema), attribute="opened.notes")
    corrected_notes = fields.List(fields.Nested(ExportedNoteSchema), attribute="opened.former_notes")

    @post_dump
    def say_deleted(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return data if "address" in data else data | {"content": "deleted"}


class ExportedEarlierSchema(Schema):
    """A deleted signal: the day of receipt, and the group of its outcome, which is kept as long."""

    received_on = fields.Date(required=True)
    outcome_group = fields.String(required=True, allow_none=True)


class ExportedReferralSchema(Schema):
    """A signal that went to another organisation."""

    reference = fields.String(attribute="referral.reference", required=True)
    on = fields.Date(attribute="referral.referred_on", required=True)
    to = fields.String(required=True, allow_none=True)
    reason = fields.String(attribute="referral.reason", required=True)
    accesses = fields.List(fields.Nested(ExportedAccessSchema), required=True)


class ExportedSchema(Schema):
    """All data about an address, in the clear; also as PDF with `Accept: application/pdf`."""

    organisation = fields.String(attribute="organisation.name", required=True)
    legal_basis = fields.String(attribute="organisation.legal_basis", required=True, allow_none=True)
    retention_basis = fields.String(attribute="organisation.retention_basis", required=True, allow_none=True)
    retention = fields.List(fields.Nested(KeptSchema), required=True)
    earlier_kept_days = fields.Integer(
        dump_default=LINKS_KEPT_DAYS,
        required=True,
        metadata={"description": "Days that is kept, after deletion, that there was a signal"},
    )
    recipients = fields.List(Choice(_RECIPIENT), dump_default=list(RECIPIENTS), required=True)
    source = fields.Function(lambda export: _sources(export.signals), required=True)
    signals = fields.List(fields.Nested(ExportedSignalSchema), required=True)
    earlier_signals_received_on = fields.List(fields.Date(), attribute="earlier_received_on", required=True)
    earlier_signals = fields.List(fields.Nested(ExportedEarlierSchema), attribute="earlier", required=True)
    referred = fields.List(fields.Nested(ExportedReferralSchema), required=True)


def _sources(signals: Iterable[ExportedSignal]) -> str:
    """Return what is known of the senders, in Dutch; of deleted signals nothing is."""
    known = {sender(found.opened.report.summary.profession, "nl") for found in signals if found.opened}
    return ", ".join(sorted(known)) or sender(None, "nl")
