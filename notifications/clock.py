"""Time as a dependency: notifications ask for no more of a clock than this."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Something that tells the time."""

    def now(self) -> datetime:
        """The moment, aware, in UTC."""
        ...
