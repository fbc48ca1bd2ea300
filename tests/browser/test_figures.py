"""Figures in a real Chromium, on a phone and on a desk: axe, room, keyboard, no scripts, forced colours."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from signals.models import StaffMember
from signals.settings import ServerSettings
from signals.staff.sessions import open_session
from signals.vocabulary import ProcessRole, Role
from signals.web.staff_kit.auth import COOKIE
from tests.browser.measures import in_both_themes
from tests.support.comparisons import begin, store_result
from tests.support.publications import publish, store_own_year, year_of
from tests.support.world import AMSTERDAM, World, make_world

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIZES = {"phone": (360, 640), "desk": (1280, 800)}
PAGES = (
    "/figures",
    "/figures?lang=en",
    "/figures/releases",
    "/figures/releases/2025-Q3",
    "/figures/releases/2025",
    "/figures/releases/2024-2025",
    "/figures/method",
    "/figures/comparisons",
    "/figures/comparisons/C001",
    "/figures/comparisons/new",
)


@dataclass(frozen=True, kw_only=True)
class Site:
    """A desk at localhost with releases, and the sessions of a coordinator and of a lead."""

    url: str
    sessions: dict[Role, str]

    def open(self, browser: Browser, size: str, role: Role = Role.COORDINATOR, **options: object) -> Page:
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, **options)  # type: ignore[arg-type]
        context.add_cookies([{"name": COOKIE, "value": self.sessions[role], "url": self.url}])
        return context.new_page()


@pytest.fixture(scope="module")
def site(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    world = make_world(template, tmp_path_factory.mktemp("figures"))
    quarters = [f"{year}-Q{number}" for year in (2024, 2025) for number in (1, 2, 3, 4)]
    publish(world.engine, [*quarters, "2024", "2025"], year_of(600, twente=0.7))
    store_own_year(world.engine, AMSTERDAM, "2025")
    begin(world, teams=())
    store_result(world.engine, {"visit_first": (40, 20, 180, 50), "card_first": (90, 20, 150, 30)})
    server = make_server("127.0.0.1", 0, lambda _environ, _start: [], threaded=True)
    url = f"http://localhost:{server.server_port}"
    server.app = world.app(ProcessRole.DESK, server=ServerSettings(public_url=url))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(url=url, sessions={role: _session(world, role) for role in (Role.COORDINATOR, Role.LEAD)})
    server.shutdown()
    thread.join()
    server.server_close()
    world.close()


def _session(world: World, role: Role) -> str:
    member_id = world.staff(AMSTERDAM, role).id
    with world.sessions.begin() as session:
        member = session.get_one(StaffMember, member_id)
        token, _opened = open_session(session, member, "page", world.clock.now(), timedelta(hours=8))
    return token


@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_the_page_is_never_wider_than_the_screen(
    browser: Browser, site: Site, size: str
) -> None:
    page = site.open(browser, size)
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    for path in PAGES:
        _refuse_to_find_anything(page, site.url + path, SIZES[size][0])
    page.context.close()
    own = site.open(browser, size, Role.LEAD)
    own.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    _refuse_to_find_anything(own, f"{site.url}/desk/figures", SIZES[size][0])
    own.context.close()
    assert heard == []


def _refuse_to_find_anything(page: Page, url: str, width: int) -> None:
    page.goto(url)
    for summary in page.locator("summary:visible").all():
        summary.click()
    for theme, found in in_both_themes(page):
        assert found.response["violations"] == [], (url, theme, found.generate_report())
    assert page.evaluate("document.documentElement.scrollWidth") <= width, url


def test_a_phone_folds_the_table_of_a_chart_and_a_desk_shows_it_beside_the_chart(
    browser: Browser, site: Site
) -> None:
    for size, is_folded in (("phone", True), ("desk", False)):
        page = site.open(browser, size, java_script_enabled=False)
        page.goto(f"{site.url}/figures?lang=nl")
        section = page.locator("section[aria-labelledby=attempts]")
        table, fold = section.get_by_role("table"), section.get_by_text("De getallen als tabel")
        expect(section.get_by_role("img")).to_be_visible()
        if is_folded:
            expect(table).to_be_hidden()
            fold.click()
        else:
            expect(fold).to_be_hidden()
        expect(table).to_be_visible()
        page.context.close()


def test_the_overview_is_not_endless_on_a_phone(browser: Browser, site: Site) -> None:
    page = site.open(browser, "phone")
    page.goto(f"{site.url}/figures")
    assert page.evaluate("document.documentElement.scrollHeight") < 7_500
    page.context.close()


def test_everything_to_press_on_a_phone_has_room_for_a_finger(browser: Browser, site: Site) -> None:
    page = site.open(browser, "phone")
    for path in PAGES:
        page.goto(site.url + path)
        small = page.evaluate(
            """() => [...document.querySelectorAll('a, button, summary, select')]
              .filter((one) => one.checkVisibility() && !one.matches('.skip'))
              .filter((one) => one.getBoundingClientRect().height < 24)
              .map((one) => one.outerHTML.slice(0, 80))"""
        )
        assert small == [], path
    page.context.close()


def test_the_reliability_note_opens_by_keyboard(browser: Browser, site: Site) -> None:
    page = site.open(browser, "phone")
    page.goto(f"{site.url}/figures")
    summary = page.locator("summary", has_text="Hoe betrouwbaar is dit?").first
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details[open] .inside").first).to_contain_text("wat ruis")
    page.context.close()


def test_a_chart_is_announced_by_name_with_its_numbers(browser: Browser, site: Site) -> None:
    page = site.open(browser, "desk")
    page.goto(f"{site.url}/figures/releases/2025")
    chart = page.get_by_role("img", name="Welke poging leidt tot contact?")
    expect(chart).to_have_count(1)
    expect(chart).to_have_accessible_description(
        re.compile(
            "^Eerste poging, Huisbezoek: 20%;.*Via iemand anders: hier is nog te weinig over te zeggen"
        )
    )
    page.context.close()


def test_in_forced_colours_a_chart_takes_the_readers_colours(browser: Browser, site: Site) -> None:
    page = site.open(browser, "desk", forced_colors="active")
    page.goto(f"{site.url}/figures/releases/2024-2025")
    told = page.evaluate(
        """() => {
          const probe = document.createElement('p');
          document.querySelector('main').append(probe);
          const fill = (one) => getComputedStyle(document.querySelector(one)).fill;
          const text = getComputedStyle(probe).color;
          return [text, fill('.chart text'), fill('.chart .dot'), fill('.chart .higher')];
        }"""
    )
    assert len(set(told)) == 1
    page.context.close()
