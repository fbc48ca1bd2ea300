"""What a run of kills found, and the row of it in the page of long runs."""

import os
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "soak.md"
_HEAD = "|---|---|---|\n"


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

    def row(self, database: str, day: date) -> str:
        """Return the row of this run in the table, with the machine's load in its last quarter."""
        happened = [f"{self.kills.total()} kills ({_listed(self.kills)})"]
        happened += [_listed(self.faults)] if self.faults else []
        run = f"{database}: {', '.join(happened)}; {self.minutes} minutes, load {os.getloadavg()[2]:.0f}"
        became = f"{self.lost} lost, {self.doubled} doubled, {self.unreadable} unreadable"
        return f"| {day} | {run} | of {self.acknowledged:,} reports: {became} |"


def write_row(row: str, page: Path = PAGE) -> None:
    """Write a row under the head of the table."""
    before, after = page.read_text(encoding="utf-8").split(_HEAD)
    page.write_text(f"{before}{_HEAD}{row}\n{after}", encoding="utf-8")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{times} {name}" for name, times in sorted(counts.items()))
