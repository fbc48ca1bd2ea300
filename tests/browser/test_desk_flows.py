"""What happens to a signal beside the straight way, on real Chromium: handed over and back, joined, reopened,
put off, told later, taken along to the own case system. With and without JavaScript."""

import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect
from pypdf import PdfReader

from signals.clock import today
from signals.vocabulary import Action, AuditAction, DeferralReason, Outcome, SignalState
from signals.web.desk.handing_over import HandoverSchema
from tests.browser.desk import DONE, SIZES, Site, Window
from tests.browser.desk_fixtures import OpenWindow, desk_in
from tests.support.desk_side import AMSTERDAM, GRONINGEN, Desk
from tests.support.installations import Installation

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
A6 = (297.6, 419.5)
"""Points, 105 x 148 mm."""


@pytest.fixture(scope="module")
def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for the module: these tests tell their signals apart."""
    with desk_in(tmp_path_factory.mktemp("flows"), installation) as made:
        yield made


@SCRIPTS
def test_a_signal_goes_to_another_organisation_and_comes_back_with_all_that_was_tried(
    site: Site, window: OpenWindow, scripts: bool
) -> None:
    signal_id = site.desk.arrive(number=21, concern_types=["frail"])
    reference = site.signal(signal_id).reference
    anna = _window(window, "anna", scripts)
    page = anna.claim(signal_id)
    anna.tried("Geen gehoor")
    _handed_over(anna, GRONINGEN, "moved", "Mevrouw woont nu bij haar zus.")
    expect(page.locator(DONE)).to_contain_text(f"{reference} ging op")
    expect(page.locator(DONE)).to_contain_text(GRONINGEN)

    anna.open_signal(signal_id)
    expect(page.get_by_text("Dan is het verwijderd of overgedragen.")).to_be_visible()
    anna.press(page.get_by_role("link", name="Zoek op kenmerk"))
    page.fill("#by-reference-reference", reference)
    anna.press(page.get_by_role("button", name="Zoek op kenmerk"))
    expect(page.get_by_role("status")).to_contain_text("Overgedragen op di 24 nov 2026")

    gerda = _window(window, "gerda", scripts)
    theirs = gerda.claim(signal_id)
    expect(theirs.locator(".timeline")).to_contain_text("Mevrouw woont nu bij haar zus.")
    expect(theirs.locator(".timeline")).to_contain_text("Huisbezoek: geen gehoor")
    expect(theirs.locator(".timeline")).to_contain_text("De bewoner is verhuisd")
    _handed_over(gerda, AMSTERDAM, "outside_area", "Zij is weer thuis.")
    expect(theirs.locator(DONE)).to_contain_text(AMSTERDAM)

    anna.open()
    anna.press(page.get_by_role("link", name=reference))
    expect(page.locator(".timeline .typed")).to_have_text(
        [
            "Zij is weer thuis.",
            "Buiten ons gebied",
            "Mevrouw woont nu bij haar zus.",
            "De bewoner is verhuisd",
        ]
    )
    assert len(site.signal(signal_id).attempts) == 1


def test_a_double_press_hands_a_signal_over_once_and_says_so(site: Site, window: OpenWindow) -> None:
    signal_id = site.desk.arrive(number=22)
    for scripts in (True, False):
        anna = _window(window, "anna" if scripts else "gerda", scripts)
        _fill_in_handing_over(anna.open_signal(signal_id), GRONINGEN if scripts else AMSTERDAM, "other", "")
        anna.page.get_by_role("button", name="Overdragen").dblclick()
        expect(anna.page.get_by_role("heading", level=1)).to_have_text("Overgedragen")
        anna.page.reload()
        expect(anna.page.get_by_role("heading", level=1)).to_have_text("Overgedragen")
    handed_over = [one for one in site.signal(signal_id).history if one.action is Action.REFER]
    assert len(handed_over) == 2
    refused = site.desk.entries(AuditAction.FOREIGN_SIGNAL_REFUSED)
    assert [entry for entry in refused if entry.subject_id == signal_id] == []


@SCRIPTS
def test_help_goes_on_in_the_own_case_system_with_a_file_and_a_paper(
    site: Site, window: OpenWindow, scripts: bool
) -> None:
    signal_id = site.desk.arrive(number=23, concern_types=["frail"], seen="once")
    anna = _window(window, "anna", scripts)
    page = anna.claim(signal_id)
    expect(page.get_by_role("link", name="Overdracht als pdf")).to_have_count(0)
    anna.tried("Contact gehad")
    _concluded(anna, "help_accepted")
    files = _files_of(anna)
    with anna.context.expect_page() as paper:
        page.get_by_role("link", name="Overdracht als pdf").click()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Overdracht als JSON").click()
    saved.value.path()
    paper.value.close()
    document = json.loads(files["handover.json"])
    assert HandoverSchema().validate(document) == {}
    assert (document["reference"], document["outcome"]) == (site.signal(signal_id).reference, "help_accepted")
    assert document["contact_attempts"][0]["result"] == "contact"
    read = _text(files["handover.pdf"])
    for words in (document["reference"], "1012 AB 23", "Hulp aanvaard", "Huisbezoek, contact gehad"):
        assert words in read
    exported = [e for e in site.desk.entries(AuditAction.EXPORTED) if e.subject_id == signal_id]
    assert [entry.ground for entry in exported] == ["handover", "handover"]
    assert site.signal(signal_id).state is SignalState.CONCLUDED


@SCRIPTS
def test_a_second_report_of_an_address_is_joined_with_one_press_and_the_first_goes_on(
    site: Site, window: OpenWindow, scripts: bool
) -> None:
    number = 41 if scripts else 43
    first = site.desk.arrive(number=number)
    site.desk.clock.moment += timedelta(days=2)
    second = site.desk.arrive(number=number)
    anna = _window(window, "anna", scripts)
    page = anna.open_signal(second)
    expect(page.get_by_role("heading", name="Zelfde adres, 2 dagen eerder: samenvoegen?")).to_be_visible()
    page.get_by_role("button", name="Ja, samenvoegen").dblclick()
    expect(page.locator(DONE)).to_contain_text("Het andere loopt door.")
    expect(page.get_by_role("heading", name="Afgerond: Dubbel gemeld")).to_be_visible()
    assert (site.signal(second).outcome, site.signal(first).state) == (Outcome.DUPLICATE, SignalState.NEW)
    anna.press(page.locator(".earlier").get_by_role("link", name=site.signal(first).reference))
    expect(page.get_by_role("button", name="Dit signaal oppakken")).to_be_visible()
    expect(page.get_by_role("button", name="Ja, samenvoegen")).to_have_count(0)
    expect(page.locator(".earlier")).to_contain_text("afgerond")


@SCRIPTS
def test_a_concluded_signal_is_reopened_and_whoever_does_that_has_it(
    site: Site, window: OpenWindow, scripts: bool
) -> None:
    signal_id = site.desk.arrive(number=26)
    anna, bram = _window(window, "anna", scripts), _window(window, "bram", scripts)
    anna.claim(signal_id)
    anna.tried("Contact gehad")
    _concluded(anna, "talk_sufficed")
    page = bram.open_signal(signal_id)
    bram.press(page.locator("summary", has_text="Heropenen"))
    page.select_option("#reopen-reason", "resident_called_back")
    page.get_by_role("button", name="Dit signaal heropenen").dblclick()
    expect(page.locator(DONE)).to_have_text("Het signaal staat weer open, en u hebt het.")
    expect(page.locator(".timeline li", has_text="Heropend")).to_contain_text("De bewoner nam contact op")
    found = site.signal(signal_id)
    assert (found.state, found.outcome, found.concluded_at) == (SignalState.IN_FOLLOW_UP, None, None)
    assert [one.action for one in found.history].count(Action.REOPEN) == 1
    anna.press(anna.open_signal(signal_id).get_by_text("Bram Voorbeeld werkt hieraan"))


@SCRIPTS
def test_a_question_that_goes_with_some_outcomes_waits_for_them(
    site: Site, window: OpenWindow, scripts: bool
) -> None:
    anna = _window(window, "anna", scripts)
    page = anna.claim(site.desk.arrive(number=43))
    anna.tried("Contact gehad")
    onwards, unreached = page.get_by_label("Naar wie"), page.get_by_label("Niet bereikt, en geen pogingen")
    expect(onwards).to_be_hidden()
    expect(unreached).to_be_hidden()
    page.select_option("#conclude-outcome", "not_reached")
    expect(unreached).to_be_visible()
    page.select_option("#conclude-outcome", "escalated")
    expect(unreached).to_be_hidden()
    onwards.select_option("112_crisis")
    page.select_option("#conclude-outcome", "no_concern")
    expect(onwards).to_be_visible()  # for it is answered, and would go along
    anna.press(page.get_by_role("button", name="Dit signaal afronden"))
    expect(page.locator("#conclude-referred_to-wrong")).to_be_visible()
    onwards.select_option("")
    expect(onwards).to_be_visible()  # for it was refused
    anna.press(page.get_by_role("button", name="Dit signaal afronden"))
    expect(page.locator(DONE)).to_have_text("Het signaal is afgerond.")


@pytest.mark.parametrize("size", SIZES)
def test_a_day_agreed_at_the_door_puts_the_signal_off_until_that_day_and_no_longer(
    site: Site, window: OpenWindow, size: str
) -> None:
    signal_id = site.desk.arrive(number=31 if size == "desk" else 33)
    reference, agreed = site.signal(signal_id).reference, today(site.desk.clock) + timedelta(days=6)
    anna = window("anna", size=SIZES[size])
    page = anna.claim(signal_id)
    anna.press(page.get_by_text("Sprak u een dag af?"))
    page.fill("#contact-attempts-postponed_until", (agreed + timedelta(days=30)).isoformat())
    anna.press_attempt("Later afgesproken")
    expect(page.get_by_role("alert")).to_contain_text("Afgesproken dag")
    page.fill("#contact-attempts-postponed_until", agreed.isoformat())
    anna.press(page.get_by_role("button", name="Later afgesproken"))
    expect(page.locator(DONE)).to_have_text("De poging is opgeslagen.")
    expect(page.locator(".card--next")).to_contain_text("over 6 dagen")
    row = anna.open().locator("#rows tr", has_text=reference)
    expect(row).to_contain_text("Afgesproken dag:")
    site.desk.clock.moment += timedelta(days=7)
    anna.sign_in_unseen()
    row = anna.open("/desk?overdue=1").locator("#rows tr", has_text=reference)
    expect(row).to_contain_text("1 dag te laat")
    expect(row.locator(".late")).to_contain_text("Afgesproken dag:")
    assert site.signal(signal_id).postponed_until == agreed


@SCRIPTS
def test_telling_the_resident_is_deferred_with_a_reason_and_done_later(
    site: Site, window: OpenWindow, scripts: bool
) -> None:
    signal_id = site.desk.arrive(number=28)
    anna = _window(window, "anna", scripts)
    page = anna.claim(signal_id)
    day = today(site.desk.clock)
    _told(anna, on=day.isoformat(), because="would_endanger")
    expect(page.get_by_role("alert")).to_contain_text("een van de twee")
    expect(page.locator("#notice-deferred_because")).to_have_value("would_endanger")
    expect(page.locator("#notice-notified_on")).to_have_value(day.isoformat())
    _told(anna, on="", because="would_endanger")
    expect(page.locator(DONE)).to_have_text(
        "Het informeren van de bewoner is vastgelegd zoals u het noteerde."
    )
    expect(page.locator("summary", has_text="De bewoner informeren")).to_contain_text("uitgesteld")
    assert site.signal(signal_id).deferred_because == DeferralReason.WOULD_ENDANGER
    anna.press(page.locator("summary", has_text="De bewoner informeren"))
    anna.press(page.get_by_role("button", name="Neem terug"))
    expect(page.locator("summary", has_text="De bewoner informeren")).to_contain_text("nog niet gedaan")
    assert site.signal(signal_id).deferred_because is None
    anna.press(page.locator("summary", has_text="De bewoner informeren"))
    _told(anna, on=day.isoformat(), because="")
    expect(page.locator("summary", has_text="De bewoner informeren")).to_contain_text("verteld op")
    found = site.signal(signal_id)
    assert (found.notified_on, found.deferred_because) == (day, None)


@pytest.mark.parametrize("size", SIZES)
def test_letter_and_card_are_read_back_from_what_the_browser_was_given(
    site: Site, window: OpenWindow, size: str
) -> None:
    signal_id = site.desk.arrive(number=29)
    anna = window("anna", size=SIZES[size])
    page = anna.claim(signal_id)
    files = _files_of(anna)
    anna.begin_counting()
    anna.press(page.locator("summary", has_text="De bewoner informeren"))
    page.select_option("#letter-language", "pl")
    for button in ("Brief afdrukken", "Kaartje afdrukken"):
        with anna.context.expect_page() as paper:
            anna.press(page.get_by_role("button", name=button))
        paper.value.close()
    assert anna.presses() == 3
    letter, card = _text(files["notice.pdf"]), _text(files["card.pdf"])
    assert site.signal(signal_id).reference in letter
    assert "1012 AB 29" in letter
    assert (AMSTERDAM in letter, AMSTERDAM in card, "1012" in card) == (True, True, False)
    paper_size = PdfReader(io.BytesIO(files["card.pdf"])).pages[0].mediabox
    assert (float(paper_size.width), float(paper_size.height)) == pytest.approx(A6, abs=1)
    page.reload()
    expect(page.get_by_role("heading", name=re.compile("De brief is afgedrukt op"))).to_be_visible()


def _window(window: OpenWindow, who: str, scripts: bool) -> Window:
    return window(who, options={"java_script_enabled": scripts})


def _concluded(one: Window, outcome: str) -> None:
    one.page.select_option("#conclude-outcome", outcome)
    one.press(one.page.get_by_role("button", name="Dit signaal afronden"))
    expect(one.page.locator(DONE)).to_have_text("Het signaal is afgerond.")


def _told(one: Window, *, on: str, because: str) -> None:
    form = one.page.locator("form[action$='/notice']")
    if not form.is_visible():
        one.press(one.page.locator("summary", has_text="De bewoner informeren"))
    one.page.fill("#notice-notified_on", on)
    one.page.select_option("#notice-deferred_because", because)
    one.press(form.get_by_role("button", name="Opslaan"))


def _fill_in_handing_over(page: Page, organisation: str, reason: str, text: str) -> None:
    page.get_by_role("link", name="Overdragen aan een andere organisatie").click()
    page.fill("#search", organisation[-6:])
    page.get_by_role("button", name="Zoeken").click()
    page.get_by_label(organisation).check()
    page.select_option("#refer-reason", reason)
    page.fill("#refer-text", text)


def _handed_over(one: Window, organisation: str, reason: str, text: str) -> None:
    _fill_in_handing_over(one.page, organisation, reason, text)
    one.press(one.page.get_by_role("button", name="Overdragen"))


def _files_of(one: Window) -> dict[str, bytes]:
    """Fills itself with the files that this browser is given, by the last part of their address."""
    files: dict[str, bytes] = {}

    def keep(route: Route) -> None:
        answer = route.fetch()
        files[urlsplit(route.request.url).path.rpartition("/")[2]] = answer.body()
        route.fulfill(response=answer)

    one.context.route(re.compile(r"\.(pdf|json)(\?|$)"), keep)
    return files


def _text(pdf: bytes) -> str:
    pages = (page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return re.sub(r"\s+", " ", " ".join(pages))
