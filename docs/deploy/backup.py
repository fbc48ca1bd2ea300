"""Back up an installation: database, keystore, deletion journal and the head of the audit trail, each into
a folder of its own.

    python backup.py --to /var/backups/signals            every night
    python backup.py --to /var/backups/signals --journal  every quarter of an hour

Run it with the Python of the installation, as who may read everything (see docs/backup.md). SQLite is
copied with its own backup API, PostgreSQL with pg_dump. What is older than the days allowed is deleted:
that is what makes a purged case unreadable in backups too. The master key is never among them.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Container, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from signals.audit.trail import latest_head
from signals.db import driver_error
from signals.operations.installation import alone
from signals.settings import Settings, load_settings

KEYSTORE_DAYS = 14
"""How long a copy of keys may exist; a promise to residents (promise 4), so no option."""
HALF_DAYS = 1
HEADS = "heads.jsonl"
STAMP = "%Y%m%dT%H%M%SZ"


def main(arguments: Sequence[str], now: datetime | None = None) -> int:
    """Make what was asked for; returns the exit code: 1 when anything of it failed."""
    options = _options(arguments)
    now = now or datetime.now(UTC)
    os.umask(0o077)
    steps = _steps(load_settings(options.config, check=False), options, now)
    done = [_told(step) for step in steps]  # each, whatever became of those before
    return 0 if all(done) else 1


def _steps(settings: Settings, options: argparse.Namespace, now: datetime) -> Iterator[Iterator[str]]:
    """The keystore after the database: a case key is written before its case, so none is missing."""
    if not options.journal:
        # Before the database: of a night's copy and head, the copy is never the one that ends earlier.
        yield _note_head(settings.database.url, options.to / "heads")
        yield _copy(settings.database.url, options.to / "database", now)
        yield _copy(settings.keystore.url, options.to / "keystore", now)
    oldest = now.date() - timedelta(days=settings.retention.journal_days)
    for journal in (settings.retention.journal_file, *options.also_journal):
        yield _copy_journal(journal, options.to / "journal", oldest)
    # Expiry comes last and always: a night without a new copy deletes the old ones all the same.
    yield _expire(options.to / "keystore", now, KEYSTORE_DAYS)
    yield _expire(options.to / "database", now, options.keep_days)


def _told(step: Iterator[str]) -> bool:
    """Do a step, saying what came of it; whether it went well."""
    try:
        for line in step:
            sys.stdout.write(f"{line}\n")
    except SQLAlchemyError as error:  # its text holds the statement
        sys.stderr.write(f"backup failed: {type(error).__name__}: {driver_error(error)}\n")
        return False
    except (OSError, ValueError, sqlite3.Error, ProgramFailed) as error:
        sys.stderr.write(f"backup failed: {type(error).__name__}: {error}\n")
        return False
    return True


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--config", type=Path, default=None, help="the settings file; else $SIGNALS_CONFIG")
    parser.add_argument("--to", type=Path, required=True, help="folder of the copies")
    parser.add_argument("--keep-days", type=int, default=14, help="for the database; 14 for keys, always")
    parser.add_argument("--journal", action="store_true", help="only the deletion journal")
    parser.add_argument(
        "--also-journal",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="another journal of this machine (the desk's beside the worker's); may be repeated",
    )
    return parser.parse_args(arguments)


def _copy(url: str, folder: Path, now: datetime) -> Iterator[str]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sqlite = make_url(url).get_backend_name() == "sqlite"
    done = folder / f"{now.astimezone(UTC).strftime(STAMP)}.{'sqlite' if sqlite else 'pgdump'}"
    unfinished = done.with_suffix(".part")
    try:
        if sqlite:
            _copy_sqlite(Path(make_url(url).database or ""), unfinished)
        else:
            _dump_postgresql(url, unfinished)
        _keep(unfinished, done)
    finally:
        unfinished.unlink(missing_ok=True)
    yield str(done)


def _note_head(url: str, folder: Path) -> Iterator[str]:
    """Add the audit trail's last signed head to those of earlier nights; nothing personal is in it.

    With it `signals audit verify --head` finds who removes the end of the trail together with its heads.
    """
    engine = create_engine(_without_writing(url), hide_parameters=True)
    try:
        with Session(engine) as session:
            head = latest_head(session)
    finally:
        engine.dispose()
    if head is None:
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / HEADS).open("a+b") as file:
        # A line that a crash cut off must not swallow this one.
        file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
        begin = b"" if file.read(1) in (b"", b"\n") else b"\n"
        file.write(begin + json.dumps(head.as_json()).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    yield str(folder / HEADS)


def _without_writing(url: str) -> URL:
    """SQLite would make a file that is not there."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return parsed
    return parsed.set(database=f"file:{quote(parsed.database or '')}", query={"mode": "ro", "uri": "true"})


