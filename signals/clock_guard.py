"""Compare the clock of this process with the database's: a wrong one deletes signals too early, for good.

On SQLite the database has the same clock, so there is nothing to compare.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from signals.clock import Clock, SystemClock
from signals.db import is_sqlite, reading
from signals.errors import ClockApart

MOST_APART: Final = timedelta(seconds=60)
CLOCK_CHECK: Final = "signals.clock"
"""The extension of an application that holds its `require_right_clock`."""

log = get_logger(__name__)


def require_right_clock(engine: Engine, clock: Clock) -> None:
    """Raise `ClockApart`, and log it, when the clocks are over a minute apart."""
    apart = time_apart(engine, clock)
    if abs(apart) > MOST_APART:
        log.error("clock.apart", ahead_seconds=round(apart.total_seconds()))
        raise ClockApart


def watch_clock(compare: Callable[[], None], seconds: float = 60) -> None:
    """Compare now and each minute on a thread, for as long as the process lives; `compare` logs."""

    def watch() -> None:
        while True:
            with suppress(ClockApart, SQLAlchemyError):
                compare()
            time.sleep(seconds)

    threading.Thread(target=watch, name="clock", daemon=True).start()


def time_apart(engine: Engine, clock: Clock) -> timedelta:
    """Return how far this clock is ahead of the database's; negative when it is behind.

    A clock that tests or the demo set is compared with nothing.
    """
    if is_sqlite(engine) or not isinstance(clock, SystemClock):
        return timedelta(0)
    asked = clock.now()
    with reading(engine).connect() as connection:
        theirs: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        connection.commit()  # after a ROLLBACK psycopg forgets every prepared statement
    answered = clock.now()
    # They read their clock at some moment between the two.
    return max(asked - theirs, timedelta(0)) or min(answered - theirs, timedelta(0))
