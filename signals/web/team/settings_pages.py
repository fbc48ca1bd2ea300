"""Pages with a team's settings, for its lead or for an administrator; they show no signal."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for
from marshmallow import ValidationError, fields, post_load, validate

from privacy.pictures import media_type
from signals.errors import Invalid, NotFound, SignalsError
from signals.models import Organisation
from signals.organisations import team_settings
from signals.organisations.addressing import EMAIL
from signals.organisations.recipients import MOST_RECIPIENTS
from signals.organisations.team_settings import BOUNDS, RecipientWish, StaleSettings, is_proved
from signals.vocabulary import Role
from signals.web.http.fields import Choice
from signals.web.staff_kit import account_shared as shared
from signals.web.staff_kit import display, forms
from signals.web.staff_kit.auth import current, requires_page
from signals.web.staff_kit.context import act, desk
from signals.web.staff_kit.opened import organisation_id
from signals.web.staff_kit.schemas import STAFF_LANGUAGE
from signals.web.team import office as team_office

settings_pages = Blueprint("team_settings_pages", __name__)
shared.share_with(settings_pages)

AUTHENTICATION = "cookie"

SPARE_ROWS: Final = 2
_DESK: Final = "/desk/settings"
_ADMIN: Final = "/admin/organisations/<uuid:organisation_id>/settings"


def _number(*, required: bool = True) -> fields.Integer:
    return fields.Integer(required=True) if required else fields.Integer(load_default=None)


class NormsForm(forms.Form):
    claim_working_days = _number()
    contact_working_days = _number()
    conclude_calendar_days = _number()
    minimum_attempts = _number()
    retry_working_days = fields.String(required=True)


class HoursForm(forms.Form):
    """Hours and days of messages; the weekdays are `day_1` (Monday) to `day_7`."""

    opens_at = _number()
    quiet_from = _number(required=False)
    quiet_until = _number(required=False)
    digest_at = _number(required=False)
    language = Choice(STAFF_LANGUAGE, load_default="nl")

    @post_load
    def with_days(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        chosen = "".join(str(day) for day in range(1, 8) if f"day_{day}" in request.form)
        return {**data, "working_days": chosen}


class EscalationForm(forms.Form):
    escalation_working_days = _number()
    deputy_email = fields.String(load_default=None, validate=validate.Length(max=254))


class ContactForm(forms.Form):
    contact_phone = fields.String(load_default="", validate=validate.Length(max=40))
    contact_email = fields.String(load_default="", validate=validate.Length(max=254))


class LetterheadForm(forms.Form):
    letterhead = fields.String(load_default="")
    letter_words = fields.String(load_default="")


_LETTERHEAD: Final = LetterheadForm()
_FORMS: Final[Mapping[str, forms.Form]] = {
    "norms": NormsForm(),
    "hours": HoursForm(),
    "escalation": EscalationForm(),
    "contact": ContactForm(),
}
_SECTIONS: Final[Mapping[str, str]] = {
    **{part: part for part in (*_FORMS, "recipients", "letterhead")},
    "asked-again": "recipients",
    "deputy-asked-again": "escalation",
}
"""Each part that can change, and the section of the page that then says so."""


@settings_pages.get(_DESK)
@requires_page(Role.LEAD)
def overview() -> str:
    return _page(organisation_id(), done=_done())


@settings_pages.post(f"{_DESK}/<part>")
@requires_page(Role.LEAD)
def change(part: str) -> Any:
    return _change(organisation_id(), part)


@settings_pages.get(_ADMIN)
@requires_page(Role.ADMINISTRATOR)
def overview_for_administrator(organisation_id: UUID) -> str:
    return _page(organisation_id, done=_done())


@settings_pages.post(f"{_ADMIN}/<part>")
@requires_page(Role.ADMINISTRATOR, recent="/admin/organisations/{organisation_id}/settings")
def change_for_administrator(organisation_id: UUID, part: str) -> Any:
    return _change(organisation_id, part)


def _change(organisation: UUID, part: str) -> Response | tuple[str, int]:
    if part not in _SECTIONS:
        raise NotFound
    try:
        _TAKE.get(part, _take_values)(organisation, part)
    except (ValidationError, Invalid, StaleSettings) as refused:
        if not (isinstance(refused, StaleSettings) and _is_so_already(organisation, part)):
            status = 400 if isinstance(refused, ValidationError) else refused.status
            return _page(organisation, form=part, refused=refused), status
    return shared.go_to(f"{_base(organisation)}?done={part}#{_SECTIONS[part]}")


def _is_so_already(organisation: UUID, part: str) -> bool:
    """Tell whether an outdated form asks for what holds already: its button was pressed twice."""
    found = team_office.settings_of(organisation)
    values = forms.load(_FORMS[part]) if part in _FORMS else {}
    return bool(values) and all(_same(getattr(found, name), value) for name, value in values.items())


def _same(held: object, wanted: object) -> bool:
    return held == wanted or {held, wanted} == {None, ""}


def _take_values(organisation: UUID, part: str) -> None:
    values = forms.load(_FORMS[part])
    team_office.change_settings(organisation, values, forms.version())


def _take_recipients(organisation: UUID, _part: str) -> None:
    wishes = [
        RecipientWish(
            address=request.form.get(f"address-{row}", ""),
            channel=request.form.get(f"channel-{row}", EMAIL),
            phone=request.form.get(f"phone-{row}", "").strip() or None,
        )
        for row in _filled_rows()
    ]
    team_office.change_settings(organisation, {"recipients": wishes}, forms.version())


def _ask_again(organisation: UUID, _part: str) -> None:
    act(team_settings.ask_again, organisation_id=organisation, address=request.form.get("address", ""))


def _take_letterhead(organisation: UUID, _part: str) -> None:
    """Take the lines, and another logo or none: no file chosen keeps the one that is there."""
    changes: dict[str, Any] = forms.load(_LETTERHEAD)
    file = request.files.get("logo")
    if file and file.filename:
        changes["logo"] = file.read()
    elif "no_logo" in request.form:
        changes["logo"] = None
    team_office.change_settings(organisation, changes, forms.version())


_TAKE: Final[Mapping[str, Callable[[UUID, str], None]]] = {
    "recipients": _take_recipients,
    "letterhead": _take_letterhead,
    "asked-again": _ask_again,
    "deputy-asked-again": _ask_again,
}


def _page(
    organisation: UUID,
    *,
    done: str = "",
    form: str = "",
    refused: ValidationError | SignalsError | None = None,
) -> str:
    found = team_office.settings_of(organisation)
    errors = _errors(refused) if refused else {}
    general = refused if isinstance(refused, SignalsError) and not errors else None
    rows = _rows(found) if form != "recipients" else _typed_rows()
    return render_template(
        "desk/settings.html",
        found=found,
        base=_base(organisation),
        leads=current().actor.role == Role.LEAD,
        bounds=BOUNDS,
        weekdays=display.weekdays(),
        rows=rows,
        spare=any(row["spare"] for row in rows),
        deputy_waits=bool(found.deputy_email) and found.deputy_verified_on is None,
        logo=_address_of(found.logo),
        sms_on=not desk().settings.twilio.missing,
        done=done,
        done_in=_SECTIONS.get(done, ""),
        form=form,
        errors=errors,
        trouble=forms.trouble(general.code) if general else "",
        typed=forms.typed_text() if form else {},
    )


def _address_of(logo: bytes | None) -> str:
    return f"data:{media_type(logo)};base64,{b64encode(logo).decode()}" if logo else ""


def _errors(refused: ValidationError | SignalsError) -> dict[str, str]:
    """Return errors by the page's field: `recipients.1.phone` of the filled rows is `phone-1` of all."""
    rows, found = _filled_rows(), {}
    for name, words in forms.messages(refused).items():
        _, *rest = name.split(".")
        place = int(rest[0]) if rest and rest[0].isdigit() else None
        known = place is not None and len(rest) == 2 and place < len(rows)
        found[f"{rest[1]}-{rows[place]}" if known and place is not None else name] = words
    return found


