"""Notice work that hangs: it beats, and a process in which one piece of work fell silent ends itself.

systemd, or the parent of a server process, then starts a new one. Nothing is lost: each job may be killed.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine, event
from structlog import get_logger

SILENT_TIMES: Final = 2
"""The watchdog ends a process when work is silent for so many times its limit."""
EXIT_CODE: Final = 70

log = get_logger(__name__)


@dataclass(kw_only=True)
class _Work:
    name: str
    limit: float
    beat: float


@dataclass(frozen=True, kw_only=True)
class Heartbeats:
    """The work of a process: what goes on, and what should come back within so many seconds."""

    now: Callable[[], float] = time.monotonic
    _going_on: dict[int, _Work] = field(default_factory=dict)
    _expected: dict[str, _Work] = field(default_factory=dict)
    _ended: dict[int, float] = field(default_factory=dict)

    @contextmanager
    def work(self, name: str, limit: float) -> Iterator[None]:
        """Do work on this thread that beats at least every `limit` seconds."""
        thread = threading.get_ident()
        self._going_on[thread] = _Work(name=name, limit=limit, beat=self.now())
        try:
            yield
        finally:
            del self._going_on[thread]
            self._ended[thread] = self.now()
            self._came(name)

    def expect(self, name: str, seconds: float) -> None:
        """Expect that work of this name ends at least every so many seconds."""
        self._expected[name] = _Work(name=name, limit=seconds, beat=self.now())

    def beat(self) -> None:
        """Tell that the work on this thread goes on."""
        if work := self._going_on.get(threading.get_ident()):
            work.beat = self.now()
            self._came(work.name)

    def _came(self, name: str) -> None:
        if name in self._expected:
            self._expected[name].beat = self.now()

    def late(self) -> list[str]:
        """Return the names of work that is silent past its limit, or that did not come back in time."""
        going_on, expected = list(self._going_on.values()), list(self._expected.values())
        return sorted({*self._silent(going_on, 1), *self._silent(expected, 1)})

    def seconds_since_work(self) -> float | None:
        """Return how long ago work ended in this process; None before the first."""
        ended = list(self._ended.values())
        return self.now() - max(ended) if ended else None

    def silent(self) -> list[str]:
        """Return the names of work for which the process must end."""
        return self._silent(list(self._going_on.values()), SILENT_TIMES)

    def watch(self, end: Callable[[int], object] = os._exit, seconds: float = 1) -> None:
        """End this process on a thread of its own when work falls silent; each statement is a beat."""
        event.listen(Engine, "after_cursor_execute", lambda *_of_statement: self.beat())
        threading.Thread(target=self._watch, args=(end, seconds), name="watchdog", daemon=True).start()

    def _watch(self, end: Callable[[int], object], seconds: float) -> None:
        while not (silent := self.silent()):
            time.sleep(seconds)
        log.critical("watchdog.ended_the_process", work=silent)
        end(EXIT_CODE)

    def _silent(self, works: Iterable[_Work], times: int) -> list[str]:
        return [work.name for work in works if self.now() - work.beat > times * work.limit]


HEARTBEATS: Final = Heartbeats()
"""The work of this process."""
