"""Time as a dependency: the only method of a clock that notifications use."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""
        ...
