"""Back up database, keystore, deletion journals and the head of the audit trail, each into its own folder.

SQLite is copied with its own backup API, PostgreSQL with pg_dump. Copies older than the days allowed are
deleted, because a purged case must become unreadable in backups too. The master key is never copied.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Container, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from privacy.secret_files import for_owner_alone
from signals.audit.trail import latest_head
from signals.clock import SystemClock
from signals.clock_guard import require_right_clock
from signals.db import driver_error, make_engine
from signals.errors import ClockApart
from signals.operations.installation import alone
from signals.operations.libpq import ProgramFailed, run_libpq
from signals.settings import Settings

KEYSTORE_DAYS: Final = 14
"""Days that a copy of keys may exist; a promise to residents (promise 4), so no setting."""
ARCHIVE_DAYS: Final = KEYSTORE_DAYS - 1
"""A destroyed key leaves the files of PostgreSQL in the night after it (`Keystore.rewrite`)."""
UNFINISHED_DAYS: Final = 1
HEADS: Final = "heads.jsonl"
STAMP: Final = "%Y%m%dT%H%M%SZ"

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Where copies go, and which: `journal_only` for the run of every quarter of an hour.

    `also_journals` are further journals of this machine (the desk's beside the worker's). `archives` are
    folders with write-ahead logs and copies of whole servers, which PostgreSQL's own programs write.
    """

    to: Path
    keep_days: int = 14
    journal_only: bool = False
    also_journals: tuple[Path, ...] = ()
    archives: tuple[Path, ...] = ()


@for_owner_alone()
def back_up(settings: Settings, copies: Copies, now: datetime, *, tell: Tell, warn: Tell) -> bool:
    """Make the copies and delete the old ones; return whether every step succeeded.

    A step that fails is told to `warn` and stops no other step.
    """
    done = [_is_done(step, tell, warn) for step in _steps(settings, copies, now)]
    return all(done)


