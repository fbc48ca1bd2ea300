"""The decision after a failed try: try again, and when, or give up. Pure: callers pass time and chance."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

INTERRUPTED = "interrupted"
OUTCOME_UNKNOWN = "outcome_unknown"
DOUBTFUL = (INTERRUPTED, OUTCOME_UNKNOWN)
"""Problems after which the recipient may still have the message."""

MAX_REPEATS_IN_DOUBT = 1


class DeliveryFailure(Exception):
    """The message was not delivered; `problem` is a class of failure without any personal data."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem[:40]


class TemporaryFailure(DeliveryFailure):
    """Certainly not delivered, and a later try may succeed."""


class OutcomeUnknown(DeliveryFailure):
    """The provider was handed the message and did not say whether it took it."""

    def __init__(self) -> None:
        super().__init__(OUTCOME_UNKNOWN)


class PermanentFailure(DeliveryFailure):
    """This message cannot be delivered as it is: a person has to act."""


class Throttled(DeliveryFailure):
    """The provider wants a pause; `retry_after`: its length, zero when unknown."""

    def __init__(self, problem: str, retry_after: timedelta = timedelta(0)) -> None:
        super().__init__(problem)
        self.retry_after = retry_after


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The patience of delivery. The defaults try for some four days: longer than a long weekend."""

    first_delay: timedelta = timedelta(minutes=1)
    longest_delay: timedelta = timedelta(hours=4)
    max_tries: int = 40


class Next(StrEnum):
    """The next step after a failed try."""

    RETRY = "retry"
    GIVE_UP = "give_up"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The next step of a message; `at`: the moment of the next try, None without one."""

    next: Next
    at: datetime | None = None


DEFAULT_POLICY = Policy()
GIVE_UP = Verdict(next=Next.GIVE_UP)


def decide(
    failure: DeliveryFailure,
    *,
    tries: int,
    doubts: int,
    now: datetime,
    rng: random.Random,
    policy: Policy = DEFAULT_POLICY,
) -> Verdict:
    """Return the verdict after try number `tries` (1 is the first) ended in `failure`.

    `doubts`: the earlier tries of this message with an unknown outcome. A message in doubt is repeated once.
    After a second doubt a person decides, so that nobody gets one message again and again.
    """
    if isinstance(failure, PermanentFailure) or tries >= policy.max_tries:
        return GIVE_UP
    if failure.problem in DOUBTFUL and doubts >= MAX_REPEATS_IN_DOUBT:
        return GIVE_UP
    delay = back_off(tries, rng=rng, policy=policy)
    if isinstance(failure, Throttled):
        delay = max(delay, min(failure.retry_after, policy.longest_delay))
    return Verdict(next=Next.RETRY, at=now + delay)


def back_off(tries: int, *, rng: random.Random, policy: Policy = DEFAULT_POLICY) -> timedelta:
    """Return the pause after try number `tries`: it doubles up to the longest, and half of it is random.

    The random half spreads messages that failed together.
    """
    doublings = min(max(tries - 1, 0), 62)
    full = min(policy.first_delay.total_seconds() * 2**doublings, policy.longest_delay.total_seconds())
    return timedelta(seconds=rng.uniform(full / 2, full))
