"""Test the file of deletions: whole lines, its owner, and the lines that a run writes and drops."""

import fcntl
import os
import uuid
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from signals.clock import today
from signals.retention.journal import Deletion, DeletionJournal, NoJournal
from signals.vocabulary import DeletionReason
from tests.support.retention import arrived, retention_of
from tests.support.world import World


def test_the_journal_survives_a_line_cut_off_by_a_crash(tmp_path: Path) -> None:
    journal = DeletionJournal(tmp_path / "deletions.journal")
    whole = Deletion(case_key_id=uuid.UUID(int=7), on=date(2026, 11, 24), reason=DeletionReason.ERASURE)
    journal.append([whole])
    with (tmp_path / "deletions.journal").open("a") as file:
        file.write('{"key": "0000')
    assert list(journal.deletions()) == [whole]
    journal.append([whole])
    assert list(journal.deletions()) == [whole, whole], "what was cut off swallows nothing"


@pytest.mark.parametrize(
    "text",
    ["garbage\n", '{"key": "x", "on": "2026-11-27"}\n', '{"position": 3, "link": "00"}\n', "\udcff\udcfe"],
)
def test_a_file_that_is_no_journal_is_refused_and_not_passed_over(tmp_path: Path, text: str) -> None:
    """Replaying a wrong file would bring back deleted data."""
    path = tmp_path / "wrong.journal"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(NoJournal, match=r"wrong\.journal.*line 1"):
        list(DeletionJournal(path).deletions())


@pytest.mark.parametrize("text", ["", "{", '{"key": "0000'])
def test_a_journal_with_a_cut_off_first_line_is_accepted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "deletions.journal"
    path.write_text(text)
    assert list(DeletionJournal(path).deletions()) == []


def test_the_journal_drops_deletions_that_no_backup_holds(tmp_path: Path) -> None:
    path = tmp_path / "deletions.journal"
    journal = DeletionJournal(path)
    old, last = (_deletion(number, date(2026, 11, 20 + number)) for number in (1, 2))
    assert journal.forget(before=date(2026, 11, 22)) == 0
    journal.append([old, last])
    assert journal.forget(before=date(2026, 11, 22)) == 1
    assert list(journal.deletions()) == [last]
    assert (path.stat().st_mode & 0o777, [file.name for file in tmp_path.iterdir()]) == (0o600, [path.name])


def test_a_writer_that_waited_writes_to_the_replaced_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process replaces the file while this one waits for the lock."""
    path = tmp_path / "deletions.journal"
    journal, kept, new = (
        DeletionJournal(path),
        _deletion(1, date(2026, 11, 21)),
        _deletion(2, date(2026, 11, 22)),
    )
    journal.append([kept])
    wait = fcntl.flock
    turns = iter([True])

    def replaced_meanwhile(file: Any, operation: int) -> None:
        if next(turns, False):
            path.with_name("new").write_bytes(path.read_bytes())
            path.with_name("new").replace(path)
        wait(file, operation)

    monkeypatch.setattr(fcntl, "flock", replaced_meanwhile)
    journal.append([new])
    assert list(journal.deletions()) == [kept, new]


WORKER_ACCOUNT = 61_184
"""The user id of a service's account, as systemd gives it."""


@pytest.fixture
def folder_of_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, list[tuple[int, int]]]:
    """Return a folder of the worker in a process of root, and the owners that new files get.

    The person who runs the tests need not be root: refused calls are recorded and not made.
    """
    given: list[tuple[int, int]] = []
    real = Path.stat

    def stat(self: Path, **options: Any) -> os.stat_result:
        found = list(real(self, **options))
        if self == tmp_path:
            found[4], found[5] = WORKER_ACCOUNT, WORKER_ACCOUNT
        return os.stat_result(found)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda _descriptor, user, group: given.append((user, group)))
    monkeypatch.setattr(Path, "stat", stat)
    return tmp_path, given


def test_a_journal_made_by_root_belongs_to_the_owner_of_its_folder(
    folder_of_the_worker: tuple[Path, list[tuple[int, int]]],
) -> None:
    folder, given = folder_of_the_worker
    journal = DeletionJournal(folder / "worker.journal")
    journal.append([_deletion(1, date(2026, 11, 24))])
    assert given == [(WORKER_ACCOUNT, WORKER_ACCOUNT)]
    journal.append([_deletion(2, date(2026, 11, 25))])
    assert len(given) == 1, "what is there keeps its owner"
    journal.forget(before=date(2026, 11, 25))
    now = (folder / "worker.journal").stat()
    assert given[1:] == [(now.st_uid, now.st_gid)], "the pruned journal keeps its owner"
    assert now.st_mode & 0o777 == 0o600


def test_root_gives_nothing_away_that_a_link_points_to(
    folder_of_the_worker: tuple[Path, list[tuple[int, int]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The service's account must not get root's files through a link in its folder."""
    folder, given = folder_of_the_worker
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "of_root"
    elsewhere.touch()
    (folder / "worker.journal").symlink_to(elsewhere)
    DeletionJournal(folder / "worker.journal").append([_deletion(1, date(2026, 11, 24))])
    assert given == []


@pytest.mark.parametrize("kept_days", [729, 730])
def test_a_run_ends_the_lines_of_the_journal_after_their_days(world: World, kept_days: int) -> None:
    journal = DeletionJournal(world.settings.retention.journal_file)
    journal.append([_deletion(1, today(world.clock) - timedelta(days=730))])
    settings = replace(world.settings.retention, journal_days=kept_days)
    world.worker(retention=settings).retention().run(world.clock)
    assert len(list(journal.deletions())) == kept_days - 729


def test_an_erasure_ends_the_lines_of_the_journal_of_its_own_machine(world: World) -> None:
    journal = DeletionJournal(world.settings.retention.journal_file)
    journal.append([_deletion(1, today(world.clock) - timedelta(days=731))])
    retention_of(world).purge_now(world.clock, [arrived(world)], DeletionReason.ERASURE)
    assert [deletion.reason for deletion in journal.deletions()] == [DeletionReason.ERASURE]


def _deletion(number: int, on: date) -> Deletion:
    return Deletion(case_key_id=uuid.UUID(int=number), on=on)
