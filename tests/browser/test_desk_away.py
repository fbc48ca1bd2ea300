"""A real PostgreSQL that ends while somebody works: nothing typed is lost, and the work goes on after it."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from playwright.sync_api import expect

from signals.settings import SessionsSettings
from signals.vocabulary import ProcessRole
from tests.browser.desk import SIZES, Site, Window
from tests.browser.desk_fixtures import OpenWindow
from tests.support.desk_side import QUICK, Desk, add_people, desk_of
from tests.support.postgres import PostgresServer
from tests.support.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.postgres]

TYPED = 'Mevrouw zei: "kom <later> terug".\nDochter bellen.'


@pytest.fixture
def desk(postgres_world: World) -> Iterator[Desk]:
    """Make a desk on PostgreSQL, as in production, with the keystore in a file of its own."""
    sessions = SessionsSettings(password_memory_kib=QUICK.memory_kib)
    settings = replace(postgres_world.settings, role=ProcessRole.ALL, sessions=sessions)
    with postgres_world.sessions.begin() as session:
        people = add_people(session, postgres_world.clock, postgres_world.keystore)
    with desk_of(settings, postgres_world.engine, postgres_world.clock, people) as made:
        yield made


@pytest.mark.parametrize("size", SIZES)
def test_while_the_database_is_away_nothing_typed_is_lost_and_then_the_work_goes_on(
    site: Site, window: OpenWindow, signal_id: UUID, postgres_server: PostgresServer, size: str
) -> None:
    anna = window("anna", size=SIZES[size], options={"java_script_enabled": size == "desk"})
    page = anna.claim(signal_id)
    anna.tried("Geen gehoor")
    page.locator("summary", has_text="Notitie toevoegen").click()
    page.fill("#notes-text", TYPED)
    with postgres_server.away():
        anna.press(page.get_by_role("button", name="Notitie opslaan"))
        _says_try_again(anna)
        expect(page.locator("dd.typed")).to_have_text(TYPED, use_inner_text=True)
        anna.press(page.get_by_role("button", name="Opnieuw versturen"))
        _says_try_again(anna)
        other = window(options={"java_script_enabled": False})
        other.context.add_cookies(anna.context.cookies())  # type: ignore[arg-type]
        other.open()
        _says_try_again(other)
        assert other.page.locator(".signal__address, #rows").count() == 0
    anna.press(page.get_by_role("button", name="Opnieuw versturen"))
    expect(page.locator(".timeline .typed")).to_have_text(TYPED, use_inner_text=True)
    other.press(other.page.get_by_role("link", name="Opnieuw proberen"))
    expect(other.page.locator(".entry")).to_have_count(1)
    found = site.signal(signal_id)
    assert (len(found.notes), len(found.attempts)) == (1, 1)


def _says_try_again(one: Window) -> None:
    expect(one.page.get_by_role("heading", level=1)).to_have_text("Nu even niet bereikbaar")
    expect(
        one.page.get_by_text("Er is niets veranderd. Probeer het over een minuut opnieuw.")
    ).to_be_visible()
    if one.options.get("java_script_enabled", True):
        assert (one.axe(), one.wider_than_the_screen()) == ([], [])
