"""How long each kind of work waits for PostgreSQL; SQLite has one machine and limits of its own."""

from dataclasses import dataclass
from typing import Final

_GRACE_SECONDS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Seconds for one kind of work; 0: without end.

    `statement`: for one statement. `lock`: for a row or table that another one holds. `idle`: between two
    statements of a transaction.
    """

    statement: int = 0
    lock: int = 0
    idle: int = 0

    @property
    def answer(self) -> float | None:
        """Return how long a client waits for an answer: a little longer than the server's own limit."""
        return self.statement + _GRACE_SECONDS if self.statement else None


FRONT: Final = Patience(statement=5, lock=3, idle=30)
DESK: Final = Patience(statement=30, lock=10, idle=120)
JOBS: Final = Patience(statement=60, lock=30, idle=600)
COMMANDS: Final = Patience(lock=60)
"""An administrator watches: an import or a migration may take long."""
