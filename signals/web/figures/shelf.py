"""Documents that are dear to make, kept for as long as they are right and asked for."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

_MOST: Final = 16


@dataclass(frozen=True)
class Shelf:
    """The last few documents by what they were made from; safe between threads."""

    _kept: OrderedDict[Hashable, bytes] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, made_from: Hashable, make: Callable[[], bytes]) -> bytes:
        """The document, made now when it is not there. Two at once make it one after the other."""
        with self._lock:
            if made_from not in self._kept:
                self._kept[made_from] = make()
            self._kept.move_to_end(made_from)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
            return self._kept[made_from]
