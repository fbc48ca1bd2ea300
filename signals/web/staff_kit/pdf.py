"""Make PDF documents of the desk: a title, some lines, and sections of facts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from signals.web.pdf import compile_pdf

TEMPLATES: Final = Path(__file__).parents[1] / "templates" / "desk"


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a document: paragraphs, then facts as (label, value)."""

    title: str
    text: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = field(default=(), repr=False)


def make_pdf(*, title: str, lead: Sequence[str], sections: Sequence[Section], language: str = "nl") -> bytes:
    """Return a document of sections; `language` is a BCP 47 code. Text is data, never markup."""
    data = {
        "title": title,
        "lead": list(lead),
        "language": language,
        "sections": [asdict(section) for section in sections],
    }
    return compile_pdf(TEMPLATES / "officer" / "document.typ", data)
