"""A circuit breaker for each channel: delivery pauses while a provider is down.

Each process has its own. Only failures of the provider count: one full mailbox says nothing about others.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifications.retry import DeliveryFailure, OutcomeUnknown, TemporaryFailure, Throttled

THRESHOLD = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)

_OF_ONE_MESSAGE = re.compile(r"smtp_4(?!21)\d\d|twilio_3000[38]")
_OF_ONE_SYSTEM = ("https_", "zgw_", "webhook_")
"""Failures of the system of one organisation; those of others go on."""
"""Temporary refusals of one recipient: RFC 5321, 4.2.3 (421 is about the server), and Twilio's handsets."""


@dataclass(kw_only=True)
class Breaker:
    """Closed (every message goes) until `THRESHOLD` failures in a row; then open until `open_until`.

    After that, one message at a time is a probe: a success closes the breaker, a failure doubles the pause.
    """

    failures: int = 0
    pauses: int = 0
    open_until: datetime | None = None
    problem: str | None = None

    def allows(self, now: datetime) -> bool:
        """Return whether a message may be tried now."""
        return self.open_until is None or now >= self.open_until

    def succeeded(self) -> None:
        """Record that the provider works: it took a message, or refused one message."""
        self.failures = self.pauses = 0
        self.open_until = self.problem = None

    def failed(self, failure: DeliveryFailure, now: datetime) -> None:
        """Record that the provider failed; keep a pause that the provider asks for."""
        self.failures += 1
        self.problem = failure.problem
        asked = failure.retry_after if isinstance(failure, Throttled) else timedelta(0)
        if self.failures >= THRESHOLD or asked or self.open_until is not None:
            pause = min(FIRST_PAUSE * 2 ** min(self.pauses, 10), LONGEST_PAUSE)
            self.pauses += 1
            self.open_until = now + max(pause, min(asked, LONGEST_PAUSE))


def is_about_provider(failure: DeliveryFailure) -> bool:
    """Return whether a failure is about the provider, and not about one message."""
    if failure.problem.startswith(_OF_ONE_SYSTEM):
        return False
    if isinstance(failure, Throttled | OutcomeUnknown):
        return True
    return isinstance(failure, TemporaryFailure) and not _OF_ONE_MESSAGE.fullmatch(failure.problem)
