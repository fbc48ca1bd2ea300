"""The PostgreSQL that the other tests stand on does what they rely on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import postgres_programs as programs
from tests.support.postgres import DURABLE, PostgresServer

pytestmark = pytest.mark.postgres


def _alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_a_durable_server_keeps_the_promises_of_production() -> None:
    with PostgresServer(durable=True) as server:
        settings = [server.execute(f"SHOW {name}") for name in DURABLE]
    assert settings == ["on", "on", "on"]


@pytest.mark.slow
def test_after_a_failure_neither_process_nor_folder_is_left() -> None:
    with pytest.raises(ZeroDivisionError), PostgresServer() as server:  # noqa: PT012 - the block is the subject
        process_id, home = server.process_id, server.data_folder.parent
        raise ZeroDivisionError
    assert not _alive(process_id)
    assert not home.exists()


@pytest.mark.slow
def test_programs_in_a_folder_that_its_account_cannot_enter_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = tmp_path / "hidden"
    package = programs._installed_package()
    shutil.copytree(package / "pginstall", hidden / package.name / "pginstall")
    shutil.copytree(package.with_name(f"{package.name}.libs"), hidden / f"{package.name}.libs")
    monkeypatch.setattr(programs, "_installed_package", lambda: hidden / package.name)
    monkeypatch.setattr(programs, "_can_run", _refusing(hidden))
    with PostgresServer() as server:
        assert server._bin.is_relative_to(server.data_folder.parent)
        assert server.execute("SELECT 1") == "1"


def _refusing(folder: Path) -> Callable[[list[str], programs.Account], bool]:
    """Answer as the system does for a folder that the account may not enter."""
    original = programs._can_run
    return lambda command, account: not command[0].startswith(str(folder)) and original(command, account)
