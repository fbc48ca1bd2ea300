"""The page about connected systems: a lead asks for one, and lead or privacy officer disconnects it."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, render_template, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from signals.errors import Conflict, Invalid, NotFound
from signals.models.connection import SystemKind
from signals.organisations import connections
from signals.staff.standing import APPROVERS
from signals.vocabulary import Role
from signals.web.staff_kit import account_shared as shared
from signals.web.staff_kit import forms, page_kit
from signals.web.staff_kit.auth import current, requires_page
from signals.web.staff_kit.context import act, desk, read
from signals.web.staff_kit.opened import organisation_id
from signals.web.staff_kit.page_kit import officer_sections

system_pages = Blueprint("system_pages", __name__, url_prefix="/desk/systems")
page_kit.share_with(system_pages, officer_sections)

AUTHENTICATION = "cookie"

_PAGE: Final = "/desk/systems"
_DONE: Final = frozenset(("asked", "disconnected"))
_WORDS: Final[Mapping[str, LazyString]] = {
    "zaken_url": _("Address of the Zaken API"),
    "documenten_url": _("Address of the Documenten API"),
    "client_id": _("Client id"),
    "rsin": _("RSIN of your organisation"),
    "zaaktype": _("Address of the zaaktype"),
    "informatieobjecttype": _("Address of the informatieobjecttype"),
    "url": _("Address that gets the events"),
}


@system_pages.get("")
@requires_page(*APPROVERS)
def overview() -> str:
    done = request.args.get("done", "")
    return _page(done=done if done in _DONE else "")


@system_pages.post("/<kind>")
@requires_page(Role.LEAD, recent=_PAGE)
def ask(kind: str) -> Any:
    """Ask the privacy officer to connect a system."""
    wanted = _kind(kind)
    values = {name: request.form.get(name, "") for name in connections.FIELDS[wanted]}
    http = connections.guarded_http(desk().settings)
    try:
        act(connections.ask_to_connect, kind=wanted, settings=values, http=http)
    except Invalid as refused:
        return _page(form=kind, errors=forms.messages(refused)), 400
    except Conflict as refused:
        return _page(trouble=forms.trouble(refused.code)), refused.status
    return shared.see_other(".overview", done="asked")


@system_pages.post("/<kind>/disconnect")
@requires_page(*APPROVERS)
def disconnect(kind: str) -> Response:
    act(connections.disconnect, kind=_kind(kind))
    return shared.see_other(".overview", done="disconnected")


def _kind(text: str) -> SystemKind:
    if text not in {kind.value for kind in SystemKind}:
        raise NotFound
    return SystemKind(text)


def _page(
    *, done: str = "", form: str = "", errors: Mapping[str, str] | None = None, trouble: str = ""
) -> str:
    found = read(connections.connections, organisation_id())
    leads = current().actor.role == Role.LEAD
    keystore = desk().keystore
    return render_template(
        "desk/systems.html",
        connected={one.kind.value: one for one in found},
        secrets={
            one.id: connections.webhook_secret(keystore, one.id)
            for one in found
            if leads and one.kind is SystemKind.WEBHOOK
        },
        fields={kind.value: names for kind, names in connections.FIELDS.items()},
        words=_WORDS,
        leads=leads,
        done=done,
        form=form,
        errors=errors or {},
        typed=forms.typed_text() if form else {},
        trouble=trouble,
    )
