"""Test which words redaction takes out of a note and which it keeps, and measure labelled notes."""

import sys
from pathlib import Path
from types import FrameType

import pytest

import privacy.redaction
from privacy.redaction import redact
from privacy.redaction.canvas import folded
from privacy.redaction.forms import patterns
from privacy.redaction.words import words
from tests.redaction.measure import HALVES, labelled_notes, measure

LEAST_RECALL = 0.95
LEAST_HARMLESS_KEPT = 0.97
WORD_LISTS = sorted((Path(privacy.redaction.__file__).parent / "words").glob("*.txt"))
# The labelled notes


@pytest.mark.parametrize("half", HALVES)
def test_enough_is_removed_and_enough_is_kept_on(half: str, capsys: pytest.CaptureFixture[str]) -> None:
    figures = measure(labelled_notes(half))
    with capsys.disabled():
        sys.stdout.write(f"\nredaction, {half}:\n{figures.table()}\n")
    assert figures.recall >= LEAST_RECALL
    assert figures.harmless_kept >= LEAST_HARMLESS_KEPT


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("style", ["tidy", "loose"])
def test_hurried_notes_are_redacted_as_well_as_tidy_ones_on(half: str, style: str) -> None:
    figures = measure(note for note in labelled_notes(half) if note.style == style)
    assert figures.recall >= LEAST_RECALL
    assert figures.harmless_kept >= LEAST_HARMLESS_KEPT


# Forms


@pytest.mark.parametrize(
    ("note", "redacted"),
    [
        ("bel 06-12345678 vandaag", "bel [telefoon] vandaag"),
        ("bel 06 12 34 56 78", "bel [telefoon]"),
        ("bel +31 6 12345678", "bel [telefoon]"),
        ("bel 0031612345678", "bel [telefoon]"),
        ("bel 020-1234567", "bel [telefoon]"),
        ("bel 06.12.34.56.78", "bel [telefoon]"),
        ("bsn 111222333", "bsn [bsn]"),
        ("bsn 111.222.333", "bsn [bsn]"),
        ("op 123456782 staat zij", "op [bsn] staat zij"),
        ("rekening NL91 ABNA 0417 1643 00", "rekening [rekening]"),
        ("naar de89370400440532013000", "naar [rekening]"),
        ("mail naar piet@example.nl", "mail naar [e-mail]"),
        ("mail piet at example punt nl", "mail [e-mail]"),
        ("in 1012 AB", "in [postcode]"),
        ("in 1012ab", "in [postcode]"),
        ("op Kerkstraat 12-a", "op [adres]"),
        ("op prins hendrikkade 7", "op [adres]"),
        ("huisnummer 12", "huisnummer [adres]"),
        ("mevrouw is 82 jaar", "mevrouw is [leeftijd] jaar"),
        ("man van in de 80", "man van in de [leeftijd]"),
        ("een man van 67", "een man van [leeftijd]"),
        ("meisje van 6 alleen thuis", "meisje van [leeftijd] alleen thuis"),
        ("geboren 12-03-1941", "geboren [datum]"),
        ("sinds 12 november weg", "sinds [datum] weg"),
        ("meneer Jansen valt", "meneer [naam] valt"),
        ("haar zoon piet belt", "haar zoon [naam] belt"),
        ("buurvrouw Fatma belt", "buurvrouw [naam] belt"),
        ("mw. J.P. van den Berg-Smit valt", "mw. [naam] valt"),
        ("mevrouw zwiggelaar valt", "mevrouw [naam] valt"),
    ],
)
def test_an_identifying_string_gives_way_to_its_marker(note: str, redacted: str) -> None:
    assert redact(note).text == redacted


@pytest.mark.parametrize(
    "plate",
    [
        "XX-11-22", "11-22-XX", "11-XX-22", "XX-11-YY", "XX-YY-11", "11-XX-YY", "11-KKK-2",
        "1-KKK-22", "XX-111-Y", "X-111-YY", "KKK-11-Y", "X-11-YYY", "1-XX-222", "111-XX-2",
    ],
)  # fmt: skip
@pytest.mark.parametrize("spelling", ["{}", "lower", "closed", "spaced"])
def test_every_form_of_number_plate_is_found(plate: str, spelling: str) -> None:
    closed, spaced = plate.replace("-", "").lower(), plate.replace("-", " ")
    spelt = {"lower": plate.lower(), "closed": closed, "spaced": spaced}
    assert redact(f"auto {spelt.get(spelling, plate)} staat er").text == "auto [kenteken] staat er"


