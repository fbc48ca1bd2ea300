"""Tests that an application and a worker close every connection that they open."""

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from signals.app import close_app, create_app, make_worker
from signals.keys.opening import KeysUnusable
from signals.vocabulary import ProcessRole
from tests.support.world import World


def open_files(folder: Path) -> set[str]:
    """Return the names of the files in a folder that this process has open."""
    files = (Path(file.path) for file in psutil.Process().open_files())
    return {file.name for file in files if file.parent == folder}


@pytest.fixture
def quiet_world(sqlite_world: World) -> World:
    """Return a world that has no connection open itself."""
    sqlite_world.keystore.dispose()
    return sqlite_world


def test_a_closed_application_has_no_file_open(quiet_world: World) -> None:
    app = create_app(replace(quiet_world.settings, role=ProcessRole.ALL), clock=quiet_world.clock)
    assert app.test_client().get("/readyz").status_code == 200
    assert open_files(quiet_world.folder) >= {"signals.db", "keystore.db"}
    close_app(app)
    assert open_files(quiet_world.folder) == set()


def test_an_application_that_cannot_start_has_no_file_open(quiet_world: World) -> None:
    key = quiet_world.settings.keystore.master_key_file
    key.write_bytes(bytes(reversed(key.read_bytes())))
    with pytest.raises(KeysUnusable):
        create_app(replace(quiet_world.settings, role=ProcessRole.ALL), clock=quiet_world.clock)
    assert open_files(quiet_world.folder) == set()


def test_a_closed_worker_has_no_file_open(quiet_world: World) -> None:
    worker = make_worker(quiet_world.settings, clock=quiet_world.clock)
    worker.arrive()
    assert open_files(quiet_world.folder) >= {"signals.db", "keystore.db"}
    worker.close()
    assert open_files(quiet_world.folder) == set()
