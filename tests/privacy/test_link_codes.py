"""Codes and tokens in links, cookies and challenges: made here, for one value, until their expiry."""

from datetime import UTC, datetime, timedelta

import pytest

from privacy.link_codes import CODE, CodeRefused, LinkCodes

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CODES = LinkCodes(b"k" * 32, "purpose")


def test_a_code_fits_its_value_only() -> None:
    code = CODES.code("a", "b")
    assert CODE.fullmatch(code)
    assert CODES.fits(code, "a", "b")
    assert not any(CODES.fits(code, *parts) for parts in (("a",), ("b", "a"), ("ab",), ("a", "b", "")))


@pytest.mark.parametrize("wrong", ["", "é", "A" * 22, CODES.code("a") + "=", CODES.code("a").swapcase()])
def test_another_code_does_not_fit(wrong: str) -> None:
    assert not CODES.fits(wrong, "a")


@pytest.mark.parametrize("other", [LinkCodes(b"x" * 32, "purpose"), LinkCodes(b"k" * 32, "other")])
def test_a_code_of_another_key_or_purpose_does_not_fit(other: LinkCodes) -> None:
    assert not other.fits(CODES.code("a"), "a")
    assert other.secret("a") != CODES.secret("a")


def test_a_secret_follows_from_its_value_and_is_no_code() -> None:
    assert CODES.secret("a") == CODES.secret("a") != CODES.secret("b")
    assert len(CODES.secret("a")) == 32


def test_a_token_is_read_until_its_expiry_and_has_its_own_random_part() -> None:
    expires_at = NOW + timedelta(minutes=5)
    one, other = (CODES.new_token("a", expires_at=expires_at) for _ in range(2))
    found = CODES.read_token(one, "a", now=expires_at - timedelta(seconds=1))
    assert (len(found.nonce), found.expires_at) == (16, expires_at)
    assert found.nonce != CODES.read_token(other, "a", now=NOW).nonce
    with pytest.raises(CodeRefused):
        CODES.read_token(one, "a", now=expires_at)


@pytest.mark.parametrize("wrong", ["another value", "a later expiry", "another random part", "no token", ""])
def test_a_token_that_was_changed_is_refused(wrong: str) -> None:
    nonce, expiry, code = CODES.new_token("a", expires_at=NOW + timedelta(minutes=5)).split(".")
    tokens = {
        "a later expiry": f"{nonce}.{int(expiry) + 60}.{code}",
        "another random part": f"{nonce[1:]}A.{expiry}.{code}",
        "another value": f"{nonce}.{expiry}.{code}",
    }
    with pytest.raises(CodeRefused):
        CODES.read_token(tokens.get(wrong, wrong), "b" if wrong == "another value" else "a", now=NOW)
