"""Make PDF documents on the paper of an organisation: a title, some lines, and sections of facts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from privacy.pictures import as_svg
from signals.models import Organisation
from signals.web.pdf import compile_pdf

LETTERS: Final = Path(__file__).parents[1] / "templates" / "desk" / "letters"


@dataclass(frozen=True, kw_only=True)
class Head:
    """The head of a letter: the organisation's name, the lines below it, and its logo."""

    name: str
    letterhead: str = ""
    logo: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a document: paragraphs, then facts as (label, value)."""

    title: str
    text: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = field(default=(), repr=False)


def head_of(organisation: Organisation) -> Head:
    """Return the head of an organisation's letters; it reads the logo from the database."""
    return Head(name=organisation.name, letterhead=organisation.letterhead, logo=organisation.logo)


def head_data(head: Head) -> dict[str, Any]:
    """Return the values for `head.typ`."""
    return {
        "organisation": head.name,
        "letterhead": head.letterhead.split("\n") if head.letterhead else [],
        "logo": as_svg(head.logo) if head.logo else "",
    }


def make_pdf(
    head: Head, *, title: str, lead: Sequence[str], sections: Sequence[Section], language: str = "nl"
) -> bytes:
    """Return a document of sections; `language` is a BCP 47 code. Text is data, never markup.

    Facts with one label that follow each other stand below each other, with the label once.
    """
    data = {
        **head_data(head),
        "title": title,
        "lead": list(lead),
        "language": language,
        "sections": [
            {"title": section.title, "text": section.text, "facts": _by_label(section.facts)}
            for section in sections
        ],
    }
    return compile_pdf(LETTERS / "document.typ", data)


def _by_label(facts: Sequence[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    return [(label, [value for _, value in rows]) for label, rows in groupby(facts, itemgetter(0))]
