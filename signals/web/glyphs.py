"""What our fonts cannot draw, said in words: PDF/UA has no file with a character that nobody could read.

A worker's note has arrows and emoji in it, a carrier's note another script. A document that answers a
resident's right may not fail by them.
"""

import re
import struct
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

_SUBTABLES: Final = frozenset({4, 12})
"""Formats of the table from characters to glyphs that fonts of today have: up to U+FFFF, and beyond."""
_END_OF_SEGMENTS: Final = 0xFFFF
"""The last segment of a table has this one, whether it has a glyph or not."""
_NEEDS_A_GLYPH: Final = re.compile(
    "[^\x00-\x7f"  # every font has these
    "\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0001-\U000e01ef"
    "]"  # hyphenation, joiners, marks of direction, selectors of a variant, tags: never seen
)


def drawable(text: str, drawn: frozenset[int]) -> str:
    """The text with the Unicode name, in brackets, of each character that is not drawn: `[check mark]`."""
    return _NEEDS_A_GLYPH.sub(lambda found: _drawable(found[0], drawn), text)


def _drawable(character: str, drawn: frozenset[int]) -> str:
    if ord(character) in drawn:
        return character
    return f"[{unicodedata.name(character, '').lower() or f'U+{ord(character):04X}'}]"


def drawn_by(fonts: Iterable[Path]) -> frozenset[int]:
    """The characters for which one of the fonts (TrueType files) has a glyph."""
    found = {character for font in fonts for character in _characters(font.read_bytes())}
    return frozenset(found - {_END_OF_SEGMENTS})


def _characters(font: bytes) -> Iterator[int]:
    cmap = _table(font, b"cmap")
    (count,) = struct.unpack_from(">H", cmap, 2)
    for number in range(count):
        (start,) = struct.unpack_from(">L", cmap, 8 + 8 * number)
        subtable = cmap[start:]
        (form,) = struct.unpack_from(">H", subtable)
        if form in _SUBTABLES:
            yield from _of_segments(subtable) if form == 4 else _of_groups(subtable)


def _table(font: bytes, wanted: bytes) -> bytes:
    (count,) = struct.unpack_from(">H", font, 4)
    records = (struct.unpack_from(">4s4xLL", font, 12 + 16 * number) for number in range(count))
    return next(font[start : start + length] for name, start, length in records if name == wanted)


def _of_groups(subtable: bytes) -> Iterator[int]:
    (count,) = struct.unpack_from(">L", subtable, 12)
    for number in range(count):
        first, last = struct.unpack_from(">LL", subtable, 16 + 12 * number)
        yield from range(first, last + 1)


def _of_segments(subtable: bytes) -> Iterator[int]:
    (double,) = struct.unpack_from(">H", subtable, 6)
    for place in range(0, double, 2):
        (last,) = struct.unpack_from(">H", subtable, 14 + place)
        (first,) = struct.unpack_from(">H", subtable, 16 + double + place)
        at = 16 + 3 * double + place
        (offset,) = struct.unpack_from(">H", subtable, at)
        for character in range(first, last + 1):
            glyph = at + offset + 2 * (character - first)
            if offset == 0 or struct.unpack_from(">H", subtable, glyph)[0]:
                yield character
