"""Put copies of `backup.py` back where the settings say; both places must be empty.

    python restore.py --database database/20261124T021700Z.pgdump --keystore keystore/20261124T021800Z.pgdump

Run it with the Python of the installation, as the owner of both. Afterwards, and before any process is
started: `signals db upgrade`, `signals db grants`, `signals retention replay JOURNAL`.
"""

import argparse
import os
import shutil
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backup import KEYSTORE_DAYS, ProgramFailed, made_at, run_libpq
from sqlalchemy import make_url

from signals.settings import load_settings

NEXT = """\
  signals db upgrade            (as the owner of the tables)
  signals db grants             (PostgreSQL only)
  signals retention replay ...  (the newest journal of every machine: without it, what was deleted is back)
  signals keys sweep
  signals audit verify
  start a worker, then: signals doctor; the desk and the front when it finds nothing
"""


class Refused(Exception):
    """This must not be restored, or not to there."""


class Unfinished(Exception):
    """Of the keystore or the database, which it names first: it did not go in."""


def main(arguments: Sequence[str], now: datetime | None = None) -> int:
    """Restore what was named; returns the exit code."""
    options = _options(arguments)
    settings = load_settings(options.config, check=False)
    os.umask(0o077)
    places = {
        "keystore": (options.keystore, settings.keystore.url),
        "database": (options.database, settings.database.url),
    }
    wanted = {what: (copy, url) for what, (copy, url) in places.items() if copy}
    done: list[str] = []
    try:
        for copy, url in wanted.values():  # before anything is written
            refuse_unfit(copy, url)
        if options.keystore:
            refuse_expired(options.keystore, now or datetime.now(UTC))
        for what, (copy, url) in wanted.items():
            _restore(what, copy, url)
            done.append(what)
    except (Refused, ValueError) as error:
        sys.stderr.write(f"not restored: {error}\nRestored: nothing.\n")
        return 1
    except Unfinished as error:
        sys.stderr.write(_unfinished(error, list(wanted), done))
        return 1
    copies = ", ".join(copy.name for copy, _ in wanted.values())
    sys.stdout.write(f"Restored: {copies}. Start nothing yet; next, as docs/backup.md says:\n{NEXT}")
    return 0


def _unfinished(error: Unfinished, wanted: Sequence[str], done: Sequence[str]) -> str:
    """What was not restored and why, what was, and the next command: each goes in whole or not at all."""
    said = f"not restored, the {error}\nRestored: {', '.join(done) or 'nothing'}.\n"
    if done:
        said += "Mend that, and go on with --database alone: the keystore is in its place by now.\n"
    elif len(wanted) > 1:
        said += "If the keystore is in its place from an earlier run, go on with --database alone.\n"
    return said


def refuse_unfit(copy: Path, url: str) -> None:
    """Raise `Refused` for what is no copy, or one of another kind of database than the settings name."""
    if not copy.is_file():
        raise Refused(f"{copy} is not there")
    if (make_url(url).get_backend_name() == "sqlite") != (copy.suffix == ".sqlite"):
        raise Refused(f"{copy.name} is not a copy of the kind of database that the settings name")


def refuse_expired(copy: Path, now: datetime) -> None:
    """Raise `Refused` for keys that should not exist any more: they could bring back what was forgotten."""
    if now - made_at(copy) >= timedelta(days=KEYSTORE_DAYS):
        raise Refused(f"this copy of keys is older than {KEYSTORE_DAYS} days and must be deleted")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--config", type=Path, default=None, help="the settings file; else $SIGNALS_CONFIG")
    parser.add_argument("--database", type=Path, default=None, help="a copy from the folder database")
    parser.add_argument("--keystore", type=Path, default=None, help="a copy from the folder keystore")
    options = parser.parse_args(arguments)
    if not options.database and not options.keystore:
        parser.error("say what to restore: --database, --keystore or both")
    return options


def _restore(what: str, copy: Path, url: str) -> None:
    """Raises `Unfinished`."""
    try:
        if copy.suffix == ".sqlite":
            _restore_sqlite(copy, Path(make_url(url).database or ""))
        else:
            _restore_postgresql(copy, url)
    except (Refused, OSError, sqlite3.Error, ProgramFailed) as error:
        raise Unfinished(f"{what}: {error}") from None


def _restore_sqlite(copy: Path, target: Path) -> None:
    """Never over what is there: its journal beside the file would be played into the copy."""
    rest = [target.with_name(target.name + ending) for ending in ("", "-wal", "-shm", "-journal")]
    if any(file.exists() for file in rest):
        raise Refused(f"{target.name} is still there: move it and its -wal and -shm files away first")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.part")
    shutil.copyfile(copy, unfinished)
    unfinished.chmod(0o600)
    with closing(sqlite3.connect(unfinished)) as connection:
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise Refused(f"{copy.name} is damaged")
    unfinished.replace(target)


def _restore_postgresql(copy: Path, url: str) -> None:
    whole = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-acl")
    run_libpq("pg_restore", url, *whole, str(copy))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
