"""Whether an unlisted word is more likely Dutch than a name: by its endings, its beginning and its parts."""

import re
from typing import Final

from privacy.redaction.words import words

_ENDINGS: Final = (
    "tjes",
    "tje",
    "jes",
    "heid",
    "lijk",
    "lijke",
    "ingen",
    "ing",
    "den",
    "ten",
    "je",
    "en",
    "de",
    "te",
    "er",
    "ers",
    "st",
    "ste",
    "e",
    "t",
    "d",
    "s",
    "n",
)
_BEGINNINGS: Final = (
    "ge",
    "be",
    "ver",
    "ont",
    "her",
    "on",
    "aan",
    "af",
    "op",
    "uit",
    "in",
    "om",
    "over",
    "onder",
    "door",
    "mee",
    "weg",
    "terug",
    "toe",
    "voor",
    "na",
    "bij",
    "achter",
    "dicht",
    "neer",
    "rond",
    "los",
    "vast",
    "open",
    "tegen",
)
_FORMS: Final = re.compile(
    r"(?:heid|heden|lijke?|baar|bare|loos|loze|isch|ische|eren|eert|eerde|eerden|achtig|achtige|"
    r"(?:er|el|ig|st|kt|pt|cht|gd|fd|sd)(?:de|te)n?|ingen?|aties?|iteit)$"
)
_LONGEST: Final = 40


def looks_dutch(word: str) -> bool:
    """Whether a word (folded) is a listed common word, a form or compound of such, or has a Dutch form."""
    common = words().common
    if word in common or word + "n" in common or len(word) > _LONGEST:
        return True
    return (
        _is_form(word, common) or _is_compound(word, common) or (len(word) > 6 and bool(_FORMS.search(word)))
    )


def _is_form(word: str, common: frozenset[str]) -> bool:
    """Return whether a word is listed, also with an ending, a beginning, or both."""
    if _has_stem(word, common):
        return True
    return any(
        word.startswith(beginning) and _has_stem(word[len(beginning) :], common) for beginning in _BEGINNINGS
    )


def _has_stem(word: str, common: frozenset[str]) -> bool:
    if len(word) >= 3 and word in common:
        return True
    return any(
        word.endswith(ending)
        and len(word) - len(ending) >= 3
        and not common.isdisjoint(_stems(word[: -len(ending)]))
        for ending in _ENDINGS
    )


def _stems(stem: str) -> set[str]:
    """How the stem may be spelt alone: `lop` as `loop`, `bell` as `bel`, `lev` as `leef`."""
    found = {stem, stem + "en"}
    if stem[-1] == stem[-2]:
        found.add(stem[:-1])
    if stem[-2] in "aeou":
        found.add(stem[:-1] + stem[-2] + stem[-1])
    return found | {form[:-1] + {"v": "f", "z": "s"}[form[-1]] for form in found if form[-1] in "vz"}


def _is_compound(word: str, common: frozenset[str]) -> bool:
    """Two listed words, with or without a linking s."""
    return any(
        word[split:] in common
        and (word[:split] in common or (word[split - 1] == "s" and word[: split - 1] in common))
        for split in range(4, len(word) - 2)
    ) or any(word[:3] in common and rest in common for rest in (word[3:],) if len(rest) > 3)
