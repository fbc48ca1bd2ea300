"""Sheets to print for the van and the wall of the depot: the carrier's page as a QR code, PDF/UA-1.

The code of a depot stands behind the `#` of the address, which no server sees.
"""

import io
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from signals.vocabulary import LANGUAGES
from signals.web.labels import mark, reached, text
from signals.web.pdf import compile_pdf

_TEMPLATE: Final = Path(__file__).parent / "templates" / "front" / "sheet.typ"
_QUIET_ZONE: Final = 4
"""Modules of white around the code (ISO/IEC 18004, 6.3.8)."""


class Thanked(Protocol):
    """The number of a release with which a sheet thanks carriers."""

    @property
    def year(self) -> str: ...
    @property
    def people(self) -> int: ...


class SheetSize(StrEnum):
    """A6 for the dashboard, A4 for the wall."""

    A6 = "a6"
    A4 = "a4"


# An A6 is 298 points wide, an A4 twice that.
_UNITS: Final = {SheetSize.A6: 3.0, SheetSize.A4: 6.0}


def make_sheet(
    *, address: str, size: SheetSize = SheetSize.A4, found: Thanked | None = None, link: str = ""
) -> bytes:
    """Return a sheet as a PDF of one page; `address` is the web address of the page (`server.public_url`).

    `link`: what the QR code holds instead, with the code of a depot.
    `found`: the number of a release with which it thanks carriers, None before the first.
    """
    question = mark("Worried about a resident?")
    page = address.rstrip("/") + "/"
    data = {
        "paper": size.value,
        "unit": _UNITS[size],
        "width": 38 if found else 60,
        "title": text(question, "nl"),
        "promise": text(mark("Without your name. You need not prove anything."), "nl"),
        "danger": text(mark("Immediate danger? Call 112."), "nl") + " / Call 112.",
        "address": page.removeprefix("https://").removeprefix("http://").rstrip("/"),
        "alt": f"QR-code: {page}",
        "code": _qr(link or page),
        "thanks": _thanks(found, "nl"),
        "lines": [
            (code, text(mark("Worried about a resident?"), code), _thanks(found, code))
            for code in LANGUAGES
            if code != "nl"
        ],
    }
    return compile_pdf(_TEMPLATE, data)


def write_sheets(folder: Path, *, address: str, found: Thanked | None = None) -> tuple[Path, ...]:
    """Write each size into an existing folder, over earlier files; return the files."""
    return tuple(
        _written(folder / f"signals-{size}.pdf", make_sheet(address=address, size=size, found=found))
        for size in SheetSize
    )


def _thanks(found: Thanked | None, language: str) -> str:
    return reached(found.year, found.people, language) if found else ""


def _written(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


def _qr(text: str) -> str:
    """Return an SVG; it is readable with a quarter of it dirty or torn (error correction Q)."""
    import segno

    out = io.BytesIO()
    segno.make(text, error="q", micro=False).save(
        out, kind="svg", border=_QUIET_ZONE, svgns=True, xmldecl=False
    )
    return out.getvalue().decode()
