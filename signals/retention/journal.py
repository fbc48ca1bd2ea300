"""What was deleted, in a file apart from the database: with it a restore forgets the same again."""

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from signals.vocabulary import DeletionReason


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """A destroyed case key, on which day, and why its signal was deleted; random ids and codes only."""

    case_key_id: uuid.UUID
    on: date
    reason: DeletionReason = DeletionReason.CONCLUDED


class DeletionJournal:
    """An append-only file of destroyed case keys, kept apart from the database and backed up often.

    With it a restore from any night's backups forgets again what was forgotten since, for the same reason.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, deletions: Sequence[Deletion]) -> None:
        """Write them durably, before their keys are destroyed. Raises OSError when the disk is full."""
        if not deletions:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open(self._path, "a", encoding="ascii", opener=_private) as file:
            file.write("".join(map(_line, deletions)))
            file.flush()
            os.fsync(file.fileno())

    def deletions(self) -> Iterator[Deletion]:
        """All of the journal; a line cut off by a crash is passed over."""
        if not self._path.exists():
            return
        with open(self._path, encoding="ascii") as file:
            yield from (_parsed(line) for line in file if line.startswith("{") and line.endswith("}\n"))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _line(deletion: Deletion) -> str:
    # Spelt out: none of the three needs escaping, and a purge writes thousands.
    return (
        f'{{"key": "{deletion.case_key_id}", "on": "{deletion.on}", "reason": "{deletion.reason.value}"}}\n'
    )


def _parsed(line: str) -> Deletion:
    said = json.loads(line)
    return Deletion(
        case_key_id=uuid.UUID(said["key"]),
        on=date.fromisoformat(said["on"]),
        reason=DeletionReason(said.get("reason", DeletionReason.CONCLUDED)),
    )
