"""Guesses are slowed down, and a known browser does not wait for strangers."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from signals.clock import FixedClock
from signals.errors import TooManyGuesses
from signals.models import SignInGuess
from signals.staff import guesses

EMAIL = "worker@example.org"


# The brake
def guess(throttle: guesses.GuessThrottle, times: int = 1, email: str = EMAIL) -> None:
    for _ in range(times):
        throttle.admit(email)


@pytest.fixture
def throttle(clock: FixedClock, sqlite_engine: Engine) -> guesses.GuessThrottle:
    return guesses.GuessThrottle(clock, sqlite_engine, b"g" * 32)


def test_after_five_free_guesses_the_waits_grow_to_a_minute(
    clock: FixedClock, throttle: guesses.GuessThrottle
) -> None:
    guess(throttle, 5)
    waits = []
    for _ in range(8):
        with pytest.raises(TooManyGuesses) as refused:
            throttle.admit(EMAIL)
        waits.append(refused.value.retry_after)
        clock.moment += timedelta(seconds=waits[-1])
        throttle.admit(EMAIL)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_good_sign_in_resets_the_count(throttle: guesses.GuessThrottle) -> None:
    guess(throttle, 4)
    throttle.succeeded(EMAIL.upper())
    guess(throttle, 5)


def test_guesses_expire_after_fifteen_quiet_minutes(
    clock: FixedClock, throttle: guesses.GuessThrottle
) -> None:
    guess(throttle, 5)
    clock.moment += timedelta(minutes=15)
    guess(throttle, 5)


def test_the_throttle_works_in_every_process(
    clock: FixedClock, sqlite_engine: Engine, throttle: guesses.GuessThrottle
) -> None:
    guess(throttle, 5)
    with pytest.raises(TooManyGuesses):
        guesses.GuessThrottle(clock, sqlite_engine, b"g" * 32).admit(EMAIL)


def test_a_known_browser_does_not_wait_for_the_guesses_of_strangers(
    throttle: guesses.GuessThrottle,
) -> None:
    cookie = throttle.devices.remember(EMAIL)
    guess(throttle, 5)
    with pytest.raises(TooManyGuesses):
        guess(throttle)
    throttle.admit(EMAIL, cookie=cookie)


def test_a_sign_in_from_a_known_browser_keeps_the_throttle_for_strangers(
    throttle: guesses.GuessThrottle,
) -> None:
    cookie = throttle.devices.remember(EMAIL)
    guess(throttle, 5)
    throttle.admit(EMAIL, cookie=cookie)
    throttle.succeeded(EMAIL, cookie=cookie)
    with pytest.raises(TooManyGuesses):
        guess(throttle)


@pytest.mark.parametrize("of", ["somebody else", "another key", "too old", "nonsense", "altered"])
def test_a_wrong_cookie_makes_no_browser_known(
    clock: FixedClock, sqlite_engine: Engine, throttle: guesses.GuessThrottle, of: str
) -> None:
    cookie = throttle.devices.remember("other@example.org" if of == "somebody else" else EMAIL)
    if of == "another key":
        cookie = guesses.GuessThrottle(clock, sqlite_engine, b"x" * 32).devices.remember(EMAIL)
    if of == "too old":
        clock.moment += timedelta(days=180)
    if of == "altered":
        cookie = ("B" if cookie[0] == "A" else "A") + cookie[1:]
    assert throttle.devices.recognise(EMAIL, "é.!.." if of == "nonsense" else cookie) is None


def test_old_guesses_are_deleted(
    clock: FixedClock, sqlite_engine: Engine, throttle: guesses.GuessThrottle
) -> None:
    guess(throttle, 3)
    clock.moment += timedelta(minutes=15)
    throttle.admit("other@example.org")
    with Session(sqlite_engine) as session:
        (left,) = session.scalars(select(SignInGuess)).all()
    assert left.count == 1
    assert b"other" not in left.bucket
