"""What fields of the desk's forms are called, and what was chosen in them, as people read it."""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from flask import request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from signals.models import Organisation, Signal, StaffMember
from signals.residents import IdentityProof, ResidenceProof, Right
from signals.routing.rows import CoverageLevel
from signals.vocabulary import (
    AUTONYMS,
    STAFF_LANGUAGES,
    AttemptKind,
    AttemptResult,
    ConcernType,
    DeferralReason,
    OrganisationKind,
    Outcome,
    ReferredTo,
    RetentionRule,
    Role,
)
from signals.web.labels import label
from signals.web.staff_kit import display, labels
from signals.web.staff_kit.auth import caller_or_none
from signals.web.staff_kit.context import desk

Words = Mapping[str, LazyString]

_WORDS: Final[Words] = {
    "email": _("E-mail address"),
    "password": _("Password"),
    "totp": _("Code"),
    "label": _("Name of the passkey"),
    "name": _("Name"),
    "role": _("Role"),
    "language": _("Language"),
    "token": _("Link or code"),
    "kind": _("How"),
    "result": _("Result"),
    "attempted_on": _("Date"),
    "attempted_time": _("Time"),
    "workers": _("With how many"),
    "text": _("Note"),
    "outcome": _("Outcome"),
    "referred_to": _("To whom"),
    "newly_known": _("Newly known to help"),
    "reason": _("Reason"),
    "notified_on": _("Told on"),
    "postponed_until": _("Agreed day"),
    "wmo_notified_on": _("Wmo notification made on"),
    "to_staff_id": _("Colleague"),
    "deferred_because": _("Why not yet"),
    "taken_back": _("Take it back"),
    "ids": _("Signals"),
    "reference": _("Reference"),
    "postcode": _("Postcode"),
    "house_number": _("House number"),
    "house_number_addition": _("Addition"),
    "staff_id": _("Who"),
    "cover_id": _("Who stands in"),
    "away_from": _("First day"),
    "away_until": _("Last day"),
    "claim_working_days": _("Claimed within, working days"),
    "contact_working_days": _("First attempt within, working days"),
    "conclude_calendar_days": _("Concluded within, days"),
    "minimum_attempts": _("Attempts before 'not reached'"),
    "opens_at": _("Your working day begins at, hour"),
    "digest_at": _("One message a day at, hour"),
    "quiet_from": _("Quiet from, hour"),
    "quiet_until": _("Quiet until, hour"),
    "deputy_email": _("E-mail address of the deputy"),
    "escalation_working_days": _("Working days between two of them"),
    "contact_phone": _("Telephone for residents"),
    "contact_email": _("E-mail address for residents"),
    "identity": _("Who it is"),
    "residence": _("Lives there"),
    "third_parties": _("Rights of others"),
    "withdrawn": _("What does not hold"),
    "notes": _("Notes of workers"),
    "statement": _("The resident's own words"),
    "format": _("As a file"),
    "right": _("Because of"),
    "lift": _("Lift the restriction"),
    "rule": _("How long signals are kept"),
    "days": _("Days"),
    "legal_basis": _("Legal ground"),
    "organisation_id": _("Organisation"),
    "area": _("Area"),
    "level": _("Kind of area"),
    "number_from": _("First house number"),
    "number_to": _("Last house number"),
    "valid_from": _("From"),
    "valid_until": _("Until, that day excluded"),
    "since": _("From"),
    "until": _("Until"),
    "agreement_on": _("Date of the agreement"),
    "retention_basis": _("Ground of the retention periods"),
    "suspended_from": _("Receives nothing from"),
}
_OF_PAGES: Final[Mapping[str, Words]] = {
    "referral_pages": {"text": _("What they must know there")},
    "admin_pages": {"kind": _("Kind")},
    "import_pages": {"file": _("File"), "text": _("File"), "verified_on": _("Addresses checked on")},
}
"""Where a name means something else, by the blueprint."""
_IN_ROWS: Final[Words] = {
    "address": _("E-mail address"),
    "channel": _("How"),
    "phone": _("Mobile number"),
    "recipient": _("E-mail address"),
    "verified": _("Verified on"),
}
"""Fields that there are several of, with their place after a hyphen: `phone-0`."""
_OF_NOTES: Final[Words] = {"note": _("Notes of workers"), "note_text": _("What the note should say")}
"""Fields of a note each, with its id after a hyphen."""
WEEKDAYS: Final[Words] = {
    "1": _("Monday"),
    "2": _("Tuesday"),
    "3": _("Wednesday"),
    "4": _("Thursday"),
    "5": _("Friday"),
    "6": _("Saturday"),
    "7": _("Sunday"),
}
"""By ISO 8601's number, as a team's days are stored."""
_BOXES: Final[Mapping[str, tuple[LazyString, LazyString]]] = {
    "drop_seen": (_WORDS["withdrawn"], _("How often it was seen")),
    "drop_noticed_on": (_WORDS["withdrawn"], _("The day on which it was noticed")),
    "drop_note": (_WORDS["withdrawn"], _("The carrier's note, as a whole")),
    **{f"day_{number}": (_("Days on which messages come"), words) for number, words in WEEKDAYS.items()},
}
"""Boxes to tick, each a field of its own: the question that they answer together, and the answer."""
_CODES: Final[Mapping[str, tuple[type[StrEnum], ...]]] = {
    "kind": (AttemptKind, OrganisationKind),
    "result": (AttemptResult,),
    "outcome": (Outcome,),
    "referred_to": (ReferredTo,),
    "deferred_because": (DeferralReason,),
    "role": (Role,),
    "identity": (IdentityProof,),
    "residence": (ResidenceProof,),
    "right": (Right,),
    "rule": (RetentionRule,),
    "withdrawn": (ConcernType,),
    "level": (CoverageLevel,),
}
_YES_OR_NO: Final[Words] = {"yes": _("Yes"), "no": _("No")}
_CHOICES: Final[Mapping[str, Mapping[str, LazyString | str]]] = {
    "language": {code: AUTONYMS[code] for code in STAFF_LANGUAGES},
    "channel": {"email": _("E-mail"), "sms": _("Text message")},
    "format": {"pdf": _("PDF, to read"), "json": _("JSON, for a computer")},
    "newly_known": _YES_OR_NO,
    "note": {"strike": _("Strike it"), "replace": _("Put these words in its place")},
    "third_parties": _YES_OR_NO,
    "lift": _YES_OR_NO,
}
_PEOPLE: Final = frozenset(("staff_id", "cover_id", "to_staff_id"))
_DAYS: Final = frozenset(
    (
        "attempted_on", "notified_on", "postponed_until", "wmo_notified_on", "away_from", "away_until",
        "valid_from", "valid_until", "agreement_on", "suspended_from", "verified",
    )
)  # fmt: skip


