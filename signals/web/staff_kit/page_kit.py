"""Words, sections and refusals that the pages of officers, administrators and referrals share."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from flask import Blueprint
from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _
from marshmallow import ValidationError

from signals.errors import Conflict, Invalid, SignalsError
from signals.vocabulary import Role
from signals.web import labels
from signals.web.staff_kit import account_shared, display, forms
from signals.web.staff_kit.area_words import area_words
from signals.web.staff_kit.auth import administers, caller_or_none, current

Sections = Callable[[], Sequence[tuple[str, str]]]
"""(endpoint, words) of the pages that every page of a part links to."""

REFUSED: Final = (ValidationError, Invalid, Conflict)
"""Refusals after which the form is shown again."""

_SAID_HERE: Final[Mapping[str, LazyString]] = {
    "taken": _("This is in use already. Choose another one."),
    "too_many": _("These are too many. Leave some out."),
    "nothing_to_correct": _("Nothing is different yet. Say what is not right."),
}


def share_with(blueprint: Blueprint, sections: Sections) -> None:
    """Give a blueprint the desk's words and refusals, its own sections, and names for all codes."""
    account_shared.share_with(blueprint)
    blueprint.context_processor(lambda: _context(sections))


def errors_of(refused: SignalsError | ValidationError) -> dict[str, str]:
    """Return what is wrong, by field; empty when no field is to blame."""
    return forms.messages(refused, _SAID_HERE)


def trouble_of(refused: SignalsError | ValidationError) -> str:
    """Return why a request was refused when no field is to blame."""
    if isinstance(refused, ValidationError | Invalid):
        return ""
    return forms.trouble(refused.code)


def language() -> str:
    """Return the language of this page."""
    return display.page_language()


def choices(codes: type[StrEnum]) -> list[tuple[str, str]]:
    """Return (code, words) for a select in the reader's language."""
    return labels.choices(codes, language())


def _context(sections: Sections) -> dict[str, Any]:
    return {
        "label": lambda value: labels.label(value, language()),
        "sections": sections() if caller_or_none() is not None else (),
        "area_words": area_words,
        "confirm_first": _must_confirm(),
    }


def _must_confirm() -> bool:
    caller = caller_or_none()
    return caller is not None and caller.actor.role == Role.ADMINISTRATOR and not administers()


def officer_sections() -> list[tuple[str, str]]:
    """Return the endpoint and the words of each part; none for a lead, whose pages have the team's."""
    if current().actor.role != Role.PRIVACY_OFFICER:
        return []
    return [
        ("officer_pages.overview", gettext("Overview")),
        ("rights_pages.residents", gettext("Rights of residents")),
        ("officer_pages.register", gettext("Register")),
        ("officer_pages.audit", gettext("Audit trail")),
        ("officer_pages.retention", gettext("Keeping and deleting")),
        ("approval_pages.approvals", gettext("Approvals")),
        ("system_pages.overview", gettext("Connected systems")),
    ]