def _copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy while processes write; without journal files beside it."""
    if not source.is_file():
        raise FileNotFoundError(f"{source.name} is not there")
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
        if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError(f"the copy of {source.name} is damaged")


def _dump_postgresql(url: str, target: Path) -> None:
    run_libpq("pg_dump", url, "--format=custom", f"--file={target}")


def run_libpq(program: str, url: str, *arguments: str) -> None:
    """Run a program of PostgreSQL on a database; what it says goes where our own messages go.

    Raises `ProgramFailed`, which names neither the command nor the address.
    """
    name, environment = libpq(url)
    command = [program, "--no-password", f"--dbname={name}", *arguments]
    done = subprocess.run(command, env=environment, check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - no shell
    if done.returncode:
        raise ProgramFailed(f"{program} ended with exit code {done.returncode}; why, it said itself")


class ProgramFailed(Exception):
    """A program of PostgreSQL did not do its work."""


def libpq(url: str) -> tuple[str, dict[str, str]]:
    """A database for PostgreSQL's own programs, and the environment with its password: never in `ps`."""
    parsed = make_url(url)
    environment, query = dict(os.environ), dict(parsed.query)
    passwords = [parsed.password, query.pop("password", None)]
    if password := next(filter(None, passwords), None):
        environment["PGPASSWORD"] = str(password)
    if "sslpassword" in query:
        raise SystemExit(
            "a key's password in the database's address would stand in ps: use a key without one"
        )
    # Built anew: `set(password=None)` leaves the password where it is.
    plain = URL.create(
        "postgresql",
        parsed.username,
        host=parsed.host,
        port=parsed.port,
        database=parsed.database,
        query=query,
    )
    return plain.render_as_string(hide_password=False), environment


def _copy_journal(source: Path, folder: Path, oldest: date) -> Iterator[str]:
    """The copy keeps the lines that it has and gets those that are new; it is replaced at once.

    After a restore the journal on this machine is another one, and may be shorter: what only the copy knows
    is what would come back. It goes with its day: before `oldest` no copy of the database is left.
    """
    copy = folder / source.name
    if not source.is_file() and not copy.is_file():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone(folder):  # the night's run and that of the quarter of an hour may meet
        there = _whole_lines(source)
        only_copied = dict.fromkeys(line for line in _whole_lines(copy) if not _is_over(line, oldest, there))
        unfinished = folder / f"{source.name}.part"
        unfinished.write_bytes(b"".join(only_copied | there))
        _keep(unfinished, copy)
    yield str(copy)


def _whole_lines(journal: Path) -> dict[bytes, None]:
    """Each once, in their order. What is being written at the end is in the next copy."""
    lines = journal.read_bytes().splitlines(keepends=True) if journal.is_file() else []
    return dict.fromkeys(line for line in lines if line.endswith(b"\n"))


def _is_over(line: bytes, oldest: date, there: Container[bytes]) -> bool:
    """A line of which the journal itself rid, or would have; one that cannot be read stays."""
    try:
        return line not in there and date.fromisoformat(json.loads(line)["on"]) < oldest
    except (ValueError, KeyError, TypeError):
        return False


def _keep(unfinished: Path, done: Path) -> None:
    unfinished.chmod(0o600)
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(done)


def _expire(folder: Path, now: datetime, days: int) -> Iterator[str]:
    """Delete copies older than so many days, by the moment in their names, and halves of killed runs.

    A half of today may be a run that still writes. Raises ValueError, afterwards, for files whose names tell
    no moment: nobody would ever delete them.
    """
    unknown = []
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        kept = timedelta(days=HALF_DAYS if file.suffix == ".part" else days)
        try:
            old = now - made_at(file) >= kept
        except ValueError:
            unknown.append(str(file))
            continue
        if old:
            file.unlink(missing_ok=True)  # two runs at once expire the same
            yield f"expired: {file}"
    if unknown:
        raise ValueError(f"not made by this script, so it never expires: {', '.join(unknown)}")


def made_at(file: Path) -> datetime:
    """When a copy was made. Raises ValueError for a file that is none."""
    try:
        return datetime.strptime(file.stem, STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(
            f"the name of {file.name} does not say when the copy was made: give it back the name that"
            " backup.py gave it, such as 20261124T021700Z"
        ) from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
