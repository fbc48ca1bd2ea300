"""Forms, refusals, passkey host and QR codes that the pages about accounts share."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, redirect, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _
from marshmallow import ValidationError, fields, validate

from privacy.passwords import PasswordHasherSettings
from privacy.totp import provisioning_uri
from signals.errors import Invalid
from signals.staff.change_messages import AccountSettings
from signals.staff.identity import MAX_PASSWORD
from signals.staff.passkeys import MAX_LABEL
from signals.staff.relying_party import RelyingParty, relying_party
from signals.web.http.fields import Choice
from signals.web.staff_kit import forms, page_context, refusals
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.schemas import STAFF_LANGUAGE

_SAID_HERE: Final[Mapping[str, LazyString]] = {
    "too_short": _("Use at least 12 characters. A short sentence is easy to remember."),
    "too_common": _("Too many people use this. A short sentence of your own is safer."),
    "too_personal": _("Leave out your name and your e-mail address."),
    "wrong_code": _("This is not the code that the app shows now. Is the app's clock right?"),
    "taken": _("Somebody has this e-mail address already."),
    "too_many": _("Ten passkeys are the most. Remove one first."),
}


class PasswordForm(forms.Form):
    password = fields.String(required=True, validate=validate.Length(max=MAX_PASSWORD))


class CodeForm(forms.Form):
    totp = fields.String(required=True, validate=validate.Length(max=12))


class ConfirmForm(PasswordForm, CodeForm):
    """Password and code of the signed-in person."""


class LabelForm(forms.Form):
    label = fields.String(required=True, validate=validate.Length(max=MAX_LABEL))


class LanguageForm(forms.Form):
    language = fields.String(required=True)


class InviteForm(forms.Form):
    name = fields.String(required=True, validate=validate.Length(max=120))
    email = fields.String(required=True, validate=validate.Length(max=254))
    role = fields.String(required=True)
    language = Choice(STAFF_LANGUAGE, load_default="nl")


def share_with(blueprint: Blueprint) -> None:
    """Give a blueprint the language, words and refusals of the desk."""
    blueprint.before_request(page_context.speak_a_staff_language)
    blueprint.context_processor(page_context.shared)
    refusals.share_with(blueprint)


def see_other(endpoint: str, **values: Any) -> Response:
    """Redirect to a page after a form was processed."""
    return go_to(url_for(endpoint, **values))


def go_to(path: str) -> Response:
    """Redirect to an address of this site, by GET."""
    response: Response = redirect(path, 303)  # type: ignore[assignment]
    return response


def errors_of(refused: ValidationError | Invalid) -> dict[str, str]:
    """Return what is wrong, by field, in the words of these pages."""
    return forms.messages(refused, _SAID_HERE)


def party_here() -> RelyingParty | None:
    """Return the relying party of passkeys for this page, or None where there can be none.

    On one machine the pages also answer at 127.0.0.1, which is no domain; then passkeys need `localhost`.
    """
    public_url = desk().settings.server.public_url
    party = _party()
    if party is None or party.origin == public_url.rstrip("/"):
        return party
    return party if request.host == party.host else None


def passkeys_place() -> str:
    """Return where on this machine passkeys work when they cannot here; empty otherwise."""
    party = _party()
    return f"{party.origin}/desk/account" if party is not None and party_here() is None else ""


def _party() -> RelyingParty | None:
    settings = desk().settings
    return relying_party(settings.server.public_url, settings.scheme.name)


def hasher() -> PasswordHasherSettings:
    """Return the cost of a password hash."""
    return PasswordHasherSettings(memory_kib=desk().settings.sessions.password_memory_kib)


def account_settings() -> AccountSettings:
    """Return the settings for changes of accounts."""
    return AccountSettings(site=desk().settings.server.public_url.rstrip("/"), hasher=hasher())


def qr_image(totp_secret: str, email: str) -> str:
    """Return the authenticator's QR code as a `data:` address of an SVG."""
    import segno

    uri = provisioning_uri(totp_secret, account=email, issuer=desk().settings.scheme.name)
    image: str = segno.make(uri, error="m").svg_data_uri(scale=5, light="#fff")
    return image


def in_groups(totp_secret: str) -> str:
    """Return `ABCD EFGH ...`, which is easier to type."""
    return " ".join(totp_secret[start : start + 4] for start in range(0, len(totp_secret), 4))
