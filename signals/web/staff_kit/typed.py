"""What somebody typed into a form that could not be taken, kept by their own browser until it can be.

After a lost session it waits in the page that asks to sign in, sealed for the person on whose page the form
stood: whoever else signs in there, or looks at the page's source, reads nothing. No password, code or other
secret is ever part of it, nothing is stored, and after a day it cannot be opened any more.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from signals.web.staff_kit import auth, typed_words
from signals.web.staff_kit.context import desk

KEPT_FOR: Final = timedelta(days=1)
SECRETS: Final = frozenset(("password", "totp", "token", "answer"))
"""Fields by which somebody shows who they are; a form with one of them is never kept."""

_MOST: Final = 150_000
"""Characters of a form that is kept: sealed and sent once more it still fits into a body (`MAX_BODY`)."""
_USE: Final = "typed"


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A form of the desk as it was sent, without its CSRF field: where to, and (name, text) in its order."""

    path: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def page(self) -> str:
        """The page that the form stands on."""
        return page_of(self.path)

    @property
    def shown(self) -> list[tuple[str, str]]:
        """(what, text) of everything that a person chose or typed, in words."""
        return typed_words.shown(self.fields, blueprint_of(self.path))

    @property
    def says_something(self) -> bool:
        """Whether anything was typed or chosen: a bare button is pressed again on its page."""
        words = typed_words.of_pages(blueprint_of(self.path))
        return any(text.strip() and typed_words.word(name, words) for name, text in self.fields)


def typed_now(*, bare: bool = False) -> Typed | None:
    """What this request's form holds; None when nothing may or need be kept of it.

    `bare`: also a button beside which nothing was typed or chosen.
    """
    form = request.form
    if request.files or SECRETS & form.keys():
        return None
    fields = tuple(
        (name, text.replace("\r\n", "\n")) for name, text in form.items(multi=True) if name != auth.CSRF_FIELD
    )
    found = Typed(path=request.path, fields=fields)
    small = sum(len(name) + len(text) for name, text in fields) <= _MOST
    return found if small and (bare or found.says_something) else None


def sealed_for_writer() -> str:
    """What this request's form holds, for the page that asks its writer to sign in; empty for none."""
    found, mark = typed_now(), auth.writer_in_form()
    if found is None or not mark:
        return ""
    content = {"path": found.path, "fields": [list(pair) for pair in found.fields]}
    return desk().browser_state.seal(_USE, content, whose=mark, lasts=KEPT_FOR)


def resumed(text: str) -> Typed | None:
    """What `sealed_for_writer` kept, for who is signed in now; None when it is somebody else's or too old."""
    content = desk().browser_state.open(_USE, text, whose=auth.own_mark())
    if content is None:
        return None
    return Typed(path=content["path"], fields=tuple((name, text) for name, text in content["fields"]))


def page_of(path: str) -> str:
    """The nearest page at or above the address of a form."""
    while path.count("/") > 1:
        if _endpoint(path, "GET"):
            return path
        path = path.rpartition("/")[0]
    return path if _endpoint(path, "GET") else "/desk"


def blueprint_of(path: str) -> str:
    """The name of the blueprint that takes the form at this address; empty where none does."""
    return _endpoint(path, "POST").partition(".")[0]


def _endpoint(path: str, method: str) -> str:
    try:
        endpoint, _values = current_app.url_map.bind("localhost").match(path, method=method)
    except (HTTPException, RequestRedirect):
        return ""
    return str(endpoint)
