"""A small cache for results that take long to make."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, TypeVar

T = TypeVar("T")
_MOST: Final = 48


@dataclass(frozen=True)
class Shelf:
    """The last few results by their sources; safe between threads."""

    _kept: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, made_from: Hashable, make: Callable[[], T]) -> T:
        """Return the result, made now when it is missing; two threads may both make it, and none waits."""
        with self._lock:
            if made_from in self._kept:
                self._kept.move_to_end(made_from)
                found: T = self._kept[made_from]
                return found
        made = make()
        with self._lock:
            self._kept[made_from] = made
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return made
