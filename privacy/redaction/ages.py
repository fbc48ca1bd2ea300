"""Ages, in figures and words; how long or how often something happened stays."""

import re
from typing import Final

from privacy.redaction.canvas import BLANK, Canvas
from privacy.redaction.words import words

_TENS: Final = "twintig|dertig|veertig|vijftig|zestig|zeventig|tachtig|negentig"
_WORD: Final = rf"(?:(?:een|twee|drie|vier|vijf|zes|zeven|acht|negen) ?en ?)?(?:{_TENS})|honderd"
_N: Final = rf"(?:\d{{1,3}}|{_WORD})"
_ABOUT: Final = (
    r"(?:ongeveer|circa|ca\.?|ong\.?|zo'n|rond|rond de|bijna|ruim|al|nu|net|pas|plusminus|minstens|wel|dik) "
)
_PERSON: Final = (
    r"(?:man|vrouw|mevrouw|mevr|mw|mvr|meneer|dhr|heer|dame|oma|opa|oudje|omaatje|bewoner|bewoonster|jongen|meisje|"
    r"kind|persoon|iemand|hij|ie|ze|zij|dochter|zoon|weduwe|weduwnaar|vader|moeder|buurman|buurvrouw)"
)
_YEARS: Final = re.compile(rf"(?<![\d,.-])\b({_N})[ -]{{0,2}}(jarige?n?|jaartjes|jaar|jr|j)\b(?! tv)")
_DECADE: Final = re.compile(
    rf"\b(?:begin|eind|half|halverwege|midden|achter in|voor in|in) (?:in )?(?:de )?({_N})(?![\d:.-]\d|\d)\b"
)
_AROUND: Final = re.compile(
    rf"\b(?:rond de|tegen de|richting de|dik in de|ver in de|in de) ({_N})(?![\d:.]\d|\d)\b"
)
_OF_PERSON: Final = re.compile(
    rf"\b{_PERSON}[ ,.]{{1,2}}(?:van|is|was|word|wordt|werd)? ?(?:een |de )?(?:{_ABOUT}){{0,2}}"
    rf"({_N})(?![\d:.-]\d|\d|[a-z])"
)
_OF_CHILD: Final = re.compile(
    r"\b(?:kind|kindje|jongen|jongetje|meisje|zoontje|dochtertje|kleuter|peuter|baby) van "
    r"(?:een jaar of )?(\d{1,2})(?![\d:.-]\d|\d)\b"
)
_BECOMES: Final = re.compile(
    rf"\b(?:wordt|word|werd|leeftijd|is) (?:is |van )?(?:{_ABOUT})?({_N})(?![\d:.-]\d|\d|[a-z])"
)
_AGE_WORD: Final = re.compile(rf"\bleeftijd[ :.]{{1,3}}(?:is |van |rond )?(?:{_ABOUT})?({_N})\b")
_PLUS: Final = re.compile(
    rf"(?<![\d,.-])\b({_N})(?:er(?:s|ig)?\b|plussers?\b|\+|-?plus(?:sers?)?\b|jarigen?\b)"
)
_AFTER_NAME: Final = re.compile(rf"{BLANK}[ ]?[,(/ -][ ]?(\d{{2,3}})(?=[ ,.)]|$)(?![.,]\d)")
_LASTING: Final = re.compile(
    r"(?:al|na|over|afgelopen|laatste|sinds|binnen|hier|ruim|per|elke|om de|paar|woont er) $"
)
_AGO: Final = re.compile(
    r" (?:geleden|gelede|gelden|lang|later|terug|ervaring|samen|niet|geen|niks|niets|nooit|in dit|hier)\b"
)
_HAS_NUMBER: Final = re.compile(r"[0-9]|tig|honderd")
_NEXT_WORD: Final = re.compile(r" ?([a-z%]+)")
_NO_UNITS: Final = frozenset(
    {"alleen", "aleen", "binnen", "boven", "buiten", "geboren", "geweest", "geworden", "heen", "zonder"}
)


def find_ages(canvas: Canvas) -> None:
    """Ages with a word that shows them for one: `82 jaar`, `in de 80`, `een man van 67`, `tachtiger`."""
    if not _HAS_NUMBER.search(canvas.lower):
        return
    for match in _YEARS.finditer(canvas.lower):
        if _is_age(canvas.lower, match):
            canvas.take(*match.span(1), "age")
    canvas.take_all(_PLUS, "age")
    canvas.take_all(_AGE_WORD, "age", 1)
    canvas.take_all(_OF_CHILD, "age", 1)
    for pattern in (_DECADE, _AROUND, _OF_PERSON, _BECOMES):
        _take_without_unit(canvas, pattern)


def find_ages_after_names(canvas: Canvas) -> None:
    """`[naam] (84)`, `[naam], 79,`."""
    _take_without_unit(canvas, _AFTER_NAME)


def _is_age(text: str, match: re.Match[str]) -> bool:
    if match[2].startswith("jarig"):
        return True
    lasted = _AGO.match(text, match.end()) or _LASTING.search(text, max(0, match.start() - 12), match.start())
    number = match[1]
    old = not number.isdigit() or 55 <= int(number) <= 120
    return (old and not _AGO.match(text, match.end())) or (
        not lasted and (not number.isdigit() or int(number) >= 12)
    )


def _take_without_unit(canvas: Canvas, pattern: re.Pattern[str]) -> None:
    for match in pattern.finditer(canvas.lower):
        if not _counts_things(canvas.lower, match) and _may_be_age(match[1]):
            canvas.take(*match.span(1), "age")


def _may_be_age(number: str) -> bool:
    return not number.isdigit() or 12 <= int(number) <= 115


def _counts_things(text: str, match: re.Match[str]) -> bool:
    following = _NEXT_WORD.match(text, match.end(1))
    if following is None:
        return False
    word = following[1]
    return word in words().units or (word.endswith(("en", "jes")) and len(word) > 3 and word not in _NO_UNITS)
