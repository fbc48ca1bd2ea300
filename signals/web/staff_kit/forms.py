"""Read the forms of the pages as values of the domain, or as errors beside the fields."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from flask import request
from flask_babel import LazyString
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate, validates_schema

from signals.casework.notes import MAX_NOTE
from signals.casework.outcomes import ReopenReason
from signals.casework.questions import questions_of
from signals.clock import AMSTERDAM
from signals.errors import FieldProblem, Invalid, SignalsError
from signals.staff.identity import MAX_PASSWORD
from signals.vocabulary import (
    AttemptKind,
    AttemptResult,
    ContactBy,
    DeferralReason,
    NotifiedBy,
    NotReachedReason,
    Outcome,
    ReferredTo,
)
from signals.web.http.field_problems import field_problems
from signals.web.http.fields import AdditionField, Choice, HouseNumberField, PostcodeField, StrictDate
from signals.web.http.messages import detail_of, title_of
from signals.web.staff_kit.auth import CSRF_FIELD
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.field_words import words_of

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PLACES: Final = {"attempted_at": "attempted_on", "reason": "outcome"}
"""Fields with another name on the page than in the domain."""

ENDINGS: Final[Mapping[str, tuple[Outcome, NotReachedReason | None]]] = {
    **{outcome.value: (outcome, None) for outcome in Outcome if outcome is not Outcome.NOT_REACHED},
    **{f"{Outcome.NOT_REACHED}:{why}": (Outcome.NOT_REACHED, why) for why in NotReachedReason},
}
"""The tiles of a conclusion: an outcome, or why nobody was reached."""
_NOT_YET: Final = "not"
_MOST_MINUTES: Final = 7 * 24 * 60
"""The longest that a phone keeps an attempt, as `KEPT_FOR` in desk_outbox.js."""


class Form(Schema):
    """A form; it ignores fields without a value for the domain (CSRF, version, labels)."""

    class Meta:
        unknown = EXCLUDE


class SignInForm(Form):
    email = fields.String(required=True, validate=validate.Length(max=254))
    password = fields.String(required=True, validate=validate.Length(max=MAX_PASSWORD))
    totp = fields.String(required=True, validate=validate.Length(max=12))


class AttemptForm(Form):
    """A contact attempt; date and time are those of Amsterdam, and empty fields mean now.

    `minutes_ago` comes from a phone that had no reception: "now" was then.
    """

    kind = Choice(AttemptKind, required=True)
    result = Choice(AttemptResult, required=True)
    attempted_on = StrictDate(load_default=None)
    attempted_time = fields.String(load_default=None)
    workers = fields.String(load_default="1", validate=validate.OneOf(["1", "2"]))
    postponed_until = StrictDate(load_default=None)
    attempt_id = fields.UUID(load_default=None)
    minutes_ago = fields.Integer(load_default=0, validate=validate.Range(0, _MOST_MINUTES))

    @validates_schema
    def check_agreed(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Require the day: without it nobody waits for the agreement and nobody is reminded."""
        if data["result"] is AttemptResult.POSTPONED and data["postponed_until"] is None:
            raise ValidationError("no_agreed_day", "postponed_until")

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {
            "kind": data["kind"],
            "result": data["result"],
            "attempted_at": _moment(data["attempted_on"], data["attempted_time"], data["minutes_ago"]),
            "workers": int(data["workers"]),
            "postponed_until": data["postponed_until"],
            "attempt_id": data["attempt_id"],
        }


