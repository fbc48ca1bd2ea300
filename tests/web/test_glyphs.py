"""Documents with characters that our fonts do not have: said in words, never refused."""

import io
import re

import pytest
from pypdf import PdfReader

from signals.web.staff_kit.pdf import Head, Section, make_pdf


def read_back(text: str) -> str:
    note = Section(title="Notitie", facts=[("Tekst", text)])
    made = make_pdf(Head(name="Buurtwerk"), title="Overdracht", lead=[], sections=[note])
    said = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)
    return re.sub(r"\s+", " ", said)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("bellen → langsgaan", "bellen → langsgaan"),
        ("om drie uur ⏰ 😀", "om drie uur [alarm clock] [grinning face]"),
        ("\ue000", "[U+E000]"),
        ("Łódź, Șerban, Жорж", "Łódź, Șerban, Жорж"),
    ],
)
def test_a_character_without_a_glyph_becomes_its_name_and_the_rest_stays(typed: str, read: str) -> None:
    assert read in read_back(typed)


def test_no_character_of_any_script_makes_a_document_fail() -> None:
    """Every 613th character up to the last plane; lone surrogates are refused where text comes in."""
    characters = (chr(code) for code in range(0x80, 0x110000, 613) if not 0xD800 <= code <= 0xDFFF)
    assert "[U+" in read_back(" ".join(characters))
