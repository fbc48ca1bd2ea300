"""Fixtures of the browser tests: a server for each module, a phone for each test."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.browser.carrier import MakePhone, Phone, Service, service_on
from tests.browser.depot import depot
from tests.browser.desk_fixtures import site, window
from tests.support.app_fixtures import clock, engine, front_settings, installation, people
from tests.support.desk_side import desk, desk_settings, signal_id

__all__ = [
    "clock",
    "depot",
    "desk",
    "desk_settings",
    "engine",
    "front_settings",
    "installation",
    "people",
    "signal_id",
    "site",
    "window",
]

_numbers = count(1)


@pytest.fixture(scope="module")
def running(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The public side, shared by the tests of a module."""
    with service_on(template, tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture
def service(running: Service) -> Iterator[Service]:
    """The same with a whole network."""
    running.proxy.plan()
    running.proxy.down = running.proxy.portal = running.proxy.silent = False
    running.proxy.slow, running.proxy.replace = 0.0, None
    running.proxy.sent_keys.clear()
    running.proxy.seen_paths.clear()
    running.proxy.passed.clear()
    yield running
    running.proxy.plan()


@pytest.fixture
def make_phone(
    playwright: Playwright, browser: Browser, service: Service, tmp_path: Path
) -> Iterator[MakePhone]:
    """Makes phones, `own_process=True` for one that may be killed; every one is closed afterwards."""
    made: list[Phone] = []

    def make(*, own_process: bool = False, **values: Any) -> Phone:
        folder = tmp_path / f"phone-{next(_numbers)}" if own_process else None
        phone = Phone(service, browser, playwright, folder, **values)
        made.append(phone)
        return phone

    yield make
    for phone in made:
        phone.close()


@pytest.fixture
def phone(make_phone: MakePhone) -> Phone:
    """A phone in Dutch."""
    return make_phone()


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """Collect the errors of the browser: failed scripts, and loads that the policy blocked."""
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    return heard
