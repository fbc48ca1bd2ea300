"""Fixtures that every test may use: the servers and the browser; the rest lives beside its own tests."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from playwright.sync_api import expect

from signals.operations.heartbeats import HEARTBEATS
from tests.support.addresses import share_compiled_addresses
from tests.support.browser import launch_options
from tests.support.desk_fixtures import audit, by, clock, keys, migrated_file, session, sqlite_engine, team
from tests.support.fences import fenced_database, fenced_world
from tests.support.postgres import PostgresServer
from tests.support.statements import share_compiled_statements
from tests.support.templates import share_compiled_templates
from tests.support.world_fixtures import (
    catalogues,
    database_url,
    log,
    postgres_template,
    postgres_world,
    postgres_world_url,
    sqlite_world,
    template,
    world,
)

__all__ = [
    "audit",
    "by",
    "catalogues",
    "clock",
    "database_url",
    "fenced_database",
    "fenced_world",
    "keys",
    "log",
    "migrated_file",
    "postgres_template",
    "postgres_world",
    "postgres_world_url",
    "session",
    "sqlite_engine",
    "sqlite_world",
    "team",
    "template",
    "world",
]

# Tests are the same on every run and machine; `make soak` looks further.
settings.register_profile("seeded", derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile("soak", max_examples=20_000, deadline=None, print_blob=True)
settings.load_profile("seeded")

IN_MEMORY = Path("/dev/shm")


def _roomy(folder: Path) -> bool:
    """Whether a folder has 2 GiB for the tests' databases, and lets programs run from it."""
    if not folder.is_dir() or shutil.disk_usage(folder).free < 2 << 30:
        return False
    return not os.statvfs(folder).f_flag & os.ST_NOEXEC


# Tests write thousands of databases durably: keep them in memory if there is room, until the test passes.
if _roomy(IN_MEMORY):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))

# Wait as the pages do: two browsers on two cores are slow now and then, and that is no finding.
expect.set_options(timeout=20_000)

share_compiled_addresses()
share_compiled_statements()
share_compiled_templates()

_database_numbers = count(1)
_tests_ended = count()

FILLED = {"template", "installation", "postgres_server", "browser"}
"""Fixtures that take a tenth of a second for each test or more: `make check` leaves their tests out."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage while half a million objects are made that stay, and never look through them again.

    The look took a fifth of the time of all tests.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Set aside every hundred tests what stays for good: to look through it again took a tenth."""
    if next(_tests_ended) % 100 == 0:
        gc.collect()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test that needs a filled database or an application as `system`, and begin with slow files.

    A long file that comes last lets the other processes wait for it.
    """
    for item in items:
        if FILLED.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("system")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def nothing_is_expected_of_later_tests() -> Iterator[None]:
    """Forget which jobs this process should do again: ten minutes later every `/readyz` here missed them."""
    yield
    HEARTBEATS._expected.clear()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL, one for each test process, without durability."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The SQLAlchemy url of an empty database of the test's own."""
    name = f"test_{next(_database_numbers)}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """pytest-playwright's hook for how the browser starts: the machine's own Chromium."""
    return launch_options()
