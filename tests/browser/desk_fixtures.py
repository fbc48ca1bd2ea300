"""Fixtures of the desk's browser tests: a served staff side, and windows of its people."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from tests.browser.desk import Site, Window, site_of
from tests.web.conftest import clock, engine, front_settings, installation  # noqa: F401  (fixtures)
from tests.web.desk_fixtures import Desk, desk, desk_settings  # noqa: F401  (fixtures)

OpenWindow = Callable[..., Window]


@pytest.fixture
def site(desk: Desk) -> Iterator[Site]:  # noqa: F811
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


@pytest.fixture
def signal_id(desk: Desk) -> UUID:  # noqa: F811
    """A new signal of Anna's and Bram's team."""
    return desk.arrive(concern_types=["frail"], seen="once")
