"""Hand a concluded signal over to the organisation's own case system, as JSON and as PDF.

The signal is no client file. The case system gets what it needs once, and the signal ends here with its
retention period.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Final
from uuid import UUID

from babel.dates import format_date, format_datetime
from marshmallow import Schema, fields, validate

from signals.audit.grounds import Ground
from signals.audit.log import SYSTEM, Actor
from signals.casework.access import admit, find_signal, notes_of, organisation_of, report_of
from signals.casework.opening import signal_with_follow_up
from signals.casework.sealing import OpenedNote
from signals.casework.steps import require_may_leave
from signals.clock import AMSTERDAM
from signals.intake.content import Report
from signals.models import Organisation, Signal
from signals.operation import Operation
from signals.routing.places import Place, place_of
from signals.vocabulary import (
    AttemptKind,
    AttemptResult,
    AuditAction,
    ConcernType,
    DeferralReason,
    Outcome,
    ReferredTo,
    Seen,
)
from signals.web.desk.answers import OfSignal
from signals.web.http.fields import Choice
from signals.web.labels import label, sender, text
from signals.web.staff_kit import display
from signals.web.staff_kit.context import operation, reading_operation
from signals.web.staff_kit.labels import result_label
from signals.web.staff_kit.pdf import Head, Section, head_of, make_pdf
from signals.web.staff_kit.schemas import AddressSchema, Moment

FORMAT: Final = "signals-handover"
FORMAT_VERSION: Final = "1.1"
"""Version 1.x may add fields; it removes none and changes no meaning."""
_LANGUAGE: Final = "nl"
_Opens = Callable[[], AbstractContextManager[Operation]]
_ = partial(text, language=_LANGUAGE)


@dataclass(frozen=True, kw_only=True)
class Handover:
    """Hold the document: the signal with its content, and what the document adds."""

    signal: Signal
    report: Report = field(repr=False)
    place: Place = field(repr=False)
    notes: Sequence[OpenedNote] = field(repr=False)
    head: Head = field(repr=False)
    exported_on: date
    format: str = FORMAT
    version: str = FORMAT_VERSION

    @property
    def organisation(self) -> str:
        return self.head.name

    @property
    def source(self) -> str:
        return sender(self.report.summary.profession, _LANGUAGE)


class HandoverAttemptSchema(Schema):
    """Write one attempt to reach the resident, without the worker's name."""

    kind = Choice(AttemptKind, required=True)
    result = Choice(AttemptResult, required=True)
    attempted_at = Moment(required=True)
    workers = fields.Integer(required=True)
    postponed_until = fields.Date(
        required=True, allow_none=True, metadata={"description": "The day that was agreed; since 1.1"}
    )


class HandoverNoteSchema(Schema):
    """Write a worker's note, without the worker's name."""

    written_at = Moment(required=True)
    text = fields.String(required=True)


class HandoverSchema(OfSignal):
    """Write a concluded signal for the case system of the organisation that concluded it."""

    format = fields.String(required=True, validate=validate.Equal(FORMAT))
    version = fields.String(required=True, metadata={"example": FORMAT_VERSION})
    reference = fields.String(required=True)
    organisation = fields.String(required=True)
    exported_on = fields.Date(required=True)
    source = fields.String(required=True, metadata={"description": "Never more precise than this"})
    received_on = fields.Date(required=True)
    address = fields.Nested(AddressSchema, attribute="report.address", required=True)
    concern_types = fields.List(Choice(ConcernType), attribute="report.summary.concern_types", required=True)
    seen = Choice(Seen, attribute="report.summary.seen", required=True, allow_none=True)
    noticed_on = fields.Date(attribute="report.noticed_on", required=True, allow_none=True)
    note = fields.String(
        attribute="report.note", required=True, allow_none=True, metadata={"description": "Of the carrier"}
    )
    contact_attempts = fields.List(fields.Nested(HandoverAttemptSchema), attribute="attempts", required=True)
    first_contact_at = Moment(required=True, allow_none=True)
    notes = fields.List(fields.Nested(HandoverNoteSchema), required=True)
    notified_on = fields.Date(
        required=True, allow_none=True, metadata={"description": "The resident was told (art. 14 AVG)"}
    )
    deferred_because = Choice(DeferralReason, required=True, allow_none=True)
    outcome = Choice(Outcome, required=True)
    referred_to = Choice(ReferredTo, required=True, allow_none=True)
    newly_known = fields.Boolean(required=True, allow_none=True)
    wmo_notified_on = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "A notification was made by article 2.3.2 Wmo 2015; since 1.1"},
    )
    concluded_at = Moment(required=True)


def handover_of(signal_id: UUID) -> Handover:
    """Return the hand-over of a signal to the caller; its audit entry is committed first.

    Raises `NotFound`, `Restricted` (art. 18 AVG), `ContentGone`, and `Conflict` unless the signal is
    concluded with help accepted or a referral.
    """
    return _handover(signal_id, Ground.HANDOVER, partial(operation, signal_id), reading_operation)


