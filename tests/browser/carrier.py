"""A carrier's phone in a real Chromium of 360 x 640, before the real server, on a network that can break."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route, expect

from signals.vocabulary import ProcessRole
from tests.browser.faults import FaultProxy, faults_before
from tests.support.browser import launch_options
from tests.support.serving import serving
from tests.support.world import World, make_world

SIZE = {"width": 360, "height": 640}
SENT = re.compile(r"Verstuurd naar .*\. Dank u wel\.")
SAVED = re.compile(r"Opgeslagen, nog niet verstuurd\.")
WAITING = "Nog niet verstuurd: {}"

PREFILLED = "/m#pc=1012AB&hn=12&ad=A"
"""The link of the work app."""

KEPT_IN_THE_BROWSER = "localStorage.length + sessionStorage.length"


@dataclass
class Service:
    """The server of a world, and the breakable network before it."""

    world: World
    port: int
    proxy: FaultProxy

    @property
    def url(self) -> str:
        return self.proxy.url

    def stored(self) -> int:
        """Return how many reports the database has."""
        return len(self.world.sealed())


@contextmanager
def service_on(template: Path, folder: Path) -> Iterator[Service]:
    """The public side alone, as a carrier meets it: no jobs that take reports away from under the count."""
    world = make_world(template, folder)
    try:
        with serving(world, role=ProcessRole.FRONT) as served, faults_before(served.port) as proxy:
            yield Service(world, served.port, proxy)
    finally:
        world.close()


@dataclass
class Phone:
    """A browser with storage of its own. With a `folder` it is a process of its own, which may be killed."""

    service: Service
    browser: Browser | None = None
    playwright: Playwright | None = None
    folder: Path | None = None
    language: str = "nl-NL"
    options: dict[str, Any] = field(default_factory=dict)
    context: BrowserContext = field(init=False)
    page: Page = field(init=False)
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start it; with a folder, on the storage of the time before."""
        options = {
            "viewport": SIZE,
            "locale": self.language,
            "has_touch": True,
            "is_mobile": True,
            "permissions": ["clipboard-read", "clipboard-write"],
            **self.options,
        }
        if self.folder:
            assert self.playwright
            self.context = self.playwright.chromium.launch_persistent_context(
                str(self.folder), **launch_options(), **options
            )
        else:
            assert self.browser
            self.context = self.browser.new_context(**options)
        self.context.set_default_timeout(15_000)
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.page = self.context.pages[0] if self.context.pages else self.context.new_page()
        self._hear()

    def kill(self) -> None:
        """End the browser as a phone does that runs out of memory: at once, with nothing put in order."""
        for process in psutil.process_iter(["cmdline"]):
            if f"--user-data-dir={self.folder}" in (process.info["cmdline"] or []):
                process.kill()
                process.wait(10)

    def _hear(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def open(self, path: str = "/") -> Page:
        self.page.goto(self.service.url + path)
        return self.page

    def open_for_offline(self, path: str = "/") -> Page:
        """The first visit, until the page is kept for without network."""
        self.open(path)
        self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        wait_until(self.page, "navigator.serviceWorker.controller !== null")
        return self.page

    def offline(self, off: bool = True) -> None:
        """No reception; the proxy is down too, for the service worker's own requests."""
        self.service.proxy.down = off
        self.context.set_offline(off)

    def fill(self, postcode: str = "1012 AB", number: str = "12", addition: str = "") -> None:
        self.page.fill("#postcode", postcode)
        self.page.fill("#house_number", number)
        if addition:
            self.page.fill("#house_number_addition", addition)

    def press_send(self) -> None:
        self.page.locator(".send .button").tap()

    def close_tab(self) -> None:
        """The tab goes, and a new one comes."""
        fresh = self.context.new_page()
        self.page.close()
        self.page = fresh
        self._hear()

    def close(self) -> None:
        self.context.close()

    def waiting(self) -> int:
        """Return how many reports the database of the phone has."""
        return int(self.page.evaluate("signalsQueue.reports().then((all) => all.length)"))

    def open_list(self) -> None:
        """Open the list below the line that counts what happened meanwhile."""
        self.page.locator("[data-open]").tap()
        expect(self.page.locator("#told")).to_be_visible()

    def expect_sent(self) -> None:
        expect(self.page.locator("#answer h1")).to_have_text(SENT)

    def expect_saved(self) -> None:
        expect(self.page.locator("#answer h1")).to_have_text(SAVED)

    def expect_nothing_waits(self) -> None:
        self.until("signalsQueue.reports().then((all) => all.length === 0)")

    def until(self, expression: str) -> None:
        """Until an expression, or what it promises, is true; Playwright's own wait takes a promise for it."""
        deadline = time.monotonic() + 20
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, expression
            self.page.wait_for_timeout(30)


MakePhone = Callable[..., Phone]


def put_waiting(
    phone: Phone, *, body: dict[str, object], key: str = "", days: float = 0, guessed: bool = False
) -> None:
    """A report that waits since some days, put there without anybody hearing of it.

    In turn with the page, which may not have looked yet for what waits when it was opened: it would send it.
    """
    phone.page.evaluate(
        """([key, body, age, guessed]) => navigator.locks.request("signals-flush", async () => {
          await (await idb.openDB("signals")).put("reports", {
            key, body: JSON.stringify(body), language: "nl", created: Date.now() - age, guessed,
            tries: 3, next: Date.now() + 3600000, asked: false, state: "waiting", why: "offline",
          });
        })""",
        [key or str(uuid.uuid4()), body, days * 86_400_000, guessed],
    )


def name_receivers(page: Page, *, name: str, covered: bool = True) -> None:
    """Let the service call every receiver by this name; nobody signs names."""

    def renamed(route: Route) -> None:
        answer = route.fetch()
        found = answer.json()
        for organisation in found["organisations"]:
            organisation |= {"name": name, "kind": "ggd" if covered else "national"}
        route.fulfill(response=answer, json=found)

    page.route("**/mailboxes/lookup", renamed)


def wait_until(page: Page, condition: str, seconds: float = 30) -> None:
    """Wait for a condition in the page; Playwright's own way evals in the page, which its policy forbids."""
    for _ in range(int(seconds * 20)):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)
