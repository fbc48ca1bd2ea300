"""Test properties of the tries after a failed one."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from notifications.retry import (
    DEFAULT_POLICY,
    GIVE_UP,
    DeliveryFailure,
    Next,
    OutcomeUnknown,
    PermanentFailure,
    Policy,
    TemporaryFailure,
    Throttled,
    back_off,
    decide,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
tries = st.integers(1, 10**6)
seeds = st.integers(0, 2**32).map(random.Random)
pauses = st.timedeltas(timedelta(0), timedelta(days=400))
policies = st.builds(
    Policy,
    first_delay=st.timedeltas(timedelta(seconds=1), timedelta(hours=1)),
    longest_delay=st.timedeltas(timedelta(hours=1), timedelta(days=2)),
    max_tries=st.integers(1, 50),
)
failures = st.one_of(
    st.just(TemporaryFailure("t")),
    st.just(PermanentFailure("p")),
    st.just(OutcomeUnknown()),
    st.builds(Throttled, st.just("h"), pauses),
)


@given(tries=tries, rng=seeds, policy=policies)
def test_a_pause_is_never_longer_than_the_longest_nor_shorter_than_half_of_the_first(
    tries: int, rng: random.Random, policy: Policy
) -> None:
    assert policy.first_delay / 2 <= back_off(tries, rng=rng, policy=policy) <= policy.longest_delay


@given(failure=failures, number=tries, doubts=st.integers(0, 3), rng=seeds, policy=policies)
def test_a_next_try_lies_ahead_and_within_the_longest_delay(
    failure: DeliveryFailure, number: int, doubts: int, rng: random.Random, policy: Policy
) -> None:
    verdict = decide(failure, tries=number, doubts=doubts, now=NOW, rng=rng, policy=policy)
    assert (verdict.at is not None) == (verdict.next is Next.RETRY)
    assert verdict.at is None or NOW < verdict.at <= NOW + policy.longest_delay


@given(number=tries, rng=seeds)
def test_a_permanent_failure_is_given_up_at_once(number: int, rng: random.Random) -> None:
    assert decide(PermanentFailure("p"), tries=number, doubts=0, now=NOW, rng=rng) == GIVE_UP


@given(failure=failures, rng=seeds, policy=policies)
def test_no_failure_is_retried_for_ever(failure: DeliveryFailure, rng: random.Random, policy: Policy) -> None:
    verdict = decide(failure, tries=policy.max_tries, doubts=0, now=NOW, rng=rng, policy=policy)
    assert verdict == GIVE_UP


@given(
    pause=st.timedeltas(timedelta(0), DEFAULT_POLICY.longest_delay),
    number=st.integers(1, DEFAULT_POLICY.max_tries - 1),
    rng=seeds,
)
def test_a_provider_gets_at_least_the_pause_that_it_asks_for(
    pause: timedelta, number: int, rng: random.Random
) -> None:
    verdict = decide(Throttled("h", pause), tries=number, doubts=0, now=NOW, rng=rng)
    assert verdict.at is not None
    assert verdict.at >= NOW + pause


@given(number=st.integers(1, DEFAULT_POLICY.max_tries - 1), rng=seeds)
def test_a_message_in_doubt_is_repeated_once(number: int, rng: random.Random) -> None:
    first = decide(OutcomeUnknown(), tries=number, doubts=0, now=NOW, rng=rng)
    second = decide(OutcomeUnknown(), tries=number, doubts=1, now=NOW, rng=rng)
    assert (first.next, second.next) == (Next.RETRY, Next.GIVE_UP)


@given(number=st.integers(1, DEFAULT_POLICY.max_tries - 1), doubts=st.integers(1, 5), rng=seeds)
def test_an_earlier_doubt_does_not_stop_a_message_that_certainly_failed(
    number: int, doubts: int, rng: random.Random
) -> None:
    verdict = decide(TemporaryFailure("t"), tries=number, doubts=doubts, now=NOW, rng=rng)
    assert verdict.next is Next.RETRY


def test_the_default_patience_outlasts_a_long_weekend() -> None:
    rng = random.Random(1)
    waited = sum((back_off(number, rng=rng) for number in range(1, DEFAULT_POLICY.max_tries)), timedelta(0))
    assert waited > timedelta(hours=88)  # Friday 17:00 to Tuesday 9:00
