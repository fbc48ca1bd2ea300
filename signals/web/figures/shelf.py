"""What is dear to make, kept for as long as it is right and asked for."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, TypeVar

T = TypeVar("T")
_MOST: Final = 48


@dataclass(frozen=True)
class Shelf:
    """The last few things by what they were made from; safe between threads."""

    _kept: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, made_from: Hashable, make: Callable[[], T]) -> T:
        """The thing, made now when it is not there; two at once may both make it, and nobody waits."""
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