def of_pages(blueprint: str) -> Words:
    """The words for the fields of one blueprint's forms."""
    return {**_WORDS, **_OF_PAGES.get(blueprint, {})}


def of_this_page() -> Words:
    """The words for the fields of the page that is asked for."""
    return of_pages(request.blueprint or "")


def word(name: str, words: Words) -> str:
    """What a field is called; empty for one that no person fills in."""
    if name in _BOXES:
        return str(_BOXES[name][0])
    if _of_note(name):
        return str(_OF_NOTES[_of_note(name)])
    kind, _hyphen, place = name.rpartition("-")
    if kind in _IN_ROWS and place.isdecimal():
        return f"{_('Recipient %(number)s', number=int(place) + 1)}: {_IN_ROWS[kind]}"
    return str(words[name]) if name in words else ""


def _of_note(name: str) -> str:
    """What a field of a note is about; empty for any other field."""
    kind, hyphen, _id = name.partition("-")
    return kind if hyphen and kind in _OF_NOTES else ""


def shown(fields: Iterable[tuple[str, str]], blueprint: str) -> list[tuple[str, str]]:
    """(what, text) in words, for who is to read it once more; answers to one question stand together."""
    words = of_pages(blueprint)
    found: dict[str, list[str]] = {}
    for name, text in fields:
        what = word(name, words)
        said = _said(name, text) if what and text.strip() else ""
        if said:
            found.setdefault(what, []).append(said)
    return [(what, ", ".join(texts)) for what, texts in found.items()]


def _said(name: str, text: str) -> str:
    """What was typed or chosen, as its writer saw it; empty for an id that is unknown here."""
    if name in _BOXES:
        return str(_BOXES[name][1])
    row = name.rpartition("-")[0]
    kind = _of_note(name) or (row if row in _IN_ROWS else name)
    if kind in _CHOICES:
        return str(_CHOICES[kind].get(text, text))
    if kind == "reason":
        return labels.reason_label(text, display.page_language()) or text
    if kind in _PEOPLE or kind in ("ids", "organisation_id"):
        return _name_of(kind, text)
    return _day(text) if kind in _DAYS else _code(kind, text)


def _code(name: str, text: str) -> str:
    for codes in _CODES.get(name, ()):
        if text in {code.value for code in codes}:
            return label(codes(text), display.page_language())
    return text


def _day(text: str) -> str:
    try:
        return display.day(date.fromisoformat(text))
    except ValueError:
        return text


def _name_of(field: str, text: str) -> str:
    """The colleague, signal or organisation that was chosen; nothing while the database is away."""
    caller = caller_or_none()
    if caller is None:
        return ""
    own = caller.actor.organisation_id
    try:
        wanted = UUID(text)
        with desk().reading() as session:
            if field in _PEOPLE:
                query = select(StaffMember.name).where(StaffMember.organisation_id == own)
                return session.scalar(query.where(StaffMember.id == wanted)) or ""
            if field == "ids":
                of_team = select(Signal.reference).where(Signal.organisation_id == own)
                return session.scalar(of_team.where(Signal.id == wanted)) or ""
            return session.scalar(select(Organisation.name).where(Organisation.id == wanted)) or ""
    except (ValueError, SQLAlchemyError):
        return ""