class CorrectAttemptForm(AttemptForm):
    """A corrected attempt, in place of `entry`."""

    entry = fields.UUID(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {**super().make(data), "attempt_id": data["entry"]}


class DayForm(Form):
    """Another day for the next contact."""

    postponed_until = StrictDate(required=True)


class NoteForm(Form):
    text = fields.String(required=True, validate=validate.Length(max=MAX_NOTE))


class CorrectNoteForm(NoteForm):
    """A corrected note, in place of `entry`."""

    entry = fields.UUID(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {"text": data["text"], "note_id": data["entry"]}


class ConcludeForm(Form):
    """An outcome and what it asks. A browser also sends the answers to questions that it hides: drop them."""

    outcome = fields.String(required=True, validate=validate.OneOf(ENDINGS))
    referred_to = Choice(ReferredTo, load_default=None)
    contact_by = Choice(ContactBy, load_default=None)
    newly_known = fields.String(load_default=None, validate=validate.OneOf(["yes", "no"]))
    notified_by = fields.String(load_default=None, validate=validate.OneOf([*NotifiedBy, _NOT_YET]))
    deferred_because = Choice(DeferralReason, load_default=None)

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        outcome, reason = ENDINGS[data["outcome"]]
        asked = questions_of(outcome)
        said = {name: value if name in asked else None for name, value in data.items()}
        told, known = said["notified_by"], said["newly_known"]
        if said["contact_by"] is ContactBy.NOBODY:
            known = None
        if told == _NOT_YET and data["deferred_because"] is None:
            raise ValidationError("required", "deferred_because")
        return {
            "outcome": outcome,
            "reason": reason,
            "referred_to": said["referred_to"],
            "contact_by": said["contact_by"],
            "newly_known": None if known is None else known == "yes",
            "notified_by": NotifiedBy(told) if told and told != _NOT_YET else None,
            "deferred_because": data["deferred_because"] if told == _NOT_YET else None,
        }


class ReopenForm(Form):
    reason = Choice(ReopenReason, load_default=None)


class ReassignForm(Form):
    to_staff_id = fields.UUID(required=True)


class JoinForm(Form):
    """The earlier signal, which goes on."""

    earlier_id = fields.UUID(required=True)


class NoticeForm(Form):
    """The day on which the resident was notified, or the reason to wait; `taken_back` undoes both."""

    notified_on = StrictDate(load_default=None)
    notified_by = Choice(NotifiedBy, load_default=None)
    deferred_because = Choice(DeferralReason, load_default=None)
    taken_back = fields.Boolean(load_default=False)


class UrgentForm(Form):
    urgent = fields.Boolean(required=True)


class WmoForm(Form):
    """The day of a notification under the Wmo; empty without one."""

    wmo_notified_on = StrictDate(load_default=None)


FORMS: Final[Mapping[str, Form]] = {
    "claim": Form(),
    "release": Form(),
    "correct-attempt": CorrectAttemptForm(),
    "correct-note": CorrectNoteForm(),
    "undo": Form(),
    "contact-attempts": AttemptForm(),
    "next-day": DayForm(),
    "notes": NoteForm(),
    "urgent": UrgentForm(),
    "conclude": ConcludeForm(),
    "reopen": ReopenForm(),
    "notice": NoticeForm(),
    "wmo": WmoForm(),
    "reassign": ReassignForm(),
    "join": JoinForm(),
}
"""The forms of a signal page, by the last part of their address."""

SIGN_IN: Final = SignInForm()


def load(form: Form, typed: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the typed values, by default those of the request; empty fields count as left out.

    Raises `ValidationError`.
    """
    typed = typed_text() if typed is None else typed
    require_plain(typed)
    values: dict[str, Any] = form.load({name: text for name, text in typed.items() if text.strip()})
    return values


def require_plain(typed: Mapping[str, str]) -> None:
    """Raise `ValidationError` for control characters."""
    for name, text in typed.items():
        if _CONTROL.search(text):
            raise ValidationError("control_characters", name)


def version() -> int | None:
    """Return the version that the form was made from, as If-Match is for programs."""
    text = request.form.get("version", "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def typed_text() -> dict[str, str]:
    """Return what people typed, to show it again: without the CSRF field and with plain line ends."""
    return {name: text.replace("\r\n", "\n") for name, text in request.form.items() if name != CSRF_FIELD}


def messages(
    refused: SignalsError | ValidationError, words: Mapping[str, LazyString] | None = None
) -> dict[str, str]:
    """Return what is wrong, by the page's field; empty when no field is to blame.

    `words` of a page come before the common words for the codes of the domain.
    """
    here, places = (words or {}, _PLACES) if isinstance(refused, Invalid) else ({}, {})
    return {
        places.get(found.field, found.field): str(here.get(found.code) or words_of(found.field, found.code))
        for found in _problems(refused)
    }


def trouble(code: str) -> str:
    """Return what is wrong and what to do, for a refusal without a field to blame."""
    return f"{title_of(code)}. {detail_of(code)}"


def _problems(refused: SignalsError | ValidationError) -> tuple[FieldProblem, ...]:
    if isinstance(refused, ValidationError):
        return tuple(field_problems(refused))
    return refused.problems if isinstance(refused, Invalid) else ()


def _moment(on: date | None, at: str | None, minutes_ago: int) -> datetime:
    now = (desk().clock.now() - timedelta(minutes=minutes_ago)).astimezone(AMSTERDAM)
    if at is None:
        if on is not None and on != now.date():
            raise ValidationError(
                "required", "attempted_time"
            )  # an empty time means now, which is no time of another day
        return now
    return datetime.combine(on or now.date(), _clock_time(at), AMSTERDAM)


def _clock_time(text: str) -> time:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?", text):
        raise ValidationError("not_a_time", "attempted_time")
    return time.fromisoformat(text)


class TypedNumber(HouseNumberField):
    """A house number as somebody typed it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        text = str(value).strip()
        if not text.isascii() or not text.isdecimal():
            raise ValidationError("house_number")
        return super()._deserialize(int(text[:9]), attr, data, **kwargs)


class AddressForm(Form):
    """An address."""

    postcode = PostcodeField(required=True)
    house_number = TypedNumber(required=True)
    house_number_addition = AdditionField(load_default="")
