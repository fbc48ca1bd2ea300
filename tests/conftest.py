"""Fixtures that every test may use: the servers and the browser; the rest lives beside its own tests."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import settings
from playwright.sync_api import expect

from tests.support.browser import launch_options
from tests.support.postgres import PostgresServer
from tests.support.templates import share_compiled_templates

# Tests are the same on every run and machine; `make soak` looks further.
settings.register_profile("seeded", derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile("soak", max_examples=20_000, deadline=None, print_blob=True)
settings.load_profile("seeded")

# As long as the pages' own patience: two browsers on two cores are slow now and then, and that is no finding.
expect.set_options(timeout=20_000)

share_compiled_templates()

_database_numbers = count(1)


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
