"""Redact any text: redaction ends, never raises, is repeatable, and leaves the rest as it was."""

import re
import string

from hypothesis import example, given
from hypothesis import strategies as st

from privacy.redaction import MARKERS, redact
from privacy.sealing import PLAINTEXT_SIZE

VOCABULARY = """
    mw dhr mevrouw buurvrouw zoon heet van de der den el piet fatma jansen wit roos wil ben 06 12345678 82
    jaar in op nr 12 12b kerkstraat laan plein 1012 ab 12-ab-34 12-03-1941 mei jan 3 november bsn 111222333
    nl91abna0417164300 a@b.nl at punt nl [naam] [adres] . , ( ) - ' \u200d é 👵 J. P. Q"""
PIECES = st.sampled_from(VOCABULARY.split())
DUTCH_LIKE = st.lists(PIECES, max_size=40).map(" ".join)
GLUED = st.lists(PIECES, max_size=40).map("".join)
ANYTHING = st.text(max_size=280)
NOTES = st.one_of(ANYTHING, DUTCH_LIKE, GLUED, st.text(string.printable, max_size=280))
MARKER = re.compile("|".join(map(re.escape, MARKERS.values())))
ENVELOPE_REST = 2 + 260
"""Length prefix, and the report's other fields with all tiles chosen, in bytes."""


@given(NOTES)
@example("j.p. j.p. mw")
@example("[[naam]naam]")
def test_redacting_again_changes_nothing(note: str) -> None:
    once = redact(note)
    again = redact(once.text)
    assert again.text == once.text
    assert not again.counts


@given(NOTES)
def test_it_is_the_same_each_time_and_counts_what_it_replaced(note: str) -> None:
    redacted = redact(note)
    assert redact(note) == redacted
    typed, stands = (len(MARKER.findall(text)) for text in (note, redacted.text))
    assert set(redacted.counts) <= set(MARKERS)
    assert stands <= typed + sum(redacted.counts.values())
    assert bool(redacted.counts) == (redacted.text != note)


@given(NOTES)
def test_a_redacted_note_keeps_its_pieces_in_the_order_of_the_note(note: str) -> None:
    position = 0
    for piece in MARKER.split(redact(note).text):
        position = note.index(piece, position) + len(piece)


@given(st.one_of(ANYTHING, DUTCH_LIKE.map(lambda note: note[:280]), GLUED.map(lambda note: note[:280])))
def test_a_redacted_note_still_fits_in_the_envelope(note: str) -> None:
    assert len(redact(note).text) <= 5 * max(len(note), 2)
    assert len(redact(note).text.encode(errors="replace")) <= PLAINTEXT_SIZE - ENVELOPE_REST


@given(
    st.integers(min_value=10_000_000, max_value=99_999_999), st.sampled_from(["", " ", "-", ".", " \u2013 "])
)
def test_no_mobile_number_survives(number: int, separator: str) -> None:
    digits = str(number)
    spelt = separator.join(["06", digits[:2], digits[2:4], digits[4:6], digits[6:]])
    assert not re.search(r"\d", redact(f"bel {spelt} voor hulp").text)


@given(st.integers(min_value=1000, max_value=9999), st.text(string.ascii_uppercase, min_size=2, max_size=2))
def test_no_postcode_in_capitals_survives(number: int, letters: str) -> None:
    for spelt in (f"{number}{letters}", f"{number} {letters}", f"{number}{letters.lower()}"):
        assert str(number) not in redact(f"het is {spelt} daar").text


@given(st.text(string.ascii_lowercase, min_size=1, max_size=2000))
def test_a_long_word_is_no_trouble(word: str) -> None:
    redact(word)
    redact(f"mw {word}")
