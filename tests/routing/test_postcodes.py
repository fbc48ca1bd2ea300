"""Addresses as carriers type them."""

import pytest

from signals.routing.postcodes import (
    Address,
    InvalidAddition,
    InvalidAddressPart,
    InvalidHouseNumber,
    InvalidPostcode,
    parse_addition,
    parse_house_number,
    parse_postcode,
)


@pytest.mark.parametrize(
    "text", ["1012AB", "1012 ab", " 1012  AB ", "1012aB", "1012 AB", "1012\u00a0AB", "1012\u202fab\u00a0"]
)
def test_spellings_of_one_postcode_have_one_form(text: str) -> None:
    assert parse_postcode(text) == "1012AB"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1012",
        "1012A",
        "1012ABC",
        "10121AB",
        "0012AB",
        "AB1012",
        "10 12AB",
        "1012A B",
        "1012-AB",
        "1012AB\n",
        "1012\tAB",
        "1012AB\x00",
        "\x001012AB",
        "１０１２AB",  # full-width digits are the point
        "١٠١٢AB",
        "1012ÀB",
        "1012ßa",
        "1012ıA",  # upper-casing a dotless i gives an ASCII letter
        "1012📦",
        "-1012AB",
        "1012AB " * 5,
        " " * 10_000_000 + "1012AB",
    ],
)
def test_a_text_that_is_no_postcode_is_refused(text: str) -> None:
    with pytest.raises(InvalidPostcode) as refused:
        parse_postcode(text)
    assert refused.value.code == "malformed"


@pytest.mark.parametrize("text", ["1012SA", "1012 sd", "9711Ss"])
def test_letters_that_the_post_does_not_issue_are_refused(text: str) -> None:
    with pytest.raises(InvalidPostcode) as refused:
        parse_postcode(text)
    assert refused.value.code == "letters_not_issued"


def test_a_refusal_does_not_repeat_what_was_typed() -> None:
    with pytest.raises(InvalidPostcode) as refused:
        parse_postcode("9999 geheim")
    assert "geheim" not in f"{refused.value!r} {refused.value}"


@pytest.mark.parametrize("number", [1, 12, 99999])
def test_house_numbers_within_bounds_are_accepted(number: int) -> None:
    assert parse_house_number(number) == number


@pytest.mark.parametrize("number", [0, -1, 100000, 10**30])
def test_house_numbers_out_of_bounds_are_refused(number: int) -> None:
    with pytest.raises(InvalidHouseNumber) as refused:
        parse_house_number(number)
    assert refused.value.code == "out_of_range"


@pytest.mark.parametrize("number", [True, 1.0, "12", None])
def test_house_numbers_of_another_type_are_refused(number: object) -> None:
    with pytest.raises(InvalidHouseNumber) as refused:
        parse_house_number(number)  # type: ignore[arg-type]
    assert refused.value.code == "malformed"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (None, ""),
        ("", ""),
        (" - ", ""),
        ("a", "A"),
        ("-a", "A"),
        (" A. ", "A"),
        ("/A", "A"),
        ("bis", "BIS"),
        ("2 hoog", "2HOOG"),
        ("A/1", "A1"),
        ("1-A", "1A"),
        ("-1", "1"),
        ("1-12", "1-12"),
        ("1 12", "1-12"),
        ("1/12", "1-12"),
        ("1 - 12", "1-12"),
        ("1-1-1", "1-1-1"),
        ("1-2A", "1-2A"),
        ("hs-12", "HS12"),
    ],
)
def test_spellings_of_one_addition_have_one_form(text: str | None, canonical: str) -> None:
    assert parse_addition(text) == canonical


def test_seven_characters_are_too_long_even_when_some_are_separators() -> None:
    with pytest.raises(InvalidAddition) as refused:
        parse_addition("A-B-C-D")
    assert refused.value.code == "too_long"


@pytest.mark.parametrize("text", ["🏠", "a\x00", "a\n", "é", "１", "a_b", "<b>", "ß", "\u200b", "a+"])
def test_additions_of_other_characters_are_refused(text: str) -> None:
    with pytest.raises(InvalidAddition) as refused:
        parse_addition(text)
    assert refused.value.code == "malformed"


def test_an_address_refuses_a_bad_part() -> None:
    with pytest.raises(InvalidAddressPart):
        Address.parse(postcode="1012AB", number=0)
