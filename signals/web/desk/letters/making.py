"""Setting the letter of article 14 AVG and the card as PDF/UA-1, from words, organisation and periods."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from babel.dates import format_date, format_timedelta

from signals.web.desk.letters.texts import RIGHT_TO_LEFT, TEXTS, Words
from signals.web.pdf import compile_pdf
from signals.web.staff_kit.pdf import TEMPLATES

_FOLDER: Final = TEMPLATES / "letters"
_VOWEL_MARKS: Final = re.compile(r"[\u064b-\u0652]")
"""Arabic does without them; set apart above a letter they would break the word for a reader of the file."""


@dataclass(frozen=True, kw_only=True)
class Sender:
    """The organisation as a resident may reach it; `legal_basis` is in Dutch, as it was recorded.

    `officer`: the e-mail address of its privacy officer, empty where it has none.
    """

    name: str
    phone: str
    email: str
    officer: str
    legal_basis: str


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What one letter says; `concluded`, `unattended` and `hard_limit` are days."""

    sender: Sender
    reference: str
    address: str = field(repr=False)
    on: date
    concluded: int
    unattended: int
    hard_limit: int


def notice_pdf(letter: Letter, language: str) -> bytes:
    """The letter in one of `TEXTS`: who holds what, why, on which ground, for how long, from whom, and the
    rights.

    Art. 14(1) and (2) AVG. Of what was noticed it names the kind only: a letter is opened by others too.
    """
    return compile_pdf(_FOLDER / "notice.typ", notice_data(letter, language))


def card_pdf(sender: Sender, language: str) -> bytes:
    """The card for the letter box, A6; it knows no resident. Reference and day are written on it by hand."""
    return compile_pdf(_FOLDER / "card.typ", card_data(sender, language))


def notice_data(letter: Letter, language: str) -> dict[str, Any]:
    """What the letter's template is filled with."""
    words = TEXTS[language]
    return {
        **_common(letter.sender, words, language),
        "title": words.title,
        "to": words.to,
        "address": letter.address,
        "reference": (words.reference, letter.reference),
        "date": (words.date, format_date(letter.on, "long", locale=language)),
        "lead": list(words.lead),
        "officer": (words.officer, letter.sender.officer) if letter.sender.officer else None,
        "keep_reference": words.keep_reference,
        "sections": [
            {"title": words.what, "items": list(words.what_items), "text": "", "dutch": ""},
            {"title": words.why, "items": [], "text": words.why_text, "dutch": ""},
            _ground(letter.sender, words),
            {"title": words.long, "items": _periods(letter, words, language), "text": "", "dutch": ""},
            {"title": words.source, "items": [], "text": words.source_text, "dutch": ""},
            {"title": words.others, "items": [], "text": words.others_text, "dutch": ""},
            {"title": words.rights, "items": list(words.rights_items), "text": words.complaint, "dutch": ""},
        ],
    }


def card_data(sender: Sender, language: str) -> dict[str, Any]:
    """What the card's template is filled with."""
    words = TEXTS[language]
    return {
        **_common(sender, words, language),
        "title": words.card_title,
        "text": list(words.card_text),
        "blanks": [words.card_when, words.reference],
    }


def _common(sender: Sender, words: Words, language: str) -> dict[str, Any]:
    reach = [(words.phone, sender.phone), (words.email, sender.email)]
    return {
        "language": language,
        "rtl": language in RIGHT_TO_LEFT,
        "organisation": sender.name,
        "contact": words.contact,
        "reach": [(what, value) for what, value in reach if value],
    }


def _ground(sender: Sender, words: Words) -> Mapping[str, Any]:
    text = "" if sender.legal_basis else words.ground_unknown
    return {"title": words.ground, "items": [], "text": text, "dutch": sender.legal_basis}


def _periods(letter: Letter, words: Words, language: str) -> list[str]:
    def of_days(sentence: str, days: int) -> str:
        never_weeks = float(days + 1)  # from this number of a larger unit on babel would take that unit
        span = timedelta(days=days)
        words = format_timedelta(span, "day", never_weeks, locale=language)
        return sentence.format(days=_VOWEL_MARKS.sub("", words))

    return [
        of_days(words.long_concluded, letter.concluded),
        of_days(words.long_unattended, letter.unattended),
        of_days(words.long_limit, letter.hard_limit),
        words.long_link,
    ]
