"""Test the letter of article 14 AVG as a PDF reader sees it: tagged, in its language, complete."""

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from signals.vocabulary import LANGUAGES
from signals.web.desk.letters import making
from signals.web.desk.letters.making import card_data, card_pdf, notice_data, notice_pdf
from tests.support.letters import LETTER, SENDER, said

# Apart by script, too: a reader need not see the space between an Arabic word and a number beside it.
_WORD = re.compile(r"[\u0600-\u06ff]+|\d+|[^\W\d_\u0600-\u06ff]+")
STATIC = Path(making.__file__).parents[2] / "static"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30"><path d="M0 0h9v9z"/></svg>'
PNG = (STATIC / "icons" / "signals-192.png").read_bytes()
_STRUCTURE = ("/Document", "/H1", "/H2", "/P", "/L", "/LI", "/LBody")


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def letter(language: str) -> PdfReader:
    return PdfReader(io.BytesIO(notice_pdf(LETTER, language)))


def test_the_letter_says_its_language_and_title_to_a_screen_reader(letter: PdfReader, language: str) -> None:
    root: Any = letter.trailer["/Root"]
    assert root["/Lang"] == language
    assert root["/MarkInfo"]["/Marked"].value is True
    assert letter.metadata is not None
    assert letter.metadata.title == notice_data(LETTER, language)["title"]


def test_the_letter_is_tagged_with_its_headings_paragraphs_and_lists(letter: PdfReader) -> None:
    root: Any = letter.trailer["/Root"]
    kinds = set(_kinds(root["/StructTreeRoot"]))
    assert kinds.issuperset(_STRUCTURE)


def test_every_word_of_the_letter_can_be_read_back(letter: PdfReader, language: str) -> None:
    read = _text(letter)
    asked = _words(said(notice_data(LETTER, language))) - {language, "True", "False"}
    assert len(asked) > 100
    assert sorted(asked - _words(read)) == []


@pytest.mark.parametrize("logo", [SVG, PNG], ids=["svg", "png"])
def test_the_letter_and_the_card_carry_the_head_of_their_sender(logo: bytes) -> None:
    sender = replace(SENDER, letterhead="Dam 1\n1012 CD Amsterdam", logo=logo)
    for made in (notice_pdf(replace(LETTER, sender=sender), "ar"), card_pdf(sender, "nl")):
        file = PdfReader(io.BytesIO(made))
        root: Any = file.trailer["/Root"]
        assert "/Figure" in set(_kinds(root["/StructTreeRoot"]))
        assert len(file.pages) == 1
        assert "1012 CD Amsterdam" in _text(file)


def test_the_longest_own_words_are_on_one_sheet_of_the_letter_and_on_the_card() -> None:
    own = "Kom binnen. " * 25
    sender = replace(
        SENDER, logo=SVG, words=own.strip(), letterhead="Dam 1\n1012 AB Amsterdam\nvan 9 tot 12\n020 1"
    )
    letter = notice_pdf(replace(LETTER, sender=sender), "nl")
    card = card_pdf(sender, "nl", LETTER.address, LETTER.reference)
    for file in map(PdfReader, map(io.BytesIO, (letter, card))):
        assert len(file.pages) == 1
        assert _text(file).count("Kom") == 25


def test_every_word_of_the_card_can_be_read_back(language: str) -> None:
    read = _text(PdfReader(io.BytesIO(card_pdf(SENDER, language, LETTER.address, LETTER.reference))))
    data = card_data(SENDER, language, LETTER.address, LETTER.reference)
    shown = ("to", "title", "text", "blanks", "organisation", "reach")
    asked = _words(said({name: data[name] for name in shown}))
    assert sorted(asked - _words(read)) == []


def _text(file: PdfReader) -> str:
    """Return the text of all pages, without the direction marks that pypdf puts inside words."""
    text = "\n".join(page.extract_text() for page in file.pages)
    return re.sub(r"[\u202a-\u202e]", "", text)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text))


def _kinds(element: Any) -> list[str]:
    """Yield the tags of a structure tree, from the top down."""
    element = element.get_object() if hasattr(element, "get_object") else element
    if isinstance(element, list):
        return [kind for child in element for kind in _kinds(child)]
    if not isinstance(element, dict):
        return []
    own = [str(element["/S"])] if "/S" in element else []
    return own + (_kinds(element["/K"]) if "/K" in element else [])
