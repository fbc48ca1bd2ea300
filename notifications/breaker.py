"""A circuit breaker for each channel: a provider that is down is left alone for a while, not hammered.

Kept in the memory of one process. Only failures of the provider itself count: one full mailbox says nothing
about the others.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifications.retry import DeliveryFailure, OutcomeUnknown, TemporaryFailure, Throttled

THRESHOLD = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)

_OF_ONE_MESSAGE = re.compile(r"smtp_4(?!21)\d\d|twilio_3000[38]")
"""Refusals of one recipient for now: RFC 5321, section 4.2.3 (421 is about the server), Twilio's handsets."""


@dataclass(kw_only=True)
class Breaker:
    """Closed (all goes through) until `THRESHOLD` failures in a row; then open until `open_until`.

    After that one message at a time is a probe: a success closes it, a failure opens it for twice as long.
    """

    failures: int = 0
    pauses: int = 0
    open_until: datetime | None = None
    problem: str | None = None

    def allows(self, now: datetime) -> bool:
        """Whether a message may be tried now."""
        return self.open_until is None or now >= self.open_until

    def succeeded(self) -> None:
        """The provider took a message, or refused it for a reason of its own: it works."""
        self.failures = self.pauses = 0
        self.open_until = self.problem = None

    def failed(self, failure: DeliveryFailure, now: datetime) -> None:
        """The provider did not work. A pause that it asked for itself is kept at once."""
        self.failures += 1
        self.problem = failure.problem
        asked = failure.retry_after if isinstance(failure, Throttled) else timedelta(0)
        if self.failures >= THRESHOLD or asked or self.open_until is not None:
            pause = min(FIRST_PAUSE * 2 ** min(self.pauses, 10), LONGEST_PAUSE)
            self.pauses += 1
            self.open_until = now + max(pause, min(asked, LONGEST_PAUSE))


def is_about_provider(failure: DeliveryFailure) -> bool:
    """Whether a failure says that the provider does not work, rather than that one message is refused."""
    if isinstance(failure, Throttled | OutcomeUnknown):
        return True
    return isinstance(failure, TemporaryFailure) and not _OF_ONE_MESSAGE.fullmatch(failure.problem)
