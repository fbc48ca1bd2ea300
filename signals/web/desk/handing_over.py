"""The hand-over into the organisation's own case system, once help was accepted: as JSON and as PDF.

The signal is no client file: what the case system needs goes along once, and the signal ends here with its
retention period.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from babel.dates import format_date, format_datetime
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from signals.casework import find_signal, open_notes
from signals.clock import AMSTERDAM, today
from signals.errors import Conflict, Restricted
from signals.intake.content import open_report
from signals.models import Organisation, Signal
from signals.routing.postcodes import Address
from signals.vocabulary import (
    AttemptKind,
    AttemptResult,
    AuditAction,
    ConcernType,
    DeferralReason,
    Outcome,
    ReferredTo,
    Seen,
    SignalState,
)
from signals.web.labels import label
from signals.web.staff_kit import display
from signals.web.staff_kit.answer import moment
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.labels import result_label
from signals.web.staff_kit.opened import changing, organisation_id
from signals.web.staff_kit.pdf import Section, make_pdf
from signals.web.staff_kit.schemas import AddressSchema

FORMAT: Final = "signals-handover"
FORMAT_VERSION: Final = "1.1"
"""Fields may be added within 1.x; none is removed or changes its meaning."""
MAY_LEAVE: Final = frozenset({Outcome.HELP_ACCEPTED, Outcome.REFERRED})
_LANGUAGE: Final = "nl"


class HandoverAttemptSchema(Schema):
    """One try to reach the resident; who tried is not named."""

    kind = fields.Enum(AttemptKind, by_value=True, required=True)
    result = fields.Enum(AttemptResult, by_value=True, required=True)
    attempted_at = fields.DateTime(required=True)
    workers = fields.Integer(required=True)
    postponed_until = fields.Date(
        required=True, allow_none=True, metadata={"description": "The day that was agreed; since 1.1"}
    )


class HandoverNoteSchema(Schema):
    """A worker's note; who wrote it is not named."""

    written_at = fields.DateTime(required=True)
    text = fields.String(required=True)


class HandoverSchema(Schema):
    """A concluded signal for the case system of the organisation that concluded it."""

    format = fields.String(required=True, validate=validate.Equal(FORMAT))
    version = fields.String(required=True, metadata={"example": FORMAT_VERSION})
    reference = fields.String(required=True)
    organisation = fields.String(required=True)
    exported_on = fields.Date(required=True)
    source = fields.String(required=True, metadata={"description": "Never more precise than this"})
    received_on = fields.Date(required=True)
    address = fields.Nested(AddressSchema, required=True)
    concern_types = fields.List(fields.Enum(ConcernType, by_value=True), required=True)
    seen = fields.Enum(Seen, by_value=True, required=True, allow_none=True)
    noticed_on = fields.Date(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True, metadata={"description": "Of the carrier"})
    contact_attempts = fields.List(fields.Nested(HandoverAttemptSchema), required=True)
    first_contact_at = fields.DateTime(required=True, allow_none=True)
    notes = fields.List(fields.Nested(HandoverNoteSchema), required=True)
    notified_on = fields.Date(
        required=True, allow_none=True, metadata={"description": "The resident was told (art. 14 AVG)"}
    )
    deferred_because = fields.Enum(DeferralReason, by_value=True, required=True, allow_none=True)
    outcome = fields.Enum(Outcome, by_value=True, required=True)
    referred_to = fields.Enum(ReferredTo, by_value=True, required=True, allow_none=True)
    newly_known = fields.Boolean(required=True, allow_none=True)
    wmo_notified_on = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "A notification was made by article 2.3.2 Wmo 2015; since 1.1"},
    )
    concluded_at = fields.DateTime(required=True)


def may_leave(signal: Signal) -> bool:
    """Whether the signal is concluded with an outcome after which somebody else goes on."""
    return signal.state is SignalState.CONCLUDED and signal.outcome in MAY_LEAVE


def handover_of(signal_id: UUID) -> dict[str, Any]:
    """The document of `HandoverSchema`; its audit entry is committed first.

    Raises `NotFound`, `Conflict` unless the signal is concluded with help accepted or a referral,
    `Restricted` (art. 18 AVG) and `ContentGone`.
    """
    context = desk()
    with changing(signal_id) as session:
        _leaving(session, signal_id)
        context.audit.record(
            session,
            context.clock,
            actor=current().actor,
            action=AuditAction.EXPORTED,
            subject_id=signal_id,
            ground="handover",
        )
        organisation = session.get_one(Organisation, organisation_id()).name
    with context.reading() as session:  # reopened meanwhile, it stays here
        return _document(_leaving(session, signal_id), organisation, today(context.clock))


def _leaving(session: Session, signal_id: UUID) -> Signal:
    signal = find_signal(session, organisation_id=organisation_id(), signal_id=signal_id)
    if signal.restricted_on is not None:
        raise Restricted
    if not may_leave(signal):
        raise Conflict
    return signal


