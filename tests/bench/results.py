"""A measured value, its target, and whether it meets the target."""

import gc
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Line:
    """One measured value. `at_least` and `at_most` are its target; without either it only informs."""

    group: str
    what: str
    value: float
    unit: str = ""
    at_least: float | None = field(default=None, kw_only=True)
    at_most: float | None = field(default=None, kw_only=True)

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return self.value <= self.at_most if self.at_most is not None else None

    @property
    def target(self) -> str:
        """The target as people write it."""
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return f"<= {self.at_most:g}" if self.at_most is not None else ""

    def as_plain(self) -> dict[str, Any]:
        names = ("group", "what", "value", "unit", "target", "met")
        return {name: getattr(self, name) for name in names}


def print_table(lines: Iterable[Line], console: Console) -> None:
    """A table of everything that was measured, targets and all."""
    table = Table(title="make bench", title_justify="left")
    for heading in ("group", "what", "value", "target", "met"):
        table.add_column(heading, justify="right" if heading in ("value", "target") else "left")
    for line in lines:
        value = f"{readable(line.value)} {line.unit}".strip()
        table.add_row(line.group, line.what, value, line.target, _MET[line.met])
    console.print(table)


def readable(value: float) -> str:
    """Three digits that count, and no exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def interleaved(
    rounds: int, *actions: Callable[[], object], clock: Callable[[], float] = time.process_time
) -> list[float]:
    """The median of seconds of each action, taken in turns after a few that do not count."""
    seen: list[list[float]] = [[] for _ in actions]
    gc.disable()
    try:
        for number in range(-5, rounds):
            for action, times in zip(actions, seen, strict=True):
                started = clock()
                action()
                if number >= 0:
                    times.append(clock() - started)
    finally:
        gc.enable()
    return [median(times) for times in seen]


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share (0 to 1) of them lies, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


_MET = {True: "yes", False: "NO", None: ""}