def pdf_for_system(begin: _Opens, signal: Signal) -> bytes:
    """Return the same as a file, to a job that hands it to the case system; `begin` opens its operations."""
    of_system = Actor(id=None, role=SYSTEM.role, organisation_id=signal.organisation_id)

    @contextmanager
    def opened() -> Iterator[Operation]:
        with begin() as begun:
            yield begun.acting_as(of_system)

    return handover_pdf(_handover(signal.id, Ground.CASE_SYSTEM, opened, opened))


def _handover(signal_id: UUID, ground: Ground, writing: _Opens, reads: _Opens) -> Handover:
    with writing() as begun:
        own = organisation_of(begun.actor)
        require_may_leave(find_signal(begun.session, organisation_id=own, signal_id=signal_id))
        admission = admit(begun, [signal_id], AuditAction.EXPORTED, ground=ground)
        head = head_of(begun.session.get_one(Organisation, own))
    admission.fetch()
    with reads() as reading:
        signal = signal_with_follow_up(reading.session, organisation_id=own, signal_id=signal_id)
        require_may_leave(signal)  # somebody may have reopened it meanwhile
        report = report_of(signal, admission)
        return Handover(
            signal=signal,
            report=report,
            place=place_of(reading.session, report.address),
            notes=notes_of(signal, admission),
            head=head,
            exported_on=reading.today,
        )


def handover_pdf(handover: Handover) -> bytes:
    """Return the hand-over to read and to file, in Dutch."""
    return make_pdf(
        handover.head,
        title=_("Hand-over: %(address)s", address=_address(handover)),
        lead=[
            _("From %(name)s, %(day)s.", name=handover.organisation, day=_day(handover.exported_on)),
            _("For the own case system. The source is %(who)s; no more is known.", who=handover.source),
        ],
        sections=[
            Section(title=_("The signal"), facts=list(_report(handover))),
            Section(title=_("Follow-up"), facts=list(_follow_up(handover))),
            Section(title=_("Outcome"), facts=list(_outcome(handover.signal))),
        ],
        language=_LANGUAGE,
    )


def _address(handover: Handover) -> str:
    return ", ".join(display.address_lines(handover.report.address, handover.place))


def _report(handover: Handover) -> Iterator[tuple[str, str]]:
    report = handover.report
    yield _("Reference"), handover.signal.reference
    yield _("Address"), _address(handover)
    yield _("Came in on"), _day(handover.signal.received_on)
    for concern in report.summary.concern_types:
        yield _("What stood out"), label(concern, _LANGUAGE)
    if report.summary.seen:
        yield _("Frequency"), label(report.summary.seen, _LANGUAGE)
    if report.noticed_on:
        yield _("Noticed on"), _day(report.noticed_on)
    if report.note:
        yield _("Note of the carrier"), report.note


def _follow_up(handover: Handover) -> Iterator[tuple[str, str]]:
    signal = handover.signal
    for attempt in signal.attempts:
        result = result_label(attempt.kind, attempt.result, _LANGUAGE).lower()
        until = attempt.postponed_until
        agreed = _(", agreed day: %(day)s", day=_day(until)) if until else ""
        words = f"{label(attempt.kind, _LANGUAGE)}, {result}{agreed}"
        yield _("Contact attempt"), f"{_clock(attempt.attempted_at)}: {words}"
    for note in handover.notes:
        yield _("Note of the team"), f"{_clock(note.written_at)}: {note.text or _('Unreadable')}"
    if signal.notified_on:
        yield _("Resident informed (art. 14 GDPR)"), _day(signal.notified_on)
    elif signal.deferred_because:
        reason = DeferralReason(signal.deferred_because)
        yield _("Resident not informed yet (art. 14 GDPR)"), label(reason, _LANGUAGE)
    else:
        yield _("Resident informed (art. 14 GDPR)"), _("not yet")


def _outcome(signal: Signal) -> Iterator[tuple[str, str]]:
    if signal.outcome:
        yield _("Outcome"), label(signal.outcome, _LANGUAGE)
    if signal.referred_to:
        yield _("To whom"), label(signal.referred_to, _LANGUAGE)
    if signal.newly_known is not None:
        yield _("Newly known to help"), _("yes") if signal.newly_known else _("no")
    if signal.wmo_notified_on:
        yield _("Wmo notification done"), _day(signal.wmo_notified_on)
    if signal.concluded_at:
        yield _("Concluded"), _clock(signal.concluded_at)


def _day(day: date) -> str:
    return format_date(day, "d MMMM y", locale=_LANGUAGE)


def _clock(moment: datetime) -> str:
    return format_datetime(moment.astimezone(AMSTERDAM), "d MMMM y, HH:mm", locale=_LANGUAGE)
