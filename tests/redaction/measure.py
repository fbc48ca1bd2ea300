"""Measure how much identifying text redaction removes from labelled notes, and how many words stay.

A label `{kind|text}` counts as removed when none of its letters and digits are left. A harmless word is one
between spaces that touches no label; it counts as kept when none of its letters and digits were taken.
Only what `redact` answers is looked at, so the figures are those of the product.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from privacy.redaction import MARKERS, redact

FOLDER = Path(__file__).parent
HALVES = ("tuning", "held_back")
_LABEL = re.compile(r"\{(\w+)\|([^{}]+)\}")
_MARKER = re.compile("|".join(re.escape(marker) for marker in MARKERS.values()))


@dataclass(frozen=True, kw_only=True)
class LabelledNote:
    """An invented note, and (start, end, kind) of each identifying part."""

    id: str
    style: str
    text: str
    labels: tuple[tuple[int, int, str], ...]


@dataclass(kw_only=True)
class Figures:
    """Counts over a set of notes."""

    labels: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    harmless: int = 0
    kept: int = 0

    @property
    def recall(self) -> float:
        """Share of the labels of which nothing is left."""
        return self.removed.total() / self.labels.total()

    @property
    def harmless_kept(self) -> float:
        """Share of the harmless words that stayed whole."""
        return self.kept / self.harmless

    def table(self) -> str:
        """One line for each kind, then the totals."""
        rows = [f"  {kind:9} {self.removed[kind]:4} of {self.labels[kind]:4}" for kind in sorted(self.labels)]
        rows.append(f"  recall   {self.recall:7.1%} of {self.labels.total()}")
        rows.append(f"  harmless {self.harmless_kept:7.1%} of {self.harmless}")
        return "\n".join(rows)


def labelled_notes(half: str) -> list[LabelledNote]:
    """The notes of one half: `tuning` or `held_back`."""
    lines = (FOLDER / f"{half}.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [_parsed(*line.split("\t")) for line in lines]


def measure(notes: Iterable[LabelledNote], misses: Callable[[str], object] = lambda _: None) -> Figures:
    """Redact each note and count; each miss and each harmless word lost is told to `misses`."""
    figures = Figures()
    for note in notes:
        gone = _gone(note.text, redact(note.text).text)
        _count_labels(figures, note, gone, misses)
        _count_words(figures, note, gone, misses)
    return figures


def _parsed(id: str, style: str, marked: str) -> LabelledNote:
    text, labels, position = "", [], 0
    for match in _LABEL.finditer(marked):
        text += marked[position : match.start()]
        labels.append((len(text), len(text) + len(match[2]), match[1]))
        text += match[2]
        position = match.end()
    return LabelledNote(id=id, style=style, text=text + marked[position:], labels=tuple(labels))


def _gone(note: str, redacted: str) -> set[int]:
    """The positions in the note of which nothing is left, found by laying the answer over it."""
    kept_pieces = _MARKER.split(redacted)
    aligned = re.fullmatch("(.+?)".join(re.escape(piece) for piece in kept_pieces), note, re.DOTALL)
    assert aligned is not None, "the answer is not the note with pieces replaced"
    return {position for group in range(1, len(kept_pieces)) for position in range(*aligned.span(group))}


def _count_labels(
    figures: Figures, note: LabelledNote, gone: set[int], misses: Callable[[str], object]
) -> None:
    for start, end, kind in note.labels:
        figures.labels[kind] += 1
        if _letters(note.text, start, end) <= gone:
            figures.removed[kind] += 1
        else:
            misses(f"{note.id} left {kind}: {note.text}")


def _count_words(
    figures: Figures, note: LabelledNote, gone: set[int], misses: Callable[[str], object]
) -> None:
    for start, end in _harmless_words(note):
        figures.harmless += 1
        if _letters(note.text, start, end).isdisjoint(gone):
            figures.kept += 1
        else:
            misses(f"{note.id} lost {note.text[start:end]}: {note.text}")


def _harmless_words(note: LabelledNote) -> Iterator[tuple[int, int]]:
    for match in re.finditer(r"\S+", note.text):
        touched = any(start < match.end() and match.start() < end for start, end, _ in note.labels)
        if not touched and _letters(note.text, *match.span()):
            yield match.span()


def _letters(text: str, start: int, end: int) -> set[int]:
    return {position for position in range(start, end) if text[position].isalnum()}
