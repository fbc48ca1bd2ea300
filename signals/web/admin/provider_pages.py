"""The page on which an administrator asks a team to sign in at its own provider."""

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from marshmallow import ValidationError, fields

from signals.errors import NotFound, SignalsError
from signals.models import Organisation
from signals.staff.provider_requests import ask_for_provider
from signals.staff.providers import ProviderSettings, callback_of, provider_of
from signals.vocabulary import Role
from signals.web.admin.pages import sections
from signals.web.staff_kit import account_shared, forms, page_kit
from signals.web.staff_kit.auth import requires_page
from signals.web.staff_kit.context import act, desk

provider_admin = Blueprint("provider_admin", __name__, url_prefix="/admin/organisations")
page_kit.share_with(provider_admin, sections)

AUTHENTICATION = "cookie"


class ProviderForm(forms.Form):
    """A provider; without an issuer, none any more. Several domains or values have spaces between them."""

    issuer = fields.String(load_default="")
    client_id = fields.String(load_default="")
    secret_file = fields.String(load_default="")
    domains = fields.String(load_default="")
    factors = fields.String(load_default="")


@provider_admin.get("/<uuid:organisation_id>/provider")
@requires_page(Role.ADMINISTRATOR)
def form(organisation_id: UUID) -> str:
    """Show where a team signs in, and ask for a change."""
    return _page(organisation_id)


@provider_admin.post("/<uuid:organisation_id>/provider")
@requires_page(Role.ADMINISTRATOR, recent="/admin/organisations/{organisation_id}/provider")
def ask(organisation_id: UUID) -> Any:
    """Ask the team for a provider; its lead or privacy officer approves."""
    try:
        wanted = ProviderSettings(
            **{name: " ".join(text.split()) for name, text in forms.load(_FORM).items()}
        )
        act(ask_for_provider, organisation_id=organisation_id, wanted=wanted)
    except page_kit.REFUSED as refused:
        return _page(organisation_id, refused), 400
    return account_shared.see_other(".form", organisation_id=organisation_id, done="asked")


def _page(organisation_id: UUID, refused: SignalsError | ValidationError | None = None) -> str:
    with desk().reading() as session:
        found, provider = session.get(Organisation, organisation_id), provider_of(session, organisation_id)
    if found is None:
        raise NotFound
    return render_template(
        "admin/provider.html",
        found=found,
        provider=provider,
        callback=callback_of(organisation_id, desk().settings.server.public_url),
        typed=forms.typed_text() if refused else {},
        errors=page_kit.errors_of(refused) if refused else {},
        trouble=page_kit.trouble_of(refused) if refused else "",
        done=request.args.get("done", ""),
    )


_FORM = ProviderForm()
