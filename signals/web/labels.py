"""Words for codes, and texts in a chosen language; the words themselves are in the catalogues.

The message of a code has the name of its enum as context and its value as id: ("ConcernType", "frail").
tools/texts.py lists the enums that people read.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

from babel.numbers import format_decimal
from babel.support import Translations

from signals.vocabulary import LANGUAGES, Profession

_FOLDER: Final = Path(__file__).parent / "translations"


def mark(message: str) -> str:
    """Return a text as it is, so that the catalogues have it; `text` translates it later."""
    return message


EMERGENCY: Final = (
    ("112", mark("Emergency number"), mark("Immediate danger")),
    ("0800-2000", mark("Veilig Thuis (free, day and night)"), mark("Violence, abuse, children in danger")),
    ("113", mark("113 Suicide prevention (free, day and night)"), mark("Thoughts of suicide")),
    ("0800-1205", mark("Worrying Behaviour line (free)"), mark("Worrying behaviour, not acute")),
)
"""Numbers to call when it cannot wait: the number, its name, and when to call it."""


@cache
def catalogue(language: str) -> Any:
    """Return the texts of a language; that of English has codes only, as other texts are English already."""
    return Translations.load(_FOLDER, [language])


def text(message: str, language: str, **values: object) -> str:
    """Return a text in a language, with its values filled in."""
    words = str(catalogue(language).gettext(message))
    return words % values if values else words


def label(code: StrEnum, language: str) -> str:
    """Return the words for a code in a language."""
    return words_for(type(code).__name__, code.value, language)


def sender(profession: Profession | None, language: str) -> str:
    """Return "a delivery worker" for a proved profession, and "somebody" without proof."""
    return label(profession, language) if profession else text(mark("somebody"), language)


def reached(year: str, people: int, language: str) -> str:
    """Return the sentence that thanks carriers with the number of a released year."""
    return text(
        mark("In %(year)s, about %(people)s people were reached whom carriers had noticed."),
        language,
        year=year,
        people=format_decimal(people, locale=language),
    )


def words_for(context: str, code: str, language: str) -> str:
    """Return the words for a code that is in no enum; `context` says what kind of code it is."""
    return str(catalogue(language).pgettext(context, code))


def choices(
    codes: type[StrEnum], language: str, *, without: frozenset[StrEnum] = frozenset()
) -> list[tuple[str, str]]:
    """Return (code, words) for the options of a form, in the order of the enum."""
    return [(code.value, label(code, language)) for code in codes if code not in without]


def labels(code: StrEnum) -> Mapping[str, str]:
    """Return the words for a code in every language, by language."""
    return {language: label(code, language) for language in LANGUAGES}


def texts(message: str) -> Mapping[str, str]:
    """Return a marked text in every language, by language."""
    return {language: text(message, language) for language in LANGUAGES}