@pytest.mark.parametrize(
    "note",
    [
        "post puilt uit de brievenbus",
        "hond blaft al dagen",
        "er liggen 3 pakketten op de 2e verdieping",
        "mevrouw doet niet open, meneer wil niet praten",
        "haar zoon zegt dat het goed gaat",
        "de buurman bonst op de muur",
        "in mei bloeide hier een roos",
        "Ik ben bezorger en maak mij zorgen",
        "kom hier al 10 jaar, 2 keer per week om 14.30 uur",
        "al 2 tot 3 weken geen licht",
        "POST PUILT UIT DE BUS",
        "Albert Heijn bezorgt hier niet meer",
        "een van de 4 lekt, 1 op 100 doet open",
        "",
    ],
)
def test_a_harmless_note_stays_as_it_is(note: str) -> None:
    redacted = redact(note)
    assert (redacted.text, dict(redacted.counts)) == (note, {})


def test_kinds_are_counted_by_name() -> None:
    counts = redact("mevrouw Jansen (84) en zoon Piet, bel 0612345678 of 0687654321").counts
    assert dict(counts) == {"age": 1, "name": 2, "phone": 2}


def test_the_answer_shows_no_text_when_it_is_printed() -> None:
    assert "brievenbus" not in repr(redact("de brievenbus van Piet"))


# Tricks


@pytest.mark.parametrize(
    "note",
    [
        "bel ０６１２３４５６７８",
        "bel 06\u200b12345\u200d678",
        "bel 06\u00a012\u00a034\u00a056\u00a078",
        "bel 06\u201312\u201334\u201356\u201378",
        "bel ٠٦١٢٣٤٥٦٧٨",
        "bel 0\u03386\u03381\u033823\u03384\u03385\u03386\u03387\u03388",
        "bel ⓪⑥①②③④⑤⑥⑦⑧",
        "bel 06\n12\t34 56 78",
    ],
)
def test_a_number_in_disguise_is_found_and_nothing_of_it_is_left(note: str) -> None:
    assert redact(note).text == "bel [telefoon]"


@pytest.mark.parametrize(
    "name",
    ["Fatma", "FATMA", "fatma", "Ｆａｔｍａ", "Fa\u00adtma", "F\u0430tma", "Fátma", "Fa\u0301tma\u0301"],
)
def test_a_name_in_disguise_is_found(name: str) -> None:
    assert redact(f"ik sprak {name} gisteren").text == "ik sprak [naam] gisteren"


def test_redaction_leaves_the_rest_of_a_note_exactly_as_it_was_typed() -> None:
    note = "Ｍevrouw é 👵🏽 ﬁets\u200d, ½ liter — dhr Jansen"
    assert redact(note).text == note.replace("Jansen", "[naam]")


def test_a_marker_that_somebody_typed_is_left_and_not_counted() -> None:
    redacted = redact("[naam] woont naast [adres], zei piet")
    assert (redacted.text, dict(redacted.counts)) == ("[naam] woont naast [adres], zei [naam]", {"name": 1})


# Cost


@pytest.mark.parametrize(
    "unit",
    ["a", "1", "1 ", "0", "@", "a@", "a.", "j.", "-", "a-", "'", "1-", "+1", "nl91", "é", "\u200d",
     "A ", "[", "[naam", "van ", "de ", "mw ", "mw. ", "piet ", "op 1", "straat ", "1234 ab ", "in de ",
     "laan van "],
)  # fmt: skip
def test_no_input_makes_the_work_grow_faster_than_itself(unit: str) -> None:
    """Sixteen times the text; the patterns, which cannot be counted, would not end if one of them blew up."""
    redact(unit * 100)
    short, long = (_calls(unit * (size // len(unit))) for size in (1_000, 16_000))
    assert long <= 17 * short


@pytest.mark.parametrize("path", WORD_LISTS, ids=lambda path: path.stem)
def test_every_word_list_is_folded_sorted_and_without_doubles(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines == sorted(set(lines))
    assert all(line and line == folded(line.strip()) for line in lines)


def test_the_rules_of_the_page_read_no_list_of_names() -> None:
    """Every process serves them, and the lists take 50 MB."""
    patterns.cache_clear()
    words.cache_clear()
    assert len(patterns()) > 5
    assert words.cache_info().currsize == 0


def _calls(note: str) -> int:
    """Count the calls of Python and C functions."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        redact(note)
    finally:
        sys.setprofile(before)
    return calls