def made_at(file: Path) -> datetime:
    """Return when a copy was made, by its name. Raises ValueError for a file that is no copy."""
    try:
        return datetime.strptime(file.stem, STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(
            f"the name of {file.name} does not say when the copy was made: give it back the name that"
            " `signals backup` gave it, such as 20261124T021700Z"
        ) from None


def _steps(settings: Settings, copies: Copies, now: datetime) -> Iterator[Iterator[str]]:
    """Yield the steps; the keystore follows the database, so that no copied case lacks its key."""
    if not copies.journal_only:
        # First: of one night, the copy of the database never ends before the head.
        yield _note_head(settings.database.url, copies.to / "heads")
        yield _copy(settings.database.url, copies.to / "database", now)
        yield _copy(settings.keystore.url, copies.to / "keystore", now)
    right = _clock_is_right(settings.database.url)
    oldest = now.date() - timedelta(days=settings.retention.journal_days) if right else date.min
    own = settings.retention.journal_file, settings.figures.ledger_file
    for journal in (*own, *copies.also_journals):
        yield _copy_journal(journal, copies.to / "journal", oldest)
    # Last and always: a night without a new copy still deletes the old ones.
    yield _expire(copies.to / "keystore", now, KEYSTORE_DAYS, right_clock=right)
    yield _expire(copies.to / "database", now, copies.keep_days, right_clock=right)
    for archive in copies.archives:
        yield _expire_archive(archive, now, right_clock=right)


def _clock_is_right(url: str) -> bool:
    """Return whether copies may expire by this machine's clock; also while the database is away."""
    if make_url(url).get_backend_name() == "sqlite":
        return True
    engine = make_engine(url)
    try:
        require_right_clock(engine, SystemClock())
    except ClockApart:
        return False
    except SQLAlchemyError:
        return True
    finally:
        engine.dispose()
    return True


def _is_done(step: Iterator[str], tell: Tell, warn: Tell) -> bool:
    try:
        for line in step:
            tell(line)
    except SQLAlchemyError as error:  # its text holds the statement
        warn(f"backup failed: {type(error).__name__}: {driver_error(error)}")
        return False
    except (OSError, ValueError, sqlite3.Error, ProgramFailed, ClockApart) as error:
        warn(f"backup failed: {type(error).__name__}: {error}")
        return False
    return True


def _copy(url: str, folder: Path, now: datetime) -> Iterator[str]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sqlite = make_url(url).get_backend_name() == "sqlite"
    done = folder / f"{now.astimezone(UTC).strftime(STAMP)}.{'sqlite' if sqlite else 'pgdump'}"
    unfinished = done.with_suffix(".part")
    try:
        if sqlite:
            _copy_sqlite(Path(make_url(url).database or ""), unfinished)
        else:
            run_libpq("pg_dump", url, "--format=custom", f"--file={unfinished}")
        _keep(unfinished, done)
    finally:
        unfinished.unlink(missing_ok=True)
    yield str(done)


def _note_head(url: str, folder: Path) -> Iterator[str]:
    """Add the audit trail's last signed head to those of earlier nights; it holds nothing personal.

    `signals audit verify --head` finds with it that somebody removed the end of the trail with its heads.
    """
    engine = create_engine(_read_only(url), hide_parameters=True)
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


def _read_only(url: str) -> URL:
    """Return the address for reading alone: SQLite would make a file that is missing."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return parsed
    return parsed.set(database=f"file:{quote(parsed.database or '')}", query={"mode": "ro", "uri": "true"})


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database while processes write to it; the copy needs no journal files beside it."""
    if not source.is_file():
        raise FileNotFoundError(f"{source.name} is not there")
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
        if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError(f"the copy of {source.name} is damaged")


def _copy_journal(source: Path, folder: Path, oldest: date) -> Iterator[str]:
    """Add the new lines of a journal to its copy, and drop lines from before `oldest`.

    After a restore the machine's journal may be shorter. Lines that only the copy has still say which cases
    must be deleted again. Before `oldest` no copy of the database is left.
    """
    copy = folder / source.name
    if not source.is_file() and not copy.is_file():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone(folder):  # two runs at once may meet here
        there = _whole_lines(source)
        only_copied = dict.fromkeys(line for line in _whole_lines(copy) if not _is_over(line, oldest, there))
        unfinished = folder / f"{source.name}.part"
        unfinished.write_bytes(b"".join(only_copied | there))
        _keep(unfinished, copy)
    yield str(copy)


def _whole_lines(journal: Path) -> dict[bytes, None]:
    """Return each finished line once, in order; the next copy gets a line that is still being written."""
    lines = journal.read_bytes().splitlines(keepends=True) if journal.is_file() else []
    return dict.fromkeys(line for line in lines if line.endswith(b"\n"))


def _is_over(line: bytes, oldest: date, there: Container[bytes]) -> bool:
    """Return whether only the copy has this line and its day is over; an unreadable line stays."""
    try:
        return line not in there and date.fromisoformat(json.loads(line)["on"]) < oldest
    except (ValueError, KeyError, TypeError):
        return False


def _keep(unfinished: Path, done: Path) -> None:
    unfinished.chmod(0o600)
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(done)


def _expire(folder: Path, now: datetime, days: int, *, right_clock: bool) -> Iterator[str]:
    """Delete copies older than so many days, by their names, and unfinished files of killed runs.

    An unfinished file of today may belong to a run that still writes. Raises ValueError, after the rest, for
    files whose names tell no moment: nobody would ever delete them. Raises `ClockApart` under a wrong clock.
    """
    if not right_clock:
        raise ClockApart
    unknown = []
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        kept = timedelta(days=UNFINISHED_DAYS if file.suffix == ".part" else days)
        try:
            old = now - made_at(file) >= kept
        except ValueError:
            unknown.append(str(file))
            continue
        if old:
            file.unlink(missing_ok=True)  # two runs at once expire the same
            yield f"expired: {file}"
    if unknown:
        raise ValueError(f"`signals backup` did not make this, so it never expires: {', '.join(unknown)}")


def _expire_archive(archive: Path, now: datetime, *, right_clock: bool) -> Iterator[str]:
    """Delete files that PostgreSQL's programs wrote too long ago: each may hold keys that were destroyed.

    Raises `ClockApart` under a wrong clock.
    """
    if not right_clock:
        raise ClockApart
    kept_since = (now - timedelta(days=ARCHIVE_DAYS)).timestamp()
    for file in sorted(archive.rglob("*")):
        if file.is_file() and file.lstat().st_mtime < kept_since:
            file.unlink()
            yield f"expired: {file}"
