"""The files of SQLite databases: for their owner only, and never opened beside SQLite."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine

from privacy.keystore_schema import keystore_engine
from privacy.secret_files import for_owner_alone, make_private
from signals.db import make_engine

ANOTHER_PROCESS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(*(number for number, in connection.execute("SELECT number FROM facts ORDER BY number")))
connection.close()
"""


def test_a_new_file_and_its_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "signals.db"
    make_private(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them_and_keeps_its_content(tmp_path: Path) -> None:
    path = tmp_path / "signals.db"
    path.write_text("was here")
    path.chmod(0o644)
    make_private(path)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("was here", 0o600)


def test_files_made_meanwhile_are_for_their_owner_alone_and_later_ones_are_not(tmp_path: Path) -> None:
    outer = os.umask(0o022)
    try:
        with for_owner_alone():
            (tmp_path / "copy").touch()
        (tmp_path / "later").touch()
    finally:
        os.umask(outer)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("copy", "later")] == [0o600, 0o644]


@pytest.mark.parametrize("engine_of", [make_engine, keystore_engine])
def test_a_second_engine_of_a_process_leaves_its_locks_so_that_nothing_committed_is_lost(
    engine_of: Callable[[str], Engine], tmp_path: Path
) -> None:
    """A server opens a database for the desk and again for the jobs; then a command comes and goes."""
    path = tmp_path / "some.db"
    url = f"sqlite:///{path}"
    first = engine_of(url)
    with first.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE facts (number INTEGER)")
    second, log = engine_of(url), os.stat(f"{path}-wal")
    assert _seen_by_another_process(path) == ""
    with first.begin() as connection:
        connection.exec_driver_sql("INSERT INTO facts VALUES (1)")
    assert _seen_by_another_process(path) == "1"
    assert os.path.samestat(log, os.stat(f"{path}-wal"))
    for engine in (first, second):
        engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT number FROM facts").fetchall() == [(1,)]


def _seen_by_another_process(path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ANOTHER_PROCESS, str(path)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