def handover_pdf(document: Mapping[str, Any]) -> bytes:
    """The same to read and to file, in Dutch."""
    return make_pdf(
        title=f"Overdracht {document['reference']}",
        lead=[
            f"Van {document['organisation']}, {_day(document['exported_on'])}.",
            "Bestemd voor het eigen zaaksysteem. De bron is een bezorger; meer is daarover niet bekend.",
        ],
        sections=[
            Section(title="Het signaal", facts=list(_report(document))),
            Section(title="Opvolging", facts=list(_follow_up(document))),
            Section(title="Uitkomst", facts=list(_outcome(document))),
        ],
        language=_LANGUAGE,
    )


def _document(signal: Signal, organisation: str, on: date) -> dict[str, Any]:
    keystore = desk().keystore
    report = open_report(keystore, signal)
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "reference": signal.reference,
        "organisation": organisation,
        "exported_on": on.isoformat(),
        "source": "een bezorger",
        "received_on": signal.received_on.isoformat(),
        "address": {
            "postcode": report.address.postcode,
            "house_number": report.address.number,
            "addition": report.address.addition,
        },
        "concern_types": list(report.summary.concern_types),
        "seen": report.summary.seen,
        "noticed_on": _iso(report.noticed_on),
        "note": report.note,
        "contact_attempts": [
            {
                "kind": a.kind,
                "result": a.result,
                "attempted_at": moment(a.attempted_at),
                "workers": a.workers,
                "postponed_until": _iso(a.postponed_until),
            }
            for a in signal.attempts
        ],
        "first_contact_at": _at(signal.first_contact_at),
        "notes": [
            {"written_at": moment(note.written_at), "text": note.text}
            for note in open_notes(keystore, signal)
        ],
        "notified_on": _iso(signal.notified_on),
        "deferred_because": signal.deferred_because,
        "outcome": signal.outcome,
        "referred_to": signal.referred_to,
        "newly_known": signal.newly_known,
        "wmo_notified_on": _iso(signal.wmo_notified_on),
        "concluded_at": _at(signal.concluded_at),
    }


def _report(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    parts = document["address"]
    place = Address(postcode=parts["postcode"], number=parts["house_number"], addition=parts["addition"])
    yield "Kenmerk", document["reference"]
    yield "Adres", display.address(place)
    yield "Binnengekomen", _day(document["received_on"])
    for code in document["concern_types"]:
        yield "Wat opviel", label(ConcernType(code), _LANGUAGE)
    if document["seen"]:
        yield "Hoe vaak gezien", label(Seen(document["seen"]), _LANGUAGE)
    if document["noticed_on"]:
        yield "Opgevallen op", _day(document["noticed_on"])
    if document["note"]:
        yield "Opmerking van de bezorger", document["note"]


def _follow_up(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for attempt in document["contact_attempts"]:
        kind, result = AttemptKind(attempt["kind"]), AttemptResult(attempt["result"])
        words = f"{label(kind, _LANGUAGE)}, {result_label(kind, result, _LANGUAGE).lower()}"
        until = attempt["postponed_until"]
        agreed = f", afgesproken dag: {_day(until)}" if until else ""
        yield "Contactpoging", f"{_clock(attempt['attempted_at'])}: {words}{agreed}"
    for note in document["notes"]:
        yield "Notitie", f"{_clock(note['written_at'])}: {note['text']}"
    if document["notified_on"]:
        yield "Bewoner geïnformeerd (art. 14 AVG)", _day(document["notified_on"])
    elif document["deferred_because"]:
        reason = DeferralReason(document["deferred_because"])
        yield "Bewoner nog niet geïnformeerd (art. 14 AVG)", label(reason, _LANGUAGE)
    else:
        yield "Bewoner geïnformeerd (art. 14 AVG)", "nog niet"


def _outcome(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Uitkomst", label(Outcome(document["outcome"]), _LANGUAGE)
    if document["referred_to"]:
        yield "Naar wie", label(ReferredTo(document["referred_to"]), _LANGUAGE)
    if document["newly_known"] is not None:
        yield "Nieuw in beeld bij hulp", "ja" if document["newly_known"] else "nee"
    if document["wmo_notified_on"]:
        yield "Wmo-melding gedaan", _day(document["wmo_notified_on"])
    yield "Afgerond", _clock(document["concluded_at"])


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _at(when: datetime | None) -> str | None:
    return moment(when) if when else None


def _day(text: str) -> str:
    return format_date(date.fromisoformat(text), "d MMMM y", locale=_LANGUAGE)


def _clock(text: str) -> str:
    at = datetime.fromisoformat(text).astimezone(UTC).astimezone(AMSTERDAM)
    return format_datetime(at, "d MMMM y, HH:mm", locale=_LANGUAGE)
