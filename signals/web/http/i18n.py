"""Which language a reader gets: chosen by the sender's header, a switch, or the staff member's setting."""

from collections.abc import Collection, Iterator

from flask import Flask, g, request
from flask_babel import Babel

from signals.vocabulary import LANGUAGES, STAFF_LANGUAGES

DEFAULT = "nl"
TRANSLATIONS = (
    "web/translations",
    "web/front/translations",
    "web/desk/translations",
    "web/figures/translations",
)
"""Catalogues, relative to the package: words of all pages and problems, then of each side.

One that is missing is passed over, and the English of the source is read in its place.
"""


def register_languages(app: Flask) -> None:
    """Choose the language of every answer; nothing about it is stored on the public side."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", DEFAULT)
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", ";".join(TRANSLATIONS))
    Babel(app, locale_selector=language)


def language() -> str:
    """The language of this answer: `g.language` when a page chose one, else Accept-Language, else Dutch."""
    chosen = g.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return next(_accepted(LANGUAGES), DEFAULT)


def _accepted(spoken: Collection[str]) -> Iterator[str]:
    """Those of the reader that are `spoken`, best first; `uk-UA` is read as `uk` (RFC 4647, 3.4 lookup).

    Werkzeug's `best_match` would give Dutch to `uk-UA, nl;q=0.5`, for it tries exact tags first.
    """
    for tag, quality in request.accept_languages:
        primary = tag.replace("_", "-").split("-")[0].lower()
        if quality > 0 and primary in spoken:
            yield primary


def staff_language() -> str:
    """The same among the languages that the desk speaks; English to who reads none of them."""
    chosen = g.get("language") or next(_accepted(STAFF_LANGUAGES), language())
    return chosen if chosen in STAFF_LANGUAGES else "en"


def direction(code: str) -> str:
    """Writing direction for the `dir` attribute."""
    return "rtl" if code == "ar" else "ltr"
