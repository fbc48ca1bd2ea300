"""Time as a dependency: passed in, so that tests and the demo choose it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from notifications.clock import Clock as Clock

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class FixedClock:
    """A clock that stands still until moved; for tests and the demo."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


def today(clock: Clock) -> date:
    """Return the date in Amsterdam; 'received on' and every deadline use it."""
    return clock.now().astimezone(AMSTERDAM).date()


def seconds_to_midnight(now: datetime) -> int:
    """Return the whole seconds until the next day begins in Amsterdam, at least one."""
    tomorrow = now.astimezone(AMSTERDAM).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, datetime.min.time(), AMSTERDAM)
    return max(1, int((midnight - now).total_seconds()))
