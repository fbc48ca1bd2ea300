"""Names: after a title or relation, by the lists, by how they sound, and by a capital where none is due."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Final, Protocol

from privacy.redaction.canvas import Canvas, Token, tokens_of
from privacy.redaction.languages import Languages
from privacy.redaction.name_parts import BRAND_WORDS, BRANDS, RELATION_ENDS, SURNAME_ENDS
from privacy.redaction.words import Words, sound, words

_MOST_INITIALS: Final = 6
_MOST_PARTICLES: Final = 4
_SENTENCE_END: Final = re.compile(r"(?:^|[.!?\x00]|[^\w\s,;:()'\"\[\]/&+-])[\s\"'(]*$")
_GAP: Final = re.compile(r"[ ]{1,2}|[ ]?['-][ ]?|\.[ ]?")
_LOOSE_GAP: Final = re.compile(r"[ ]{0,2}[.,:(\"'=-]{0,2}[ ]{0,2}")


def find_names(canvas: Canvas) -> None:
    """Names of persons, with their initials and particles; the title or relation before them stays."""
    reader = _Reader.of(canvas)
    index = 0
    idle = _idle_words()
    while index < len(reader.tokens):
        token = reader.tokens[index]
        if token.text in idle and not token.capital:
            index += 1
            continue
        found = reader.name_at(index)
        if found is None:
            index += 1
            continue
        first, index = found
        canvas.take(reader.tokens[first].start, reader.tokens[index - 1].end, "name")


@lru_cache(maxsize=1)
def _idle_words() -> frozenset[str]:
    """Return the common words that begin no name and announce none."""
    known = words()
    common = frozenset(word for word in known.common if not word.endswith(RELATION_ENDS))
    return common - known.titles - known.relations - known.cues - known.particles


@dataclass
class _Reader:
    """The words of one note and how it uses capitals."""

    canvas: Canvas
    tokens: list[Token] = field(repr=False)
    known: Words = field(repr=False)
    capitals_tell: bool
    languages: Languages

    @classmethod
    def of(cls, canvas: Canvas) -> "_Reader":
        tokens = tokens_of(canvas)
        long = [token for token in tokens if len(token.text) > 2]
        capital = sum(token.capital for token in long)
        return cls(
            canvas=canvas,
            tokens=tokens,
            known=words(),
            capitals_tell=capital * 2 <= len(long) or len(long) < 3,
            languages=Languages.of(canvas.note, tokens),
        )

    def _is_word(self, text: str) -> bool:
        return self.languages.has(text)

    def _is_strange(self, token: Token) -> bool:
        written = self.canvas.written(token)
        return self.languages.is_strange(token.text, written)

    def name_at(self, index: int) -> tuple[int, int] | None:
        """(first, past last) index of a name that begins at this word or stands after it as its title."""
        word = self.tokens[index].text
        if self._is_brand(index):
            return None
        if word in self.known.titles:
            return self._after(index, self._fits_title, loose=word in self.known.abbreviations)
        if word in self.known.relations or word.endswith(RELATION_ENDS):
            found = self._after(index, self._fits_relation) or self._after(
                index, self._is_listed_here, loose=True
            )
            if found:
                return found
        if word in self.known.cues:
            return self._after(index, self._fits_title, loose=True)
        return self._bare(index)

    def _is_brand(self, index: int) -> bool:
        if self.tokens[index].text not in BRAND_WORDS:
            return False
        near = [token.text for token in self.tokens[max(0, index - 1) : index + 2]]
        return not BRANDS.isdisjoint(pairwise(near))

    def _after(self, index: int, fits: "_Fits", *, loose: bool = False) -> tuple[int, int] | None:
        """Take the name after a title: initials, particles, a fitting word, and the words that follow."""
        first = position = index + 1
        gap = _LOOSE_GAP if loose else _GAP
        if position >= len(self.tokens) or not self._follows(index, gap):
            return None
        position = self._past_initials(position)
        core = self._past_particles(position)
        if core >= len(self.tokens) or not self._unbroken(position, core):
            return None
        if not (fits(core, core > position) or self._is_particle_name(position, core)):
            return None
        return first, self._extended(core + 1)

    def _fits_title(self, index: int, after_particle: bool) -> bool:
        token = self.tokens[index]
        if self._is_listed_here(index, after_particle):
            return True
        if (
            token.text in self.known.titles
            or token.text in self.known.relations
            or token.text in self.known.particles
        ):
            return False
        if token.capital and self.capitals_tell and token.text not in self.known.common:
            return True
        return len(token.text) > 1 and not self._is_word(token.text)

    def _fits_relation(self, index: int, after_particle: bool) -> bool:
        return not after_particle and self._fits_title(index, after_particle)

    def _is_listed_here(self, index: int, after_particle: bool) -> bool:
        """Whether a list has the word, a common word too, unless it needs a capital it has not."""
        token = self.tokens[index]
        if token.text in self.known.needs_capital and not (token.capital and self.capitals_tell):
            return False
        if after_particle and token.text in self.known.common:
            return False
        return any(
            part in self.known.first_names or part in self.known.surnames for part in _parts(token.text)
        )

    def _is_particle_name(self, position: int, core: int) -> bool:
        """`de wit`, `van den berg`: a common word that is a surname behind its particle."""
        if core == position:
            return False
        particles = {token.text for token in self.tokens[position:core]}
        word = self.tokens[core].text
        return word in self.known.after_particle or (
            bool(particles & {"der", "den", "vd"}) and word not in self.known.relations
        )

    def _bare(self, index: int) -> tuple[int, int] | None:
        """Take a name without a title before it."""
        token = self.tokens[index]
        if self._is_initial(index):
            found = self._after_initials(index)
            if found:
                return found
        if self._is_sure(token) or self._is_strange(token) or self._has_undue_capital(index):
            return self._from_particles(index), self._extended(index + 1)
        if token.text == "van" and index + 1 < len(self.tokens) and self._unbroken(index, index + 1):
            return (
                (index, self._extended(index + 2))
                if self.tokens[index + 1].text in self.known.after_van
                else None
            )
        if (
            token.text in self.known.sure_particles
            and index + 1 < len(self.tokens)
            and self._unbroken(index, index + 1)
        ):
            return self._after_sure_particle(index)
        return None

    def _is_sure(self, token: Token) -> bool:
        parts = _parts(token.text)
        if not self.known.only_names.isdisjoint(parts):
            return token.text not in self.known.common
        if len(token.text) < 5 or len(token.text) > 20:
            return False
        ends = token.text.endswith(SURNAME_ENDS) and len(token.text) > 6
        key = sound(token.text)
        return (ends or (len(key) > 4 and key in self.known.sounds)) and not self._is_word(token.text)

    def _has_undue_capital(self, index: int) -> bool:
        """Return whether an unlisted word has a capital in the middle of a sentence."""
        token = self.tokens[index]
        if not token.capital or not self.capitals_tell or len(token.text) < 3 or token.upper:
            return False
        if _SENTENCE_END.search(
            self.canvas.lower, max(0, token.start - 4), token.start
        ) and not self._starts_pair(index):
            return False
        if self.languages.is_other and not self._at_start(index):
            return True
        if token.text in self.known.first_names or token.text in self.known.surnames:
            return token.text not in self.known.common or not self._at_start(index)
        return not self._is_word(token.text)

    def _starts_pair(self, index: int) -> bool:
        """At the start of a sentence: only when a word with a capital, known to no list of words, follows."""
        if index + 1 >= len(self.tokens) or not self._unbroken(index, index + 1):
            return False
        following = self.tokens[index + 1]
        known = following.text in self.known.surnames or not self._is_word(following.text)
        return (
            following.capital
            and not following.upper
            and known
            and self.tokens[index].text not in self.known.common
        )

    def _at_start(self, index: int) -> bool:
        return bool(
            _SENTENCE_END.search(
                self.canvas.lower, max(0, self.tokens[index].start - 4), self.tokens[index].start
            )
        )

    def _after_initials(self, index: int) -> tuple[int, int] | None:
        """`J. de Boer`, `j.p. timmermans`."""
        position = self._past_initials(index)
        core = self._past_particles(position)
        if core >= len(self.tokens) or not self._unbroken(index, core):
            return None
        word = self.tokens[core]
        particle_name = core > position and (
            word.text in self.known.surnames or word.text in self.known.after_particle
        )
        listed = word.text in self.known.surnames and word.text not in self.known.common
        if particle_name or listed or (word.capital and not self._is_word(word.text)):
            return index, self._extended(core + 1)
        return None

    def _after_sure_particle(self, index: int) -> tuple[int, int] | None:
        """`el idrissi`, `van der meer` without a title."""
        core = self._past_particles(index)
        if core >= len(self.tokens) or not self._unbroken(index, core):
            return None
        word = self.tokens[core].text
        if self._is_particle_name(index, core) or word in self.known.surnames or not self._is_word(word):
            return self._from_particles(index), self._extended(core + 1)
        return None

    def _from_particles(self, index: int) -> int:
        """Return the index of the first particle before a surname, where sure ones or capitals stand."""
        first = index
        while (
            first > max(0, index - _MOST_PARTICLES)
            and self.tokens[first - 1].text in self.known.particles
            and self._unbroken(first - 1, first)
        ):
            first -= 1
        inside = self.tokens[first:index]
        sure = self.tokens[index].text in self.known.sure_particles or any(
            word.text in self.known.sure_particles or (word.capital and self.capitals_tell) for word in inside
        )
        named = self.tokens[index].text in self.known.surnames and [word.text for word in inside][-1:] == [
            "van"
        ]
        return first if sure or named else index

    def _extended(self, position: int) -> int:
        """Past the further words of the name: more names, particles with a surname, unlisted words."""
        for _ in range(4):
            if position >= len(self.tokens) or not self._unbroken(position - 1, position):
                break
            core = self._past_particles(position)
            if (
                core >= len(self.tokens)
                or not self._unbroken(position, core)
                or not self._goes_on(position, core)
            ):
                break
            position = core + 1
        return position

    def _goes_on(self, position: int, core: int) -> bool:
        token = self.tokens[core]
        if core > position:
            return self._is_particle_name(position, core) or self._is_listed_here(core, True)
        if token.text in self.known.only_names:
            return True
        if token.text in self.known.surnames and token.text not in self.known.needs_capital:
            return token.text not in self.known.common or (token.capital and self.capitals_tell)
        unlisted = len(token.text) > 2 and not self._is_word(token.text)
        return unlisted and (token.capital or not self.languages.is_other)

    def _past_initials(self, position: int) -> int:
        last = min(position + _MOST_INITIALS, len(self.tokens) - 1)
        while position < last and self._is_initial(position) and self._unbroken(position, position + 1):
            position += 1
        return position

    def _is_initial(self, index: int) -> bool:
        token = self.tokens[index]
        if self.languages.is_other and not token.capital:
            return False
        if len(token.text) != 1 or token.text in {"t", "n", "u", "k", "s", "m"}:
            return (
                len(token.text) == 1 and self.canvas.lower[token.end : token.end + 1] == "." and token.capital
            )
        return True

    def _past_particles(self, position: int) -> int:
        last = min(position + _MOST_PARTICLES, len(self.tokens))
        while position < last and self.tokens[position].text in self.known.particles:
            position += 1
        return position

    def _unbroken(self, first: int, last: int) -> bool:
        """Whether only spaces, hyphens and the dots of initials stand between these words."""
        return all(self._follows(index, _GAP) and self._no_end_between(index) for index in range(first, last))

    def _no_end_between(self, index: int) -> bool:
        left = self.tokens[index]
        return (
            self.canvas.lower[left.end : left.end + 1] != "."
            or len(left.text) <= 2
            or left.text in self.known.abbreviations
        )

    def _follows(self, index: int, gap: re.Pattern[str]) -> bool:
        left, right = self.tokens[index], self.tokens[index + 1]
        between = self.canvas.lower[left.end : right.start]
        return len(between) <= 5 and gap.fullmatch(between) is not None


class _Fits(Protocol):
    """(index of a word, whether a particle stands before it) -> whether it can be the core of a name."""

    def __call__(self, index: int, after_particle: bool) -> bool: ...


def _parts(word: str) -> list[str]:
    """Yield the word, its parts between hyphens, and the word without the s of possession."""
    parts = [word, *word.split("-")] if "-" in word else [word]
    if word.endswith("'s"):
        parts.append(word[:-2])
    elif word.endswith("s") and len(word) > 4:
        parts.append(word[:-1])
    return parts
