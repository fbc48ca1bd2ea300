"""Keep a file of deletions and revocations apart from the database, so that a restore can repeat them."""

import fcntl
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TextIO

from privacy.secret_files import open_private
from signals.errors import SignalsError
from signals.models.sealed import Revoked
from signals.vocabulary import DeletionReason


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """Describe one destroyed case key: the day, and the reason for the deletion; random ids and codes only.

    `signal_id` finds the report in a copy in which that still waits to arrive.
    """

    case_key_id: uuid.UUID
    on: date
    reason: DeletionReason = DeletionReason.CONCLUDED
    signal_id: uuid.UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """Describe a right that was taken away, and when; ids and codes only."""

    revoked: Revoked
    at: datetime

    @property
    def on(self) -> date:
        return self.at.date()


Line = Deletion | Revocation
_BEGINNINGS = ('{"key": "', '{"table": "')


class NoJournal(SignalsError):
    """This file is no deletion journal."""

    code = "no_journal"


class DeletionJournal:
    """Append to the file of destroyed case keys, and read it.

    The file lies apart from the database and is backed up often. After a restore of an older backup it tells
    what to delete again, and why.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, deletions: Sequence[Line]) -> None:
        """Write lines durably, before keys are destroyed or rights revoked. Raises OSError on a full disk."""
        if not deletions:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked() as file:
            _add(file, deletions)

    def append_missing(self, deletions: Iterable[Line]) -> int:
        """Write what has no line yet (of a deletion: its key), as `append` does; return how many.

        A replay needs this: the journal of this machine is new, and a later restore must find all lines.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked() as file:
            file.seek(0)
            there = {_known_by(line) for line in _whole(file)}
            missing = [line for line in deletions if _known_by(line) not in there]
            if missing:
                _add(file, missing)
        return len(missing)

    def forget(self, before: date) -> int:
        """Drop the deletions before a day, of which no backup exists any more; return how many."""
        if not self._path.exists():
            return 0
        with self._locked() as file:
            file.seek(0)
            known = list(_whole(file))
            kept = [deletion for deletion in known if deletion.on >= before]
            if len(kept) < len(known):
                self._replace_by(kept)
        return len(known) - len(kept)

    def deletions(self) -> Iterator[Deletion]:
        """Yield all deletions; raise as `lines` does."""
        return (line for line in self.lines() if isinstance(line, Deletion))

    def revocations(self) -> Iterator[Revocation]:
        """Yield all revocations; raise as `lines` does."""
        return (line for line in self.lines() if isinstance(line, Revocation))

    def lines(self) -> Iterator[Line]:
        """Yield every line; skip one that a crash cut off.

        Raises `NoJournal` for a file with other lines: replaying a wrong file would bring back deleted data.
        """
        if not self._path.exists():
            return
        with open(self._path, encoding="ascii", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield from _whole([_expected(line)])
                except (ValueError, KeyError, TypeError):
                    raise NoJournal(f"{self._path} is no deletion journal: see line {number}") from None

    @contextmanager
    def _locked(self) -> Iterator[TextIO]:
        """Open the file to append while no other process does; open again when it was replaced meanwhile."""
        while True:
            with open(self._path, "a+", encoding="ascii", opener=open_private) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if self._path.exists() and os.path.samestat(os.fstat(file.fileno()), self._path.stat()):
                    yield file
                    return

    def _replace_by(self, kept: Iterable[Line]) -> None:
        """Replace the whole file in one step; a process that waits for the lock finds the new file."""
        unfinished = self._path.with_name(f"{self._path.name}.part")
        unfinished.unlink(missing_ok=True)
        with open(unfinished, "w", encoding="ascii", opener=partial(open_private, like=self._path)) as file:
            file.writelines(map(_line, kept))
            _make_durable(file)
        unfinished.replace(self._path)


def _make_durable(file: TextIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _known_by(line: Line) -> object:
    return line.case_key_id if isinstance(line, Deletion) else line


def _add(file: TextIO, deletions: Iterable[Line]) -> None:
    # A line that a crash cut off must not absorb the next one.
    file.write("" if _ends_with_a_line(file) else "\n")
    file.write("".join(map(_line, deletions)))
    _make_durable(file)


def _ends_with_a_line(file: TextIO) -> bool:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 1))
    return file.read(1) in ("", "\n")


def _expected(line: str) -> str:
    """Return a line that is whole or the beginning of one; raise ValueError for any other."""
    said = line.strip()
    if said and not any(said.startswith(begin) or begin.startswith(said) for begin in _BEGINNINGS):
        raise ValueError("not of a journal")
    return line


def _whole(lines: Iterable[str]) -> Iterator[Line]:
    return (_parsed(line) for line in lines if line.startswith("{") and line.endswith("}\n"))


def _line(deletion: Line) -> str:
    if isinstance(deletion, Revocation):
        told = asdict(deletion.revoked) | {"id": str(deletion.revoked.id), "at": deletion.at.isoformat()}
        return json.dumps(told | {"on": deletion.on.isoformat()}) + "\n"
    # No JSON encoder: no value needs escaping, and a purge writes thousands of lines.
    signal = f', "signal": "{deletion.signal_id}"' if deletion.signal_id else ""
    what = f'"key": "{deletion.case_key_id}", "on": "{deletion.on}", "reason": "{deletion.reason.value}"'
    return f"{{{what}{signal}}}\n"


def _parsed(line: str) -> Line:
    said = json.loads(line)
    if "table" in said:
        at, _on = datetime.fromisoformat(said.pop("at")), said.pop("on")
        return Revocation(revoked=Revoked(**said | {"id": uuid.UUID(said["id"])}), at=at)
    return Deletion(
        case_key_id=uuid.UUID(said["key"]),
        on=date.fromisoformat(said["on"]),
        reason=DeletionReason(said.get("reason", DeletionReason.CONCLUDED)),
        signal_id=uuid.UUID(said["signal"]) if "signal" in said else None,
    )
