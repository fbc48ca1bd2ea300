"""What to do after a failed try: again, when, or never. Pure: time, chance and history are passed in."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

INTERRUPTED = "interrupted"
OUTCOME_UNKNOWN = "outcome_unknown"
DOUBTFUL = (INTERRUPTED, OUTCOME_UNKNOWN)
"""Problems after which the recipient may have the message all the same."""

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
    """This message will never be delivered as it is: a person has to look."""


class Throttled(DeliveryFailure):
    """The provider wants a pause; `retry_after` is what it asked for, zero when it did not say."""

    def __init__(self, problem: str, retry_after: timedelta = timedelta(0)) -> None:
        super().__init__(problem)
        self.retry_after = retry_after


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How patient delivery is. The defaults keep trying for some four days: longer than a long weekend."""

    first_delay: timedelta = timedelta(minutes=1)
    longest_delay: timedelta = timedelta(hours=4)
    max_tries: int = 40


class Next(StrEnum):
    """What becomes of a message after a failed try."""

    RETRY = "retry"
    GIVE_UP = "give_up"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What becomes of the message; `at` is the moment of the next try, None when there is none."""

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
    """The verdict after try number `tries` (1 is the first) ended in `failure`.

    `doubts` counts the earlier tries of this message whose outcome is unknown. A message in doubt is
    repeated once; a second doubt goes to a person, so that nobody gets the same message again and again.
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
    """The pause after try number `tries`: doubles each time up to the longest, of which half is random.

    The random half spreads messages that failed together, so that they do not come back together.
    """
    doublings = min(max(tries - 1, 0), 62)
    full = min(policy.first_delay.total_seconds() * 2**doublings, policy.longest_delay.total_seconds())
    return timedelta(seconds=rng.uniform(full / 2, full))
