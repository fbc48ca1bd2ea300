"""What was deleted, in a file apart from the database: with it a restore forgets the same again."""

import fcntl
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TextIO

from signals.errors import SignalsError
from signals.vocabulary import DeletionReason


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """A destroyed case key, on which day, and why its signal was deleted; random ids and codes only.

    `signal_id`: the signal's, for a copy in which its report still waits to arrive. Lines of earlier releases
    have none.
    """

    case_key_id: uuid.UUID
    on: date
    reason: DeletionReason = DeletionReason.CONCLUDED
    signal_id: uuid.UUID | None = None


_BEGINS = '{"key": "'


class NoJournal(SignalsError):
    """This file is no deletion journal."""

    code = "no_journal"


class DeletionJournal:
    """A file of destroyed case keys that grows at its end, kept apart from the database and backed up often.

    With it a restore from any night's backups forgets again what was forgotten since, for the same reason.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, deletions: Sequence[Deletion]) -> None:
        """Write them durably, before their keys are destroyed. Raises OSError when the disk is full."""
        if not deletions:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._held() as file:
            _add(file, deletions)

    def append_missing(self, deletions: Iterable[Deletion]) -> int:
        """Write those of keys that no line is about, as `append` does; returns how many.

        For a replay: this machine's journal is new, and whoever restores an older copy after it needs them.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._held() as file:
            file.seek(0)
            there = {deletion.case_key_id for deletion in _whole(file)}
            missing = [deletion for deletion in deletions if deletion.case_key_id not in there]
            if missing:
                _add(file, missing)
        return len(missing)

    def forget(self, before: date) -> int:
        """Drop what was deleted before a day, of which no copy exists any more; returns how many."""
        if not self._path.exists():
            return 0
        with self._held() as file:
            file.seek(0)
            known = list(_whole(file))
            kept = [deletion for deletion in known if deletion.on >= before]
            if len(kept) < len(known):
                self._replace_by(kept)
        return len(known) - len(kept)

    def deletions(self) -> Iterator[Deletion]:
        """All of the journal; a line cut off by a crash is passed over.

        Raises `NoJournal` for a file with other lines: who replays the wrong one would bring back what was
        forgotten.
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
    def _held(self) -> Iterator[TextIO]:
        """The file, to write at its end, while no other process does; not one that was replaced meanwhile."""
        while True:
            with open(self._path, "a+", encoding="ascii", opener=_private) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if self._path.exists() and os.path.samestat(os.fstat(file.fileno()), self._path.stat()):
                    yield file
                    return

    def _replace_by(self, kept: Iterable[Deletion]) -> None:
        """Whole or not at all; who waits for the file finds the new one."""
        unfinished = self._path.with_name(f"{self._path.name}.part")
        unfinished.unlink(missing_ok=True)
        with open(unfinished, "w", encoding="ascii", opener=partial(_private, like=self._path)) as file:
            file.writelines(map(_line, kept))
            _make_durable(file)
        unfinished.replace(self._path)


def _private(path: str, flags: int, like: Path | None = None) -> int:
    """Opens for its owner alone. What root's command makes belongs to whom its folder, or `like`, belongs to.

    Else the worker, on an account of its own, could not write to its journal after an administrator did, and
    it destroys no key that is not in the journal. Only what is new changes hands: any other may be a link.
    """
    if os.geteuid() != 0:
        return os.open(path, flags, 0o600)
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, flags, 0o600)
    owner = (like or Path(path).parent).stat()
    os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def _make_durable(file: TextIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _add(file: TextIO, deletions: Iterable[Deletion]) -> None:
    # A line that a crash cut off must not swallow the next one.
    file.write("" if _ends_with_a_line(file) else "\n")
    file.write("".join(map(_line, deletions)))
    _make_durable(file)


def _ends_with_a_line(file: TextIO) -> bool:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 1))
    return file.read(1) in ("", "\n")


def _expected(line: str) -> str:
    """A line that is whole, or the beginning of one; raises ValueError for any other."""
    said = line.strip()
    if said and not said.startswith(_BEGINS) and not _BEGINS.startswith(said):
        raise ValueError("not of a journal")
    return line


def _whole(lines: Iterable[str]) -> Iterator[Deletion]:
    return (_parsed(line) for line in lines if line.startswith("{") and line.endswith("}\n"))


def _line(deletion: Deletion) -> str:
    # Spelt out: none of them needs escaping, and a purge writes thousands.
    signal = f', "signal": "{deletion.signal_id}"' if deletion.signal_id else ""
    what = f'"key": "{deletion.case_key_id}", "on": "{deletion.on}", "reason": "{deletion.reason.value}"'
    return f"{{{what}{signal}}}\n"


def _parsed(line: str) -> Deletion:
    said = json.loads(line)
    return Deletion(
        case_key_id=uuid.UUID(said["key"]),
        on=date.fromisoformat(said["on"]),
        reason=DeletionReason(said.get("reason", DeletionReason.CONCLUDED)),
        signal_id=uuid.UUID(said["signal"]) if "signal" in said else None,
    )
