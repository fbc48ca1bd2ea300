"""The circuit breaker: when it opens, for how long, and what closes it."""

from datetime import timedelta

import pytest

from notifications.breaker import FIRST_PAUSE, THRESHOLD, Breaker, is_about_provider
from notifications.retry import DeliveryFailure, OutcomeUnknown, PermanentFailure, TemporaryFailure, Throttled
from tests.notifications.building import NOON

DOWN = TemporaryFailure("smtp_connection")


def opened() -> Breaker:
    breaker = Breaker()
    for _ in range(THRESHOLD):
        breaker.failed(DOWN, NOON)
    return breaker


def test_it_lets_all_through_until_the_last_failure_in_a_row() -> None:
    breaker = Breaker()
    for _ in range(THRESHOLD - 1):
        breaker.failed(DOWN, NOON)
        assert breaker.allows(NOON)
    breaker.failed(DOWN, NOON)
    assert not breaker.allows(NOON)


def test_a_success_restarts_the_count() -> None:
    breaker = Breaker()
    for _ in range(THRESHOLD * 3):
        breaker.failed(DOWN, NOON)
        breaker.succeeded()
    assert breaker.allows(NOON)


def test_a_probe_that_fails_opens_it_for_twice_as_long() -> None:
    breaker = opened()
    later = NOON + FIRST_PAUSE
    breaker.failed(DOWN, later)
    assert breaker.open_until == later + 2 * FIRST_PAUSE


def test_a_probe_that_succeeds_closes_it_and_forgets_the_pauses() -> None:
    breaker = opened()
    breaker.succeeded()
    assert breaker == Breaker()


def test_a_pause_that_the_provider_asks_for_is_kept_at_once() -> None:
    breaker = Breaker()
    breaker.failed(Throttled("twilio_429", timedelta(minutes=3)), NOON)
    assert breaker.open_until == NOON + timedelta(minutes=3)


@pytest.mark.parametrize(
    ("failure", "about"),
    [
        (TemporaryFailure("smtp_connection"), True),
        (TemporaryFailure("smtp_421"), True),
        (TemporaryFailure("twilio_503"), True),
        (TemporaryFailure("smtp_450"), False),
        (TemporaryFailure("twilio_30003"), False),
        (PermanentFailure("smtp_550"), False),
        (Throttled("twilio_429"), True),
        (OutcomeUnknown(), True),
    ],
)
def test_only_what_says_that_the_provider_is_down_counts(failure: DeliveryFailure, about: bool) -> None:
    assert is_about_provider(failure) is about
