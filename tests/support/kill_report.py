"""Count the findings of a run of kills, and write them on the page of long runs."""

import os
import textwrap
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "soak.md"
_HEAD = "## Last results (the machine had other work)\n"
_WIDTH = 118


@dataclass(frozen=True, kw_only=True)
class KillReport:
    """Counts of a run: kills by process, faults, reports that were acknowledged, and what became of them."""

    kills: Counter[str]
    faults: Counter[str]
    acknowledged: int
    opened: int
    lost: int
    doubled: int
    unreadable: int
    minutes: int

    def line(self, database: str, day: date) -> str:
        """Return what this run did and found, with the machine's load in its last quarter."""
        happened = [f"{self.kills.total()} kills ({_listed(self.kills)})"]
        happened += [_listed(self.faults)] if self.faults else []
        became = f"{self.lost} lost, {self.doubled} doubled, {self.unreadable} unreadable"
        lasted = f"{self.minutes} minutes, load {os.getloadavg()[2]:.0f}"
        return (
            f"{day}, {database}, {', '.join(happened)}, {lasted}; of {self.acknowledged:,} reports: {became}"
        )


def write_line(line: str, page: Path = PAGE) -> None:
    """Write a line under the head of the list."""
    item = textwrap.fill(f"- {line}", _WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    before, after = page.read_text(encoding="utf-8").split(_HEAD)
    page.write_text(f"{before}{_HEAD}{item}\n{after}", encoding="utf-8")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{times} {name}" for name, times in sorted(counts.items()))
