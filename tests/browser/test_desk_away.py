"""Database or keystore really away while somebody works: nothing is half done, nothing typed is lost, and the
work goes on once it is back. A real PostgreSQL that is ended, and a keystore's file that is gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import expect

from signals.settings import SessionsSettings
from signals.vocabulary import AttemptResult, ProcessRole
from signals.web.staff_kit.context import EXTENSION, DeskContext
from tests.browser.desk import DONE, SIZES, Site, Window
from tests.browser.desk_fixtures import OpenWindow
from tests.support.desk_side import QUICK, Desk, add_people, desk_of
from tests.support.postgres import PostgresServer
from tests.support.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.postgres]

TYPED = 'Mevrouw zei: "kom <later> terug".\nDochter bellen.'


@pytest.fixture
def desk(postgres_world: World) -> Iterator[Desk]:
    """On PostgreSQL, as in production; the keystore is a file of its own."""
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
    expect(other.page.locator("#rows tr")).to_have_count(1)
    found = site.signal(signal_id)
    assert (len(found.notes), len(found.attempts)) == (1, 1)


def test_an_attempt_made_while_the_database_is_away_is_shown_in_words_and_saved_once(
    site: Site, window: OpenWindow, signal_id: UUID, postgres_server: PostgresServer
) -> None:
    anna = window("anna")
    page = anna.claim(signal_id)
    with postgres_server.away():
        anna.press_attempt("Geen gehoor")
        _says_try_again(anna)
        expect(page.locator("dd.typed")).to_contain_text(["Huisbezoek", "Geen gehoor"])
    anna.press(page.get_by_role("button", name="Opnieuw versturen"))
    expect(page.locator(DONE)).to_have_text("De poging is opgeslagen.")
    assert [one.result for one in site.signal(signal_id).attempts] == [AttemptResult.NO_ANSWER]


def test_signing_in_while_the_database_is_away_repeats_no_password(
    site: Site, window: OpenWindow, postgres_server: PostgresServer
) -> None:
    anna = window()
    anna.open()
    with postgres_server.away():
        anna.sign_in("anna")
        _says_try_again(anna)
        assert "een lange zin" not in anna.page.content()
        expect(anna.page.get_by_role("button", name="Opnieuw versturen")).to_have_count(0)
    anna.open()
    anna.sign_in("anna")
    expect(anna.page.get_by_role("heading", level=1)).to_have_text("Wachtrij")


def test_while_the_keystore_is_away_no_content_is_shown_and_no_note_is_half_saved(
    site: Site, window: OpenWindow, signal_id: UUID
) -> None:
    anna = window("anna")
    page = anna.claim(signal_id)
    page.locator("summary", has_text="Notitie toevoegen").click()
    page.fill("#notes-text", TYPED)
    before = site.signal(signal_id).version
    with _keystore_away(site.desk):
        anna.press(page.get_by_role("button", name="Notitie opslaan"))
        _says_try_again(anna)
        assert (site.signal(signal_id).version, site.signal(signal_id).notes) == (before, [])
        other = window("bram")
        other.open_signal(signal_id)
        _says_try_again(other)
        assert "1012 AB" not in other.page.content()
    anna.press(page.get_by_role("button", name="Opnieuw versturen"))
    expect(page.locator(".timeline .typed")).to_have_text(TYPED, use_inner_text=True)
    other.press(other.page.get_by_role("link", name="Opnieuw proberen"))
    expect(other.page.locator(".signal__address")).to_contain_text("1012 AB 12")
    assert len(site.signal(signal_id).notes) == 1


def _says_try_again(one: Window) -> None:
    expect(one.page.get_by_role("heading", level=1)).to_have_text("Nu even niet bereikbaar")
    expect(
        one.page.get_by_text("Er is niets veranderd. Probeer het over een minuut opnieuw.")
    ).to_be_visible()
    if one.options.get("java_script_enabled", True):
        assert (one.axe(), one.wider_than_the_screen()) == ([], [])


@contextmanager
def _keystore_away(desk: Desk) -> Iterator[None]:
    """Its file cannot be opened, and what was open is closed: as when the disk that it is on goes."""
    file = desk.settings.data_folder / "keystore.db"
    held = [path for path in file.parent.glob("keystore.db*") if path.is_file()]
    _close(desk)
    for path in held:
        if path.exists():
            path.rename(path.with_name(f"away-{path.name}"))
    file.mkdir()
    try:
        yield
    finally:
        file.rmdir()
        for path in Path(file.parent).glob("away-keystore.db*"):
            path.rename(path.with_name(path.name.removeprefix("away-")))


def _close(desk: Desk) -> None:
    context: DeskContext = desk.app.extensions[EXTENSION]
    context.keystore.dispose()
    desk.keystore.dispose()
