"""Which language a reader gets: chosen by the sender's header, a switch, or the staff member's setting."""

from flask import Flask, g, request
from flask_babel import Babel

from signals.vocabulary import LANGUAGES, STAFF_LANGUAGES

DEFAULT = "nl"


def register_languages(app: Flask) -> None:
    """Choose the language of every answer; nothing about it is stored on the public side."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", DEFAULT)
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", "web/translations")
    Babel(app, locale_selector=language)


def language() -> str:
    """The language of this answer: `g.language` when a page has chosen it, else Accept-Language, else Dutch."""
    chosen = g.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES) or DEFAULT


def staff_language() -> str:
    """The same among the languages that the desk speaks."""
    chosen = language()
    return chosen if chosen in STAFF_LANGUAGES else "en"


def direction(code: str) -> str:
    """Writing direction for the `dir` attribute."""
    return "rtl" if code == "ar" else "ltr"
