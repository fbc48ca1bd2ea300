"""The administrator's pages about messages, and the sheets for carriers."""

import re
from functools import partial
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, render_template, request

from notifications.dead_letters import SAME, Wish
from notifications.words import address_words, event_words, explain
from signals.errors import NotFound
from signals.statistics.thanks import reached_in_newest_year
from signals.vocabulary import Role
from signals.web.admin import channels, pages
from signals.web.admin.channels import FEW, LEAST
from signals.web.sheets import SheetSize, make_sheet
from signals.web.staff_kit import account_shared, limits, page_kit
from signals.web.staff_kit.auth import requires_page
from signals.web.staff_kit.context import desk, read

channel_admin = Blueprint("channel_admin", __name__, url_prefix="/admin")
page_kit.share_with(channel_admin, pages.sections)

AUTHENTICATION = "cookie"

_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.-]{1,200}(:[0-9]{1,5})?(/[A-Za-z0-9/_-]{0,100})?")


@channel_admin.get("/messages")
@requires_page(Role.ADMINISTRATOR)
def overview() -> str:
    """Show channels, health, answered drills, dead letters, and areas near their limit of today."""
    return _page()


@channel_admin.post("/messages/<uuid:message_id>/again")
@requires_page(Role.ADMINISTRATOR, recent="/admin/messages")
def again(message_id: UUID) -> Any:
    """Send a dead letter again."""
    return _choose(message_id, Wish.AGAIN)


@channel_admin.post("/messages/again")
@requires_page(Role.ADMINISTRATOR, recent="/admin/messages")
def cause_again() -> Any:
    """Send all dead letters of one cause again."""
    channels.choose_cause(request.form.get("problem", ""))
    return account_shared.see_other(".overview", done=Wish.AGAIN.value)


@channel_admin.post("/messages/<uuid:message_id>/drop")
@requires_page(Role.ADMINISTRATOR, recent="/admin/messages")
def drop(message_id: UUID) -> Any:
    """Give a dead letter up for good."""
    return _choose(message_id, Wish.DROP)


@channel_admin.get("/sheets")
@requires_page(Role.ADMINISTRATOR)
def sheets() -> str:
    """Ask for the address of the carriers' page, and link to the sheets."""
    return render_template("admin/sheets.html", address=_address() or _usual(), sizes=list(SheetSize))


@channel_admin.get("/sheets/<size>.pdf")
@requires_page(Role.ADMINISTRATOR)
def sheet(size: str) -> Any:
    """Make a sheet with the QR code of the carriers' page."""
    if size not in set(SheetSize):
        raise NotFound
    address = _address()
    if address is None:
        return account_shared.see_other(".sheets")
    found = read(reached_in_newest_year)
    content = make_sheet(address=address, size=SheetSize(size), found=found)
    answer = Response(content, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="signals-{size}.pdf"'
    return answer


def _choose(message_id: UUID, wish: Wish) -> Any:
    try:
        channels.choose(message_id, wish)
    except page_kit.REFUSED as refused:
        return _page(trouble=page_kit.trouble_of(refused)), 409
    return account_shared.see_other(".overview", done=wish.value)


def _page(*, trouble: str = "") -> str:
    done, language = request.args.get("done", ""), page_kit.language()
    return render_template(
        "admin/messages.html",
        delivery=channels.delivery(),
        days=limits.todays(),
        least=LEAST,
        few=FEW,
        explain=partial(explain, language=language),
        event_words=partial(event_words, language=language),
        address_words=partial(address_words, language=language),
        same=SAME,
        can_be_chosen=channels.can_be_chosen,
        trouble=trouble,
        done=done if done in set(Wish) else "",
    )


def _address() -> str | None:
    """Return the typed address, or the usual one; None when the text is no address."""
    typed = request.args.get("address", "").strip()
    if not typed:
        return _usual()
    return typed if _ADDRESS.fullmatch(typed) else None


def _usual() -> str:
    return desk().settings.server.public_url
