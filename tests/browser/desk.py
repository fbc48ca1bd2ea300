"""Social workers at their desks: real Chromium windows before the staff side."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from signals.models import Signal
from tests.browser.measures import in_both_themes
from tests.support.desk_side import PASSWORD, Desk

DONE = "p.notice--done"
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 640}
SIZES = {"desk": WIDE, "phone": PHONE}
_COUNT_PRESSES = """addEventListener("pointerdown", (event) => {
  if (event.isTrusted) sessionStorage.presses = Number(sessionStorage.presses || 0) + 1;
}, true);"""


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_args: Any) -> None:
        return None


@dataclass
class Site:
    """The staff side of a test, served to browsers; its clock stands still until a test moves it."""

    desk: Desk
    url: str

    def cookie(self, who: str) -> str:
        """A fresh session of somebody, as their browser would hold it."""
        client = self.desk.app.test_client()
        form = {"email": self.desk.people[who].email, "password": PASSWORD, "totp": self.desk.code(who)}
        assert client.post("/desk/sign-in", data=form).status_code == 303
        cookie = client.get_cookie("signals-desk")
        assert cookie is not None
        return cookie.value

    def signal(self, signal_id: UUID) -> Signal:
        """A signal with all that was done, as the database has it."""
        with Session(self.desk.engine) as session:
            found = session.get_one(Signal, signal_id)
            assert found.attempts is not None
            assert found.notes is not None
            assert found.history is not None
            return found


@contextmanager
def site_of(desk: Desk) -> Iterator[Site]:
    """Serve it on a free port, a thread for each request."""
    server = make_server("127.0.0.1", 0, desk.app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Site(desk, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@dataclass
class Window:
    """One person's browser. It counts presses of mouse or thumb, and hears what the browser complains of."""

    site: Site
    browser: Browser
    who: str = ""
    size: dict[str, int] = field(default_factory=lambda: dict(WIDE))
    options: dict[str, Any] = field(default_factory=dict)
    context: BrowserContext = field(init=False)
    page: Page = field(init=False)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        touch = {"has_touch": True, "is_mobile": True} if self.size == PHONE else {}
        options = {"locale": "nl-NL", "viewport": self.size, **touch, **self.options}
        self.context = self.browser.new_context(**options)
        self.context.set_default_timeout(15_000)
        if options.get("java_script_enabled", True):
            self.context.add_init_script(_COUNT_PRESSES)
        if self.who:
            self.sign_in_unseen()
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)

    def sign_in_unseen(self) -> None:
        """A session without the form."""
        cookie = {"name": "signals-desk", "value": self.site.cookie(self.who), "url": self.site.url}
        self.context.add_cookies([cookie])  # type: ignore[list-item]

    def sign_in(self, who: str) -> None:
        """Fill in the form that is shown, with the keyboard."""
        self.page.fill("#sign-in-email", self.site.desk.people[who].email)
        self.page.fill("#sign-in-password", PASSWORD)
        self.page.fill("#sign-in-totp", self.site.desk.code(who))
        self.page.press("#sign-in-totp", "Enter")
        self.page.wait_for_load_state()

    def open(self, path: str = "/desk") -> Page:
        self.page.goto(self.site.url + path)
        return self.page

    def open_signal(self, signal_id: UUID) -> Page:
        return self.open(f"/desk/signals/{signal_id}")

    def claim(self, signal_id: UUID) -> Page:
        """Open a new signal and claim it; the page says that it is done."""
        self.open_signal(signal_id)
        self.press(self.page.get_by_role("button", name="Dit signaal oppakken"))
        expect(self.page.locator(DONE)).to_have_text("U hebt dit signaal opgepakt.")
        return self.page

    def tried(self, result: str, how: str = "Huisbezoek") -> None:
        """Note an attempt at the open signal; the page says that it is saved."""
        self.press_attempt(result, how)
        expect(self.page.locator(DONE)).to_have_text("De poging is opgeslagen.")

    def press_attempt(self, result: str, how: str = "Huisbezoek") -> None:
        """Press the tile and the button of an attempt, and look at no result."""
        self.press(self.page.locator("form[action*='contact-attempts'] .tile", has_text=how))
        self.press(self.page.get_by_role("button", name=result))

    def ended(self, how: str, *answers: str) -> None:
        """Conclude the open signal by its tiles; the page says that it is done."""
        for tile in (how, *answers):
            self.press(self.page.locator("form[action*='/conclude'] .tile", has_text=tile))
        self.press(self.page.get_by_role("button", name="Dit signaal afronden"))
        expect(self.page.locator(DONE)).to_have_text("Het signaal is afgerond.")

    def press(self, place: Locator) -> None:
        """Press with the mouse, or on a phone with a thumb."""
        place.tap() if self.size == PHONE else place.click()
        self.loaded()

    def presses(self) -> int:
        """Return how often somebody pressed since the window opened or since `begin_counting`."""
        return int(self.loaded().evaluate("Number(sessionStorage.presses || 0)"))

    def begin_counting(self) -> None:
        self.loaded().evaluate("sessionStorage.removeItem('presses')")

    def loaded(self) -> Page:
        """The page once it is all there. A click ends when the next page's head is in: until its first
        byte it has no root element, and whoever looks then looks at nothing."""
        self.page.wait_for_load_state()
        return self.page

    def axe(self) -> list[str]:
        """Return the violations that axe finds on the page, in the light theme and in the dark one."""
        return [
            f"{theme} {one['id']}: {node['html'][:120]}"
            for theme, found in in_both_themes(self.loaded())
            for one in found.response["violations"]
            for node in one["nodes"]
        ]

    def wider_than_the_screen(self) -> list[str]:
        """Return the elements that make people scroll sideways."""
        found: list[str] = self.loaded().evaluate(
            """() => {  // not innerWidth: on a phone it grows with what is too wide
              const { scrollWidth, clientWidth } = document.documentElement;
              return scrollWidth <= clientWidth ? [] : [...document.querySelectorAll("body *")]
                .filter((one) => one.getBoundingClientRect().right > clientWidth + 1)
                .map((one) => one.outerHTML.slice(0, 100)).concat(`${scrollWidth} px`);
            }"""
        )
        return found

    def check_looks(self) -> None:
        """Check that nobody scrolls sideways, and that axe finds nothing wrong."""
        assert self.wider_than_the_screen() == []
        if self.options.get("java_script_enabled", True):
            assert self.axe() == []

    def _heard(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def close(self) -> None:
        self.context.close()
