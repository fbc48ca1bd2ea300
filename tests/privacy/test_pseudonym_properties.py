"""However an address is written, it is one; whatever else differs, it is another."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from privacy.macs import many_macs
from privacy.pseudonyms import (
    canonical_address,
    house_pseudonym,
    pseudonym,
    pseudonyms,
    quarter_of,
    quarters_for_matching,
)

KEY = bytes(range(32))

postcodes = st.from_regex(r"[1-9][0-9]{3}[A-Z]{2}", fullmatch=True)
numbers = st.integers(1, 99999)
additions = st.from_regex(r"([A-Z]{1,4}|[0-9]{1,4}|[A-Z][0-9]{1,3})?", fullmatch=True)
separators = st.sampled_from(["", " ", "-", ".", "/", " - ", "_"])


@given(postcodes, numbers, additions, separators, st.booleans())
def test_every_spelling_gives_the_same_pseudonym(
    postcode: str, number: int, addition: str, separator: str, lower: bool
) -> None:
    spelled = f"{postcode[:4]} {postcode[4:]}"
    spelled = spelled.lower() if lower else spelled
    suffix = f"{separator}{addition.lower() if lower else addition}"
    assert pseudonym(KEY, spelled, number, suffix) == pseudonym(KEY, postcode, str(number), addition)


@given(postcodes, numbers, additions, separators)
def test_an_addition_may_come_with_the_number(
    postcode: str, number: int, addition: str, separator: str
) -> None:
    # Digits that follow digits directly are one number, so they need a separator to be an addition.
    separator = separator or "-"
    together = canonical_address(postcode, f"{number}{separator}{addition}", None)
    assert together == canonical_address(postcode, number, addition)


@given(st.tuples(postcodes, numbers, additions), st.tuples(postcodes, numbers, additions))
def test_two_addresses_never_share_a_spelling(one: tuple[str, int, str], other: tuple[str, int, str]) -> None:
    assert (one == other) == (canonical_address(*one) == canonical_address(*other))


@given(
    postcodes,
    numbers,
    st.none() | st.text(max_size=6),
    st.lists(st.binary(min_size=32, max_size=32), max_size=3),
)
def test_under_several_keys_at_once_pseudonyms_are_those_of_each(
    postcode: str, number: int, addition: str | None, keys: list[bytes]
) -> None:
    exact, house = pseudonyms([many_macs(key) for key in keys], postcode, number, addition)
    assert exact == tuple(pseudonym(key, postcode, number, addition) for key in keys)
    assert house == tuple(house_pseudonym(key, postcode, number) for key in keys)


@given(postcodes, numbers, st.text(max_size=12))
def test_the_canonical_addition_is_its_own_canonical_form(postcode: str, number: int, addition: str) -> None:
    canonical = canonical_address(postcode, number, addition)
    kept = canonical.decode().rsplit("|", 1)[1]
    assert canonical_address(postcode, number, kept) == canonical


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 365))
def test_a_day_within_twelve_months_is_in_the_quarters_for_matching(day: date, ago: int) -> None:
    assert quarter_of(day - timedelta(days=ago)) in quarters_for_matching(day)
