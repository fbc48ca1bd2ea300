"""What a measurement says: a value, the target it is held against, and whether it is met."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Line:
    """One measured value. `at_least` and `at_most` are its target; without either it only informs."""

    group: str
    what: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

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
        """For JSON."""
        return {
            "group": self.group,
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "target": self.target,
            "met": self.met,
        }


def print_table(lines: Iterable[Line], console: Console) -> None:
    """A table of everything that was measured, targets and all."""
    table = Table(title="make bench", title_justify="left")
    for heading, justify in (
        ("group", "left"),
        ("what", "left"),
        ("value", "right"),
        ("target", "right"),
        ("met", "left"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for line in lines:
        table.add_row(
            line.group, line.what, f"{readable(line.value)} {line.unit}".strip(), line.target, _MET[line.met]
        )
    console.print(table)


def readable(value: float) -> str:
    """Three digits that count, and no exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share (0 to 1) of them lies, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


_MET = {True: "yes", False: "NO", None: ""}
