"""The note as the rules see it: folded to plain lower-case letters and digits; what was found is blank."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

BLANK: Final = "\x00"
"""Stands for a character that was found already; no rule matches it."""

_ASCII_SPACES: Final = str.maketrans(dict.fromkeys("\t\n\r\v\f\x1c\x1d\x1e\x1f\x00", " "))
_DIGIT: Final = re.compile(r"[0-9]")
_HYPHENS: Final = frozenset("‐‑‒–—―−﹣－⁃")
_QUOTES: Final = frozenset("’‘`´ʼ′＇")
_DOTS: Final = frozenset("·•∙․。")
# Letters that Unicode does not decompose, and Cyrillic and Greek ones that look Latin.
_LOOK_ALIKES: Final = {"æ": "ae", "œ": "oe", "ß": "ss"} | dict(
    zip("ıøłđðħаеорсухкмтвніԁһјѕαοερνικτυ", "iolddhaeopcyxkmtbhidhjsaoepviktu", strict=True)
)


class Token(NamedTuple):
    """One word: its place on the canvas, folded text, whether it starts with (or is all) capitals."""

    start: int
    end: int
    text: str
    capital: bool
    upper: bool


@dataclass
class Canvas:
    """One note under redaction; `lower` and `cased` are equally long, `origins` leads back to the note."""

    note: str = field(repr=False)
    cased: str = field(repr=False)
    lower: str = field(repr=False)
    origins: list[int] | None = field(repr=False)
    found: list[tuple[int, int, str]] = field(default_factory=list, repr=False)
    words: tuple[str, list[Token]] | None = field(default=None, repr=False)
    """The words of `lower` as it was when they were last asked for."""

    @property
    def has_digits(self) -> bool:
        """Whether any figure is left; most rules need one."""
        return _DIGIT.search(self.lower) is not None

    @classmethod
    def of(cls, note: str, markers: Iterable[str]) -> "Canvas":
        """Fold a note; the markers in it are blanked out from the start."""
        if note.isascii():
            cased = note.translate(_ASCII_SPACES)
            canvas = cls(note=note, cased=cased, lower=cased.lower(), origins=None)
        else:
            canvas = cls(note, *_folded(note))
        if "[" in note:
            canvas._blank_markers(markers)
        return canvas

    def take(self, start: int, end: int, kind: str) -> None:
        """Remember that these folded characters are to be replaced, and blank them for the rules to come."""
        self.found.append((start, end, kind))
        self._blank(start, end)

    def take_all(self, pattern: re.Pattern[str], kind: str, group: int | str = 0) -> None:
        """Take each match of a pattern (or one group of it)."""
        for match in pattern.finditer(self.lower):
            self.take(*match.span(group), kind)

    def spans(self) -> list[tuple[int, int, str]]:
        """Return the spans taken from the note, in order; neighbours of one kind are one span."""
        merged: list[tuple[int, int, str]] = []
        for start, end, kind in sorted(self.found):
            first, last = self._in_note(start, end)
            if merged and merged[-1][2] == kind and not self.note[merged[-1][1] : first].strip(" .,-"):
                first, _, _ = merged.pop()
            merged.append((first, last, kind))
        return merged

    def written(self, token: Token) -> str:
        """Return a word as the note has it."""
        first, last = self._in_note(token.start, token.end)
        return self.note[first:last]

    def _in_note(self, start: int, end: int) -> tuple[int, int]:
        if self.origins is None:
            return start, end
        last = self.origins[end - 1] + 1
        while last < len(self.note) and not _fold_character(self.note[last]):
            last += 1  # the accents and joiners that hang on the last letter
        return self.origins[start], last

    def _blank(self, start: int, end: int) -> None:
        blanks = BLANK * (end - start)
        self.lower = self.lower[:start] + blanks + self.lower[end:]

    def _blank_markers(self, markers: Iterable[str]) -> None:
        for marker in markers:
            if marker in self.lower:
                self.lower = self.lower.replace(marker, BLANK * len(marker))


def folded(text: str) -> str:
    """Return a text in the form that the rules and the word lists have."""
    return _folded(text)[1]


def _folded(note: str) -> tuple[str, str, list[int]]:
    """(cased, lower, origins): compatibility forms, accents, joiners and look-alikes undone (NFKD)."""
    letters: list[str] = []
    origins: list[int] = []
    for position, character in enumerate(note):
        for letter in _fold_character(character):
            letters.append(letter)
            origins.append(position)
    cased = "".join(letters)
    lower = "".join(low if len(low := letter.lower()) == 1 else letter for letter in letters)
    return cased, lower, origins


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    """Return the plain characters for this one; none for accents and invisible characters."""
    plain = (_fold_plain(part) for part in unicodedata.normalize("NFKD", character))
    return "".join(plain).translate(_ASCII_SPACES)


def _fold_plain(character: str) -> str:
    if character.isascii():
        return character
    category = unicodedata.category(character)
    if category in {"Mn", "Me", "Cf"}:
        return ""
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category in {"Zs", "Zl", "Zp"}:
        return " "
    return _fold_sign(character)


def _fold_sign(character: str) -> str:
    for signs, plain in ((_HYPHENS, "-"), (_QUOTES, "'"), (_DOTS, ".")):
        if character in signs:
            return plain
    low = character.lower()
    folded = _LOOK_ALIKES.get(low)
    if folded is None:
        return character
    return folded if low == character else folded.capitalize()


_WORD: Final = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")


def tokens_of(canvas: Canvas) -> list[Token]:
    """Return the words that nothing has taken yet, in order."""
    if canvas.words is None or canvas.words[0] != canvas.lower:
        canvas.words = (canvas.lower, list(_tokens(canvas)))
    return canvas.words[1]


def _tokens(canvas: Canvas) -> Iterator[Token]:
    for match in _WORD.finditer(canvas.lower):
        start, end = match.span()
        written = canvas.cased[start:end]
        yield Token(start, end, match.group(), written[0].isupper(), end - start > 1 and written.isupper())
