"""Names that the templates of all staff pages use."""

from typing import Any

from flask import g

from signals.models import Organisation
from signals.web.http.i18n import staff_language
from signals.web.labels import label, sender
from signals.web.staff_kit import auth, display, news, typed
from signals.web.staff_kit.auth import caller_or_none
from signals.web.staff_kit.context import desk


def speak_a_staff_language() -> None:
    """Use the browser's language until somebody is signed in, if the desk has it."""
    g.language = staff_language()


def shared() -> dict[str, Any]:
    caller = caller_or_none()
    return {
        "me": caller.member if caller else None,
        "home": auth.home(caller.member.role) if caller else "/desk",
        "organisation": _organisation_name,
        "csrf_name": auth.CSRF_FIELD,
        "csrf": auth.csrf_field(),
        "code": display.page_language(),
        "day": display.day,
        "short_day": display.short_day,
        "moment": display.moment,
        "deadline": display.deadline,
        "address": display.address,
        "address_lines": display.address_lines,
        "surroundings": display.surroundings,
        "area": display.area,
        "map_link": display.map_link,
        "sent_label": typed.sent_label,
        "as_choices": typed.as_choices,
        "news": news.lines,
        "label": lambda value: label(value, display.page_language()),
        "sender": lambda profession: sender(profession, display.page_language()),
    }


def _organisation_name() -> str:
    """Return the reader's organisation, for the head of the page."""
    caller = caller_or_none()
    if caller is None or caller.member.organisation_id is None:
        return ""
    with desk().reading() as session:
        return session.get_one(Organisation, caller.member.organisation_id).name
