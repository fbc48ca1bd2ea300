"""Fixtures of the desk's browser tests: a served staff side, and windows of its people."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from signals.clock import FixedClock
from signals.db import make_engine
from signals.settings import SessionsSettings
from signals.vocabulary import ProcessRole
from tests.browser.desk import Site, Window, site_of
from tests.support.desk_side import QUICK, Desk, desk_of
from tests.support.installations import NOW, Installation, settings_of

OpenWindow = Callable[..., Window]


@contextmanager
def desk_in(folder: Path, made: Installation) -> Iterator[Desk]:
    """A desk for all tests of a module: each has signals of its own, and none may need the time of day."""
    shutil.copytree(made.folder, folder, dirs_exist_ok=True)
    sessions = SessionsSettings(password_memory_kib=QUICK.memory_kib)
    settings = replace(settings_of(folder, made.root_public_key), role=ProcessRole.ALL, sessions=sessions)
    database = make_engine(settings.database.url)
    try:
        with desk_of(settings, database, FixedClock(NOW), made.people) as shared:
            yield shared
    finally:
        database.dispose()


@pytest.fixture
def site(desk: Desk) -> Iterator[Site]:
    """The staff side, served."""
    with site_of(desk) as served:
        yield served


@pytest.fixture
def window(browser: Browser, site: Site) -> Iterator[OpenWindow]:
    """Opens windows: `window("anna")` is Anna's, signed in; none may end with complaints of the browser."""
    opened: list[Window] = []

    def open_window(who: str = "", **values: Any) -> Window:
        opened.append(Window(site, browser, who, **values))
        return opened[-1]

    yield open_window
    for one in opened:
        one.close()
    complaints = [words for one in opened for words in one.complaints]
    assert complaints == [], complaints