def _rows(found: Organisation) -> list[Mapping[str, Any]]:
    known = [
        _row(
            place,
            address=entry.address,
            channel=entry.channel or EMAIL,
            phone=entry.phone or "",
            verified_on=entry.verified_on,
            waits=not is_proved(entry),
        )
        for place, entry in enumerate(found.recipients)
    ]
    first = len(known)
    spare = range(first, min(first + SPARE_ROWS, MOST_RECIPIENTS))
    return known + [_row(place, spare=True) for place in spare]


def _typed_rows() -> list[Mapping[str, Any]]:
    """Return every row as typed, each at its own place."""
    typed = request.form
    number = 1 + max((row for row in range(MOST_RECIPIENTS) if f"address-{row}" in typed), default=-1)
    return [
        _row(
            row,
            address=typed.get(f"address-{row}", ""),
            channel=typed.get(f"channel-{row}", EMAIL),
            phone=typed.get(f"phone-{row}", ""),
        )
        for row in range(number)
    ]


def _row(place: int, **values: Any) -> Mapping[str, Any]:
    nothing = {"address": "", "channel": EMAIL, "phone": "", "verified_on": None}
    return {"place": place, **nothing, "waits": False, "spare": False, **values}


def _filled_rows() -> list[int]:
    return [row for row in range(MOST_RECIPIENTS) if request.form.get(f"address-{row}", "").strip()]


def _base(organisation: UUID) -> str:
    if current().actor.role == Role.LEAD:
        return url_for(".overview")
    return url_for(".overview_for_administrator", organisation_id=organisation)


def _done() -> str:
    done = request.args.get("done", "")
    return done if done in _SECTIONS else ""
