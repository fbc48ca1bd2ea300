"""Turn an event and its values into subject, text, HTML and a short text, in Dutch or English.

Templates are files: `templates/<language>/<event>.txt`, whose first line is the subject, and `.sms.txt`.
The HTML has the words of the text. A missing value is an error, never an empty place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, select_autoescape
from markupsafe import Markup

from notifications.events import LANGUAGES, Event, check_values, is_for_deputy
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
    """Fill the templates of `event`. Raises PermanentFailure if a template or a value is missing."""
    try:
        check_values(event, values, being_sent=True)
        subject, _, text = _fill(event, language, "txt", values).partition("\n")
        short = _fill(event, language, "sms.txt", values)
    except (ValueError, TemplateError):
        raise PermanentFailure("unrenderable") from None
    paragraphs = [_lines(block, event, values["link"]) for block in text.strip().split("\n\n")]
    html = _environment().get_template("layout.html")
    return Rendered(
        subject=subject.strip(),
        text=text.strip() + "\n",
        html=html.render(language=language, subject=subject.strip(), paragraphs=paragraphs),
        short=short.strip(),
    )


def render_once(event: str, language: str, values: Mapping[str, str]) -> Rendered:
    """Return the same from a cache, for several recipients: never for values that hold a secret."""
    return _rendered(event, language, tuple(sorted(values.items())))


@lru_cache(maxsize=64)
def _rendered(event: str, language: str, values: tuple[tuple[str, str], ...]) -> Rendered:
    return render(event, language, dict(values))


def _lines(block: str, event: str, link: str) -> list[str | Markup]:
    """Return the lines of a paragraph for HTML: the line above a link becomes the words of the link."""
    *lines, last = block.split("\n")
    if last != link:
        return [*lines, last]
    shown = [lines.pop()] if event == Event.ACCOUNT_LINK else []  # its reader may have to paste the link
    words = link if shown else lines.pop().removesuffix(":")
    return [*lines, *shown, Markup('<a href="{}">{}</a>').format(link, words)]


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
