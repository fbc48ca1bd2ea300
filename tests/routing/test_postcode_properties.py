"""Parsing is total, canonical and silent about what was typed."""

import re
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from privacy.pseudonyms import canonical_address
from signals.routing.postcodes import InvalidAddition, InvalidPostcode, parse_addition, parse_postcode

_LETTERS = st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SPACES = st.text(" ", max_size=3)
_DIGITS = st.text("0123456789", min_size=1, max_size=2)
_CANONICAL = re.compile(r"([A-Z0-9]|(?<=[0-9])-(?=[0-9]))*")


@st.composite
def postcodes(draw: st.DrawFn) -> str:
    """Canonical postcodes that the post could issue."""
    digits = draw(st.integers(1000, 9999))
    pairs = st.tuples(_LETTERS, _LETTERS).map("".join)
    return f"{digits}{draw(pairs.filter(lambda pair: pair not in {'SA', 'SD', 'SS'}))}"


@given(st.text())
def test_any_text_is_canonical_or_refused(text: str) -> None:
    with suppress(InvalidPostcode):
        parsed = parse_postcode(text)
        assert parse_postcode(parsed) == parsed


@given(postcodes(), _SPACES, _SPACES, _SPACES, st.booleans())
def test_spaces_and_case_do_not_matter(
    postcode: str, before: str, between: str, after: str, lower: bool
) -> None:
    typed = f"{before}{postcode[:4]}{between}{postcode[4:]}{after}"
    assert parse_postcode(typed.lower() if lower else typed) == postcode


@given(postcodes())
def test_the_digits_are_between_1000_and_9999(postcode: str) -> None:
    assert 1000 <= int(postcode[:4]) <= 9999


@given(st.text(max_size=8))
def test_any_addition_is_canonical_or_refused(text: str) -> None:
    with suppress(InvalidAddition):
        parsed = parse_addition(text)
        assert parse_addition(parsed) == parsed
        assert _CANONICAL.fullmatch(parsed)


@given(st.text("abcXYZ0129", max_size=3), st.lists(st.sampled_from(" -./"), min_size=3, max_size=3))
def test_case_and_separators_beside_a_letter_do_not_matter(core: str, separators: list[str]) -> None:
    spread = "".join(
        letter if core[:place][-1:].isdigit() and letter.isdigit() else separators[place] + letter
        for place, letter in enumerate(core)
    )
    assert parse_addition(spread.lower()) == parse_addition(core.upper())


@given(_DIGITS, _DIGITS, st.text(" -./", min_size=1, max_size=2))
def test_whichever_separator_is_between_two_digits_it_keeps_them_apart(
    one: str, other: str, between: str
) -> None:
    assert parse_addition(f"{one}{between}{other}") == f"{one}-{other}" != parse_addition(one + other)


@given(st.text("aZ019 -./", max_size=6))
def test_a_door_has_one_form_here_and_in_its_pseudonym(text: str) -> None:
    parsed = parse_addition(text)
    assert canonical_address("1012AB", 12, text) == f"addr/v1|1012AB|12|{parsed}".encode()
    assert canonical_address("1012AB", 12, parsed) == canonical_address("1012AB", 12, text)
