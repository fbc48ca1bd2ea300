"""Postcodes and number plates."""

import re
from typing import Final

from privacy.redaction.canvas import Canvas
from privacy.redaction.words import words

DIGITS_OF_POSTCODE: Final = r"(?<!\d)[1-9]\d{3}"
_POSTCODE: Final = re.compile(rf"{DIGITS_OF_POSTCODE}([ .-]{{0,2}})([a-z]{{2}})(?![a-z0-9])")
_POSTCODE_CUE: Final = re.compile(r"\b(?:postcode|pc)(?: is|:)? ?([1-9]\d{3})(?!\d)")
_CLASSES: Final = {"l": "[a-z]", "d": "[0-9]"}
_SHAPES: Final = (
    ((2, 2, 2), "ldd"),
    ((2, 2, 2), "ddl"),
    ((2, 2, 2), "dld"),
    ((2, 2, 2), "ldl"),
    ((2, 2, 2), "lld"),
    ((2, 2, 2), "dll"),
    ((2, 3, 1), "dld"),
    ((1, 3, 2), "dld"),
    ((2, 3, 1), "ldl"),
    ((1, 3, 2), "ldl"),
    ((3, 2, 1), "ldl"),
    ((1, 2, 3), "ldl"),
    ((1, 2, 3), "dld"),
    ((3, 2, 1), "dld"),
)
"""The fourteen sidecodes of the RDW: lengths of the three groups, and which are letters or digits."""


def plates(separator: str) -> re.Pattern[str]:
    """Return the rule of plates whose groups this pattern separates."""
    shapes = "|".join(
        separator.join(f"{_CLASSES[kind]}{{{size}}}" for size, kind in zip(sizes, kinds, strict=True))
        for sizes, kinds in _SHAPES
    )
    return re.compile(rf"(?<![a-z0-9-])(?:{shapes})(?![a-z0-9]|-[a-z0-9])")


_CLOSED: Final = plates("[-.]?")
_SPACED: Final = plates(" ")
_LIKE_POSTCODE: Final = re.compile(r"\d{4}[a-z]{2}")
_LETTERS: Final = re.compile(r"[a-z]+")
_CAR: Final = re.compile(
    r"\b(?:kenteken|nummerbord|nummerplaat|plaat|auto|wagen|bus|busje|bestelbus|bestelwagen|scooter|brommer|motor|"
    r"aanhanger|caravan|camper|taxi|opel|volvo|ford|toyota|vw|golf|volkswagen|renault|peugeot|citroen|fiat|audi|bmw|"
    r"mercedes|seat|skoda|kia|hyundai|suzuki|nissan|mazda|honda)\b"
)


def find_postcodes(canvas: Canvas) -> None:
    """Four digits and two letters; four digits alone only after the word."""
    if not canvas.has_digits:
        return
    for match in _POSTCODE.finditer(canvas.lower):
        if not (match[1] and _are_words(canvas, match)):
            canvas.take(*match.span(), "postcode")
    canvas.take_all(_POSTCODE_CUE, "postcode", 1)


def find_plates(canvas: Canvas) -> None:
    """All sidecodes with dashes or closed up; with spaces only in capitals or near a word for a vehicle."""
    if not canvas.has_digits:
        return
    for pattern in (_CLOSED, _SPACED):
        for match in pattern.finditer(canvas.lower):
            if _is_plate(canvas, match):
                canvas.take(*match.span(), "plate")


def _are_words(canvas: Canvas, match: re.Match[str]) -> bool:
    """`2024 is`: a number and the next word."""
    return match[2] in words().short_words and not canvas.cased[match.start(2) : match.end(2)].isupper()


def _is_plate(canvas: Canvas, match: re.Match[str]) -> bool:
    text = match.group()
    if _CAR.search(canvas.lower, max(0, match.start() - 30), match.start()):
        return True
    if _LIKE_POSTCODE.fullmatch(text) or _has_word(text):
        return False
    return " " not in text or canvas.cased[match.start() : match.end()].isupper()


def _has_word(text: str) -> bool:
    return any(part in words().short_words for part in _LETTERS.findall(text)) and not text.isalnum()
