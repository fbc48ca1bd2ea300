"""Passwords: argon2id, the cost of a guess, and accounts that do not exist."""

import pytest

from privacy.passwords import STANDARD, PasswordHasherSettings, hash_password, needs_rehash, verify_password

CHEAP = PasswordHasherSettings(memory_kib=8, time_cost=1)


def test_the_right_password_is_accepted() -> None:
    assert verify_password(hash_password("vier losse woorden", CHEAP), "vier losse woorden")


@pytest.mark.parametrize("password", ["", "vier losse woord", "Vier losse woorden", "vier losse woorden "])
def test_another_password_is_refused(password: str) -> None:
    assert not verify_password(hash_password("vier losse woorden", CHEAP), password)


@pytest.mark.parametrize("damaged", ["", "x", "$argon2id$v=19$m=8,t=1,p=1$AAAA", "!"])
def test_a_damaged_hash_accepts_nothing(damaged: str) -> None:
    assert not verify_password(damaged, "vier losse woorden")


def test_one_password_never_gives_the_same_hash() -> None:
    assert hash_password("vier losse woorden", CHEAP) != hash_password("vier losse woorden", CHEAP)


def test_the_standard_cost_is_64_mib_and_three_passes() -> None:
    assert hash_password("vier losse woorden").startswith("$argon2id$v=19$m=65536,t=3,p=1$")


def test_a_hash_of_another_cost_needs_a_new_one() -> None:
    cheap = hash_password("vier losse woorden", CHEAP)
    assert needs_rehash(cheap)
    assert needs_rehash(cheap, STANDARD)
    assert not needs_rehash(cheap, CHEAP)


def test_letters_composed_otherwise_are_the_same_password() -> None:
    assert verify_password(hash_password("caf\u00e9", CHEAP), "cafe\u0301")


def test_a_password_outside_unicode_raises_nothing_that_quotes_it() -> None:
    assert verify_password(hash_password("geheim\ud800", CHEAP), "geheim\ud800")
