"""The phone marks in a note what arrival takes out of it; both read the notes of `tests/redaction`."""

from collections import Counter

import pytest

from privacy.redaction import redact
from tests.browser.carrier import Phone
from tests.redaction.measure import LabelledNote, labelled_notes

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BY_FORM = {"bsn", "email", "phone", "postcode"}
"""The kinds that no word list finds: the phone marks each of them."""


def test_arrival_takes_out_all_that_the_phone_marks_and_the_phone_marks_each_number(phone: Phone) -> None:
    notes = labelled_notes("tuning")
    page = phone.open("/")
    page.get_by_text("Meer vertellen?").tap()
    page.locator("#note").tap()
    phone.until("Boolean(window.signalsNote)")
    marked = page.evaluate("(notes) => notes.map(signalsNote.found)", [note.text for note in notes])
    left = [part for note, parts in zip(notes, marked, strict=True) for part in parts if _stays(note, part)]
    assert left == []
    missed = Counter(
        kind
        for note, parts in zip(notes, marked, strict=True)
        for start, end, kind in note.labels
        if kind in BY_FORM and redact(note.text).counts.get(kind) and not _is_in(note.text[start:end], parts)
    )
    assert missed == {}


def _stays(note: LabelledNote, part: str) -> bool:
    return part.lower() in redact(note.text).text.lower()


def _is_in(text: str, parts: list[str]) -> bool:
    return any(text in part or part in text for part in parts)
