"""The language of a note, and whether an unlisted word is more likely one of its words than a name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from privacy.redaction.canvas import Token, folded
from privacy.redaction.dutch import looks_dutch
from privacy.redaction.words import words

_END_OF_LATIN: Final = "\u0250"
_LEAST_LETTERS: Final = 3
_LEAST_WITH_END: Final = 4
_NOT_DUTCH: Final = re.compile("[şğıłżśńțșăđŞĞİŁŻŚŃȚȘĂĐ]")
_SLAVIC_ENDS: Final = re.compile(f"(?:{folded('ов|ова|ев|ева|єв|єва|ски|ска|ський|ська|енко|чук|юк|ич')})$")
_ENDS: Final = re.compile(
    r"(?:owski|owska|czak|czyk|wicz|escu|oglu|akis|nur|gul|alp|soy|demir|maz|mez|turk|bay|han|can|tekin|kaya|tay)$"
)
# Arabic writes "and", "with", "for", "the" before a word and "my", "his", "their" after it, all in one.
_JOINED: Final = re.compile("^[وف]?(?:[بلك]?ال|لل|[بلكسيتن])?|(?:ها|هم|نا|كم|ات|ون|ين|وا|[كهيةت])$")


@dataclass(frozen=True, kw_only=True)
class Languages:
    """Whether a note is in another language than Dutch, and in another script."""

    is_other: bool
    is_latin: bool

    @classmethod
    def of(cls, note: str, tokens: Iterable[Token]) -> "Languages":
        """Count the Latin letters, and which words are known: Dutch ones, or those of other languages."""
        texts = [token.text for token in tokens]
        letters = [letter for letter in note if letter.isalpha()]
        return cls(
            is_latin=sum(letter < _END_OF_LATIN for letter in letters) * 2 >= len(letters),
            is_other=sum(map(_is_other, texts)) > sum(text in words().common for text in texts),
        )

    def has(self, text: str) -> bool:
        """Return whether a word (folded) is more likely a word of this note's language than a name."""
        return looks_dutch(text) or (self.is_other and _is_other(text))

    def is_strange(self, text: str, written: str) -> bool:
        """Return whether a word is in another language or script than the note, or ends like a surname."""
        if self.is_latin and not text.isascii():
            return len(text) > 1
        if len(text) < _LEAST_LETTERS or self.has(text):
            return False
        if not text.isascii():
            return bool(_SLAVIC_ENDS.search(text))
        if not self.is_other and (text in words().strange_words or _NOT_DUTCH.search(written)):
            return True
        return len(text) > _LEAST_WITH_END and bool(_ENDS.search(text))


def _is_other(text: str) -> bool:
    known = words().other_languages
    return text in known or (not text.isascii() and _JOINED.sub("", text) in known)
