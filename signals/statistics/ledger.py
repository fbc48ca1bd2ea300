"""Keep released tables in a file apart from the database, so that no restore spends a budget twice.

A line is one released table with its signature, as in `publications`. Everything in it is public.
"""

import errno
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

from privacy.secret_files import open_private
from signals.errors import SignalsError
from signals.models import Publication

_TEXTS: Final = ("period", "code", "epsilon", "content")
_BEGINS: Final = '{"period": '


class NoLedger(SignalsError):
    """This file is no ledger of released figures."""

    code = "no_ledger"


class LedgerFile:
    """Append released tables to the file, and read them. Each machine that releases has one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, tables: Sequence[Publication]) -> None:
        """Write all tables durably or none, before their transaction commits.

        Raises `OSError` when the disk is full.
        """
        # A line that a crash cut off must not absorb the next one.
        lines = ("\n" + "".join(map(_line, tables))).encode()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open(self._path, "ab", buffering=0, opener=open_private) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            end = file.seek(0, os.SEEK_END)
            if file.write(lines) < len(lines):
                file.truncate(end)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())

    def tables(self) -> Iterator[Publication]:
        """Yield all tables; skip a line that a crash cut off. Raise `NoLedger` for another kind of file."""
        if not self._path.exists():
            return
        for number, line in enumerate(self._path.read_text().splitlines(), start=1):
            if not line.startswith(_BEGINS) and not _BEGINS.startswith(line):
                raise NoLedger(f"{self._path} is no ledger: see line {number}")
            # The note in the keystore still stands for a line that was cut off.
            with suppress(ValueError, KeyError):
                yield _table(json.loads(line))


def _line(table: Publication) -> str:
    said = {name: getattr(table, name) for name in _TEXTS}
    said |= {"drawn_on": table.drawn_on.isoformat(), "signature": table.signature.hex()}
    return json.dumps(said) + "\n"


def _table(said: dict[str, str]) -> Publication:
    return Publication(
        **{name: said[name] for name in _TEXTS},
        drawn_on=date.fromisoformat(said["drawn_on"]),
        signature=bytes.fromhex(said["signature"]),
    )
