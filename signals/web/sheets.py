"""Sheets to print for the van and the wall of the depot: the carrier's page as a QR code, PDF/UA-1.

Nothing on a sheet differs from one depot to the next: a code of their own would tell who reported where.
"""

import io
import json
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from signals.vocabulary import LANGUAGES
from signals.web.labels import mark, text

_HERE: Final = Path(__file__).parent
_TEMPLATES: Final = _HERE / "templates" / "front"
_FAMILIES: Final = ("Noto Sans", "Noto Sans Arabic")
_QUIET_ZONE: Final = 4
"""Modules of white around the code (ISO/IEC 18004, 6.3.8)."""


class SheetSize(StrEnum):
    """A6 for the dashboard, A4 for the wall."""

    A6 = "a6"
    A4 = "a4"


# Of an A6 the paper is 298 points wide, of an A4 twice that.
_UNITS: Final = {SheetSize.A6: 3.0, SheetSize.A4: 6.0}


def make_sheet(*, address: str, size: SheetSize = SheetSize.A4) -> bytes:
    """A sheet as a PDF of one page; `address` is the web address of the page (`server.public_url`)."""
    question = mark("Worried about a resident?")
    page = address.rstrip("/") + "/"
    data = {
        "paper": size.value,
        "unit": _UNITS[size],
        "width": 60,
        "title": text(question, "nl"),
        "promise": text(mark("Without your name. You need not prove anything."), "nl"),
        "danger": text(mark("Immediate danger? Call 112."), "nl") + " / Call 112.",
        "address": page.removeprefix("https://").removeprefix("http://").rstrip("/"),
        "alt": f"QR-code: {page}",
        "code": _qr(page),
        "lines": [
            (code, text(mark("Worried about a resident?"), code)) for code in LANGUAGES if code != "nl"
        ],
    }
    return _typeset(data)


def write_sheets(folder: Path, *, address: str) -> tuple[Path, ...]:
    """Write every size into an existing folder; gives the files, which are written over."""
    return tuple(
        _written(folder / f"signals-{size}.pdf", make_sheet(address=address, size=size)) for size in SheetSize
    )


def _written(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


def _qr(text: str) -> str:
    """An SVG; a quarter of it may be dirty or torn (error correction Q)."""
    import segno

    out = io.BytesIO()
    segno.make(text, error="q", micro=False).save(
        out, kind="svg", border=_QUIET_ZONE, svgns=True, xmldecl=False
    )
    return out.getvalue().decode()


def _typeset(data: dict[str, Any]) -> bytes:
    # Imported with the first sheet: it is large.
    import fontpkg
    import typst

    folders = {fontpkg.path(family).parent for family in _FAMILIES}
    pdf: bytes = typst.compile(
        _TEMPLATES / "sheet.typ",
        root=_TEMPLATES,
        font_paths=sorted(folders),
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        pdf_standards=["ua-1"],
        format="pdf",
    )
    return pdf
