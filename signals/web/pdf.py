"""PDF files (PDF/UA-1, readable by screen readers) from data, with glyphs for every language of the product.

See docs/adr/0007-typst-for-pdf.md. The first document imports the typesetter, which is large.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from signals.web.glyphs import drawable, drawn_by

# Not Noto Sans Arabic: it draws dots apart from their letters, so that a screen reader finds no words.
FAMILIES: Final = ("Source Sans 3", "Tajawal")


def compile_pdf(template: Path, data: Mapping[str, Any]) -> bytes:
    """Return a template with its data as a PDF, with our own fonts only: it looks the same everywhere.

    A character without a glyph becomes words.
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
