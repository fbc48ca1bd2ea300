"""Pseudonyms: one spelling of an address, the house beside it, and the quarters that matching looks at."""

from datetime import date

import pytest

from privacy.pseudonyms import AddressRefused, canonical_address, house_pseudonym, pseudonym, quarter_of

KEY, OTHER_KEY = bytes(32), bytes(range(32))


@pytest.mark.parametrize(
    ("postcode", "number", "addition"),
    [
        ("1234AB", 12, "A"),
        ("1234 ab", 12, "-a"),
        (" 1234  aB ", "12", " a "),
        ("1234AB", "12-a", None),
        ("1234ab", "0012 A", ""),
        ("１２３４AB", "12", "ａ"),
    ],
)
def test_spellings_of_one_address_are_one(postcode: str, number: int | str, addition: str | None) -> None:
    assert canonical_address(postcode, number, addition) == b"addr/v1|1234AB|12|A"


@pytest.mark.parametrize(
    ("number", "addition", "canonical"),
    [
        (12, None, b"addr/v1|1234AB|12|"),
        (12, "bis", b"addr/v1|1234AB|12|BIS"),
        ("12", "1", b"addr/v1|1234AB|12|1"),
        ("12-1", "", b"addr/v1|1234AB|12|1"),
        (12, "A-2", b"addr/v1|1234AB|12|A2"),
        (12, "1-12", b"addr/v1|1234AB|12|1-12"),
        (12, "11 2", b"addr/v1|1234AB|12|11-2"),
        (12, "|1", b"addr/v1|1234AB|12|1"),
        (12, "\ud800", b"addr/v1|1234AB|12|"),
    ],
)
def test_additions_keep_letters_digits_and_a_separator_between_digits(
    number: int | str, addition: str | None, canonical: bytes
) -> None:
    assert canonical_address("1234AB", number, addition) == canonical


@pytest.mark.parametrize(
    ("postcode", "number"),
    [
        ("0234AB", 12),
        ("1234", 12),
        ("1234ABC", 12),
        ("", 12),
        ("1234AB", 0),
        ("1234AB", -1),
        ("1234AB", ""),
        ("1234AB", "a"),
        ("1234AB", 100000),
    ],
)
def test_the_refusal_of_an_invalid_address_does_not_quote_it(postcode: str, number: int | str) -> None:
    with pytest.raises(AddressRefused, match=r"^This is no Dutch postcode and house number \("):
        canonical_address(postcode, number)


def test_a_house_pseudonym_has_16_bytes_and_is_known() -> None:
    assert house_pseudonym(KEY, "1234 ab", 12).hex() == "f6f6fb5bb00d29b8f7f3b496439a47e0"


def test_two_homes_in_one_house_share_only_the_house() -> None:
    assert pseudonym(KEY, "1234AB", 12, "A") != pseudonym(KEY, "1234AB", 12, "B")
    assert house_pseudonym(KEY, "1234AB", "12A") == house_pseudonym(KEY, "1234AB", "12B")


def test_a_home_without_addition_is_not_its_house() -> None:
    assert pseudonym(KEY, "1234AB", 12) != house_pseudonym(KEY, "1234AB", 12)


@pytest.mark.parametrize(
    ("day", "quarter"),
    [
        (date(2026, 1, 1), "2026-Q1"),
        (date(2026, 3, 31), "2026-Q1"),
        (date(2026, 4, 1), "2026-Q2"),
        (date(2026, 12, 31), "2026-Q4"),
    ],
)
def test_quarters_follow_the_calendar(day: date, quarter: str) -> None:
    assert quarter_of(day) == quarter
