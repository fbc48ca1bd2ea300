"""Words for the characters that our fonts cannot draw: PDF/UA allows no character without a glyph.

A worker's note may contain arrows and emoji, a carrier's note another script. The document that answers a
resident's right may not fail because of them.
"""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_NEEDS_A_GLYPH: Final = re.compile(
    "[^\x00-\x7f"  # every font has these
    "\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0001-\U000e01ef"
    "]"  # hyphenation, joiners, marks of direction, selectors of a variant, tags: never seen
)


def drawable(text: str, drawn: frozenset[int]) -> str:
    """Return the text with each undrawn character as its Unicode name in brackets: `[check mark]`."""
    return _NEEDS_A_GLYPH.sub(lambda found: _drawable(found[0], drawn), text)


def _drawable(character: str, drawn: frozenset[int]) -> str:
    if ord(character) in drawn:
        return character
    return f"[{unicodedata.name(character, '').lower() or f'U+{ord(character):04X}'}]"


def drawn_by(fonts: Iterable[Path]) -> frozenset[int]:
    """Return the characters that have a glyph in one of the fonts."""
    from fontTools.ttLib import TTFont  # only a document needs it

    found: set[int] = set()
    for path in fonts:
        with TTFont(path, lazy=True) as font:
            found |= font.getBestCmap().keys()
    return frozenset(found)
