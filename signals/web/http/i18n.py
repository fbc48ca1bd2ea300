"""The language of an answer: from a header, a switch on the page, or the setting of a staff member."""

from collections.abc import Collection, Iterator

from flask import Flask, g, request
from flask_babel import Babel

from signals.vocabulary import LANGUAGES, STAFF_LANGUAGES

DEFAULT = "nl"
TRANSLATIONS = "web/translations"
"""The folder of the catalogues, relative to the package. The English words are in the source."""


def register_languages(app: Flask) -> None:
    """Choose the language of each answer; the public side stores nothing about it."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", DEFAULT)
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", TRANSLATIONS)
    Babel(app, locale_selector=language)


def language() -> str:
    """Return the language of this answer: `g.language` if it is set, else Accept-Language, else Dutch."""
    chosen = g.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return next(_accepted(LANGUAGES), DEFAULT)


def _accepted(spoken: Collection[str]) -> Iterator[str]:
    """Yield the languages of the reader that are `spoken`, best first; `uk-UA` counts as `uk` (RFC 4647).

    Werkzeug's `best_match` would give Dutch to `uk-UA, nl;q=0.5`, because it tries exact tags first.
    """
    for tag, quality in request.accept_languages:
        primary = tag.replace("_", "-").split("-")[0].lower()
        if quality > 0 and primary in spoken:
            yield primary


def staff_language() -> str:
    """Return the language of this answer among those of the desk, or English if the reader knows none."""
    chosen = g.get("language") or next(_accepted(STAFF_LANGUAGES), language())
    return chosen if chosen in STAFF_LANGUAGES else "en"


def direction(code: str) -> str:
    """Return the writing direction for the `dir` attribute."""
    return "rtl" if code == "ar" else "ltr"
