"""Parsing is total, canonical and silent about what was typed."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from signals.postcodes import InvalidAddition, InvalidPostcode, parse_addition, parse_postcode, pc4_of

_LETTERS = st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SPACES = st.text(" ", max_size=3)


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
    assert 1000 <= pc4_of(postcode) <= 9999
    assert postcode.startswith(str(pc4_of(postcode)))


@given(st.text(max_size=8))
def test_any_addition_is_canonical_or_refused(text: str) -> None:
    with suppress(InvalidAddition):
        parsed = parse_addition(text)
        assert parse_addition(parsed) == parsed
        assert parsed == "" or (parsed.isascii() and parsed.isalnum() and parsed == parsed.upper())


@given(st.text("abcXYZ0129", max_size=3), st.lists(st.sampled_from(" -./"), min_size=3, max_size=3))
def test_separators_and_case_of_an_addition_do_not_matter(core: str, separators: list[str]) -> None:
    spread = "".join(separators[place] + letter for place, letter in enumerate(core))
    assert parse_addition(spread.lower()) == parse_addition(core.upper())
