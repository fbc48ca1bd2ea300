"""The words of a note, and what stands between them."""

import re
from collections.abc import Iterator
from typing import Final

from privacy.redaction.canvas import Canvas, Token

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
