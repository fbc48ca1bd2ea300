"""PDF files (PDF/UA-1, readable by screen readers) from data, with glyphs of every language of the product.

See docs/adr/0007-typst-for-pdf.md. The typesetter is imported with the first document: it is large.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from signals.web.glyphs import drawable, drawn_by

# Not Noto Sans Arabic: it sets the dots of letters apart, and what is read back from the file is no word.
FAMILIES: Final = ("Noto Sans", "Tajawal")


def compile_pdf(template: Path, data: Mapping[str, Any]) -> bytes:
    """Set one template with its data, with our own fonts only, so that it looks alike everywhere.

    What these cannot draw is said in words.
    """
    import typst

    return typst.compile(
        template,
        root=template.parent,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"data": drawable(json.dumps(data, ensure_ascii=False), _drawn())},
        pdf_standards=["ua-1"],
        format="pdf",
    )


@cache
def _fonts() -> Any:
    import fontpkg
    import typst

    folders = {fontpkg.path(family).parent for family in FAMILIES}
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=sorted(folders))


@cache
def _drawn() -> frozenset[int]:
    import fontpkg

    return drawn_by(fontpkg.path(family) for family in FAMILIES)
