"""Turns an event and its values into subject, text, HTML and a short text, in Dutch or English.

Templates are files: `templates/<language>/<event>.txt` (its first line is the subject), `.html` and
`.sms.txt`. A value that is missing is an error, never an empty place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, select_autoescape

from notifications.events import LANGUAGES, check_values, is_for_deputy
from notifications.retry import PermanentFailure

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """The parts of a message; a channel takes those that it can use."""

    subject: str
    text: str
    html: str
    short: str


def render(event: str, language: str, values: Mapping[str, str]) -> Rendered:
    """Fill the templates of `event`. Raises PermanentFailure where they cannot be filled."""
    try:
        check_values(event, values, being_sent=True)
        parts = {ending: _fill(event, language, ending, values) for ending in ("txt", "html", "sms.txt")}
    except (ValueError, TemplateError):
        raise PermanentFailure("unrenderable") from None
    subject, _, text = parts["txt"].partition("\n")
    return Rendered(
        subject=subject.strip(),
        text=text.strip() + "\n",
        html=parts["html"].strip() + "\n",
        short=parts["sms.txt"].strip(),
    )


def render_once(event: str, language: str, values: Mapping[str, str]) -> Rendered:
    """The same, kept for those who are told the same: never for values that hold a secret."""
    return _rendered(event, language, tuple(sorted(values.items())))


@lru_cache(maxsize=64)
def _rendered(event: str, language: str, values: tuple[tuple[str, str], ...]) -> Rendered:
    return render(event, language, dict(values))


def in_words(iso_date: str, language: str) -> str:
    """Return an ISO date in words: 2026-11-25, nl -> woensdag 25 november 2026."""
    return format_date(date.fromisoformat(iso_date), "EEEE d MMMM y", locale=language)


def _fill(event: str, language: str, ending: str, values: Mapping[str, str]) -> str:
    if language not in LANGUAGES:
        raise ValueError("no templates in this language")
    template = _environment().get_template(f"{language}/{event}.{ending}")
    return template.render(**values, language=language)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(enabled_extensions=("html",), default_for_string=True, default=False),
        keep_trailing_newline=True,
    )
    environment.filters["in_words"] = in_words
    environment.tests["for_deputy"] = is_for_deputy
    return environment
