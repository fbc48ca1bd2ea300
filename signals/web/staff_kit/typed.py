"""Keep what people typed into a form of a lost session, in their own browser, until they can send it.

Each form sends the labels of its fields and the words of its choices (`desk/fields.html`), so the kept text
reads as the form did. The form is sealed for the person on whose page it stood. Anybody else who signs in
there, or reads the source of the page, sees nothing. No form with a password, code or other secret is kept.
The server stores nothing, and after a day nobody can open the form.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from signals.web.staff_kit import auth, display
from signals.web.staff_kit.context import desk

KEPT_FOR: Final = timedelta(days=1)
SECRETS: Final = frozenset(("password", "totp", "token", "answer"))
"""Fields that prove who somebody is; a form with one of them is never kept."""

LABEL: Final = "label:"
CHOICES: Final = "choices:"
"""Prefixes of the hidden fields with a field's label, and with the words of its choices as JSON."""

_MOST: Final = 150_000
"""Most characters of a kept form: sealed and sent again it still fits into a body (`MAX_BODY`)."""
_USE: Final = "typed"


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A sent form of the desk without its CSRF field: its address, and (name, text) in its order."""

    path: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def page(self) -> str:
        """Return the page that the form stands on."""
        return page_of(self.path)

    @property
    def shown(self) -> list[tuple[str, str]]:
        """Return (label, words) of everything that a person chose or typed; one label stands once."""
        labels, words = dict(_named(LABEL, self.fields)), _choices(self.fields)
        found: dict[str, list[str]] = {}
        for name, text in self.fields:
            if labels.get(name) and text.strip():
                found.setdefault(labels[name], []).append(words.get((name, text)) or _day(text))
        return [(label, ", ".join(texts)) for label, texts in found.items()]


def typed_now(*, bare: bool = False) -> Typed | None:
    """Return the form of this request, or None for one that the desk must not or need not keep.

    `bare` also returns a form in which nobody typed or chose anything.
    """
    form = request.form
    if request.files or SECRETS & form.keys():
        return None
    fields = tuple(
        (name, text.replace("\r\n", "\n")) for name, text in form.items(multi=True) if name != auth.CSRF_FIELD
    )
    found = Typed(path=request.path, fields=fields)
    small = sum(len(name) + len(text) for name, text in fields) <= _MOST
    return found if small and (bare or found.shown) else None


def sealed_for_writer() -> str:
    """Return this request's form, sealed for the page that asks its writer to sign in; empty for none."""
    found, mark = typed_now(), auth.writer_in_form()
    if found is None or not mark:
        return ""
    content = {"path": found.path, "fields": [list(pair) for pair in found.fields]}
    return desk().browser_state.seal(_USE, content, whose=mark, lasts=KEPT_FOR)


def resumed(text: str) -> Typed | None:
    """Return what `sealed_for_writer` kept for the signed-in person; None if it is another's or too old."""
    content = desk().browser_state.open(_USE, text, whose=auth.own_mark())
    if content is None:
        return None
    return Typed(path=content["path"], fields=tuple((name, text) for name, text in content["fields"]))


def page_of(path: str) -> str:
    """Return the nearest page at or above the address of a form."""
    while path.count("/") > 1:
        if _has_page(path):
            return path
        path = path.rpartition("/")[0]
    return path if _has_page(path) else "/desk"


def sent_label(name: str) -> str:
    """Return the label that the sent form gives to a field; empty where it gives none."""
    return request.form.get(f"{LABEL}{name}", "")


def as_choices(choices: Iterable[tuple[object, object]]) -> str:
    """Return (value, words) pairs as the JSON of a hidden field."""
    return json.dumps({str(value): str(words) for value, words in choices}, ensure_ascii=False)


def _named(prefix: str, fields: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((name.removeprefix(prefix), text) for name, text in fields if name.startswith(prefix))


def _choices(fields: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for name, text in _named(CHOICES, fields):
        try:
            found |= {(name, value): str(words) for value, words in json.loads(text).items()}
        except (ValueError, AttributeError):
            continue  # no page of ours sent this
    return found


def _day(text: str) -> str:
    try:
        return display.day(date.fromisoformat(text))
    except ValueError:
        return text


def _has_page(path: str) -> bool:
    try:
        current_app.url_map.bind("localhost").match(path, method="GET")
    except (HTTPException, RequestRedirect):
        return False
    return True
