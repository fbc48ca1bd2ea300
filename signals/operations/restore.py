"""Put copies of `signals backup` back where the settings say; both places must be empty."""

import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, make_url

from privacy.secret_files import for_owner_alone
from signals.db import make_engine
from signals.keys.opening import UNFINISHED_RESTORE, KeysUnusable, open_keys
from signals.models import AccountLink, Challenge, StaffSession
from signals.operations.backup import KEYSTORE_DAYS, made_at
from signals.operations.libpq import ProgramFailed, run_libpq
from signals.settings import Settings


class RestoreRefused(Exception):
    """A copy must not be restored, or not to that place."""


class RestoreFailed(Exception):
    """A part did not go in; the text says what is in place and how to go on."""


@for_owner_alone()
def restore(settings: Settings, *, database: Path | None, keystore: Path | None, now: datetime) -> list[Path]:
    """Restore the named copies, the keystore first; return them.

    Raises `RestoreRefused` before anything is written, `RestoreFailed` when a part did not go in. Each part
    goes in whole or not at all. Afterwards the database knows no session, token or link, and nothing serves
    until the journals were replayed (`UNFINISHED_RESTORE`).
    """
    places = {"keystore": (keystore, settings.keystore.url), "database": (database, settings.database.url)}
    wanted = {name: (copy, url) for name, (copy, url) in places.items() if copy}
    for copy, url in wanted.values():
        _refuse_unfit(copy, url)
    if keystore:
        _refuse_expired(keystore, now)
    _restore_each(settings, wanted)
    return [copy for copy, _url in wanted.values()]


@for_owner_alone()
def adopt(settings: Settings, *, moment: datetime, now: datetime) -> None:
    """Let nothing serve from what PostgreSQL itself restored, until the journals were replayed.

    Raises `RestoreRefused` for keys that should not exist any more, `KeysUnusable` when the keystore is away.
    """
    if now - moment >= timedelta(days=KEYSTORE_DAYS):
        raise RestoreRefused(f"keys of {KEYSTORE_DAYS} days ago must be destroyed: choose a later moment")
    _let_nothing_serve(settings)
    _end_sign_ins(settings.database.url)


def _restore_each(settings: Settings, wanted: Mapping[str, tuple[Path, str]]) -> None:
    done: list[str] = []
    for name, (copy, url) in wanted.items():
        try:
            if name == "database":
                _let_nothing_serve(settings)  # first: the database brings back what was revoked
                _restore_one(copy, url)
                _end_sign_ins(url)
            else:
                _restore_one(copy, url)
                _let_nothing_serve(settings)
        except (RestoreRefused, KeysUnusable, OSError, sqlite3.Error, ProgramFailed) as error:
            raise RestoreFailed(_how_to_go_on(f"{name}: {error}", list(wanted), done)) from None
        done.append(name)


def _let_nothing_serve(settings: Settings) -> None:
    with open_keys(settings, after_restore=True) as keystore:
        keystore.secret(UNFINISHED_RESTORE)


def _end_sign_ins(url: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        for model in (StaffSession, AccountLink, Challenge):
            connection.execute(delete(model))
    engine.dispose()


def _how_to_go_on(problem: str, wanted: Sequence[str], done: Sequence[str]) -> str:
    text = f"not restored, the {problem}\nRestored: {', '.join(done) or 'nothing'}."
    if done:
        text += "\nSolve that, and go on with --database alone: the keystore is in its place."
    elif len(wanted) > 1:
        text += "\nIf an earlier run restored the keystore, go on with --database alone."
    return text


def _refuse_unfit(copy: Path, url: str) -> None:
    if not copy.is_file():
        raise RestoreRefused(f"{copy} is not there")
    if (make_url(url).get_backend_name() == "sqlite") != (copy.suffix == ".sqlite"):
        raise RestoreRefused(f"{copy.name} is not a copy of the kind of database that the settings name")


def _refuse_expired(copy: Path, now: datetime) -> None:
    """Refuse keys that should not exist any more: they could bring back a purged case."""
    try:
        old = now - made_at(copy) >= timedelta(days=KEYSTORE_DAYS)
    except ValueError as error:
        raise RestoreRefused(str(error)) from None
    if old:
        raise RestoreRefused(f"this copy of keys is older than {KEYSTORE_DAYS} days and must be deleted")


def _restore_one(copy: Path, url: str) -> None:
    if copy.suffix == ".sqlite":
        _restore_sqlite(copy, Path(make_url(url).database or ""))
    else:
        whole = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-acl")
        run_libpq("pg_restore", url, *whole, str(copy))


def _restore_sqlite(copy: Path, target: Path) -> None:
    """Restore a file into an empty place: SQLite would play a journal that lies there into the copy."""
    rest = [target.with_name(target.name + ending) for ending in ("", "-wal", "-shm", "-journal")]
    if any(file.exists() for file in rest):
        raise RestoreRefused(f"{target.name} is still there: move it and its -wal and -shm files away first")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.part")
    shutil.copyfile(copy, unfinished)
    unfinished.chmod(0o600)
    with closing(sqlite3.connect(unfinished)) as connection:
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise RestoreRefused(f"{copy.name} is damaged")
    unfinished.replace(target)
