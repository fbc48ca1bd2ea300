"""The pages of figures: their readers, their content in two languages, what they state and what not."""

import re
from dataclasses import replace
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from signals.settings import FiguresSettings, Settings
from signals.statistics.intervals import Interval
from signals.vocabulary import ProcessRole
from signals.web.figures.words import points
from tests.support.desk_side import Desk
from tests.support.installations import MakeApp
from tests.support.pages import Browser, words
from tests.support.publications import publish, year_of

PERIODS = ("2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4", "2024", "2025", "2026-Q1", "2026-Q2", "2026-Q3")
PAGES = (
    "/figures",
    "/figures/releases",
    "/figures/releases/2026-Q3",
    "/figures/releases/2025",
    "/figures/releases/2024-2025",
    "/figures/method",
)


@pytest.fixture
def released(engine: Engine) -> None:
    publish(engine, PERIODS, year_of(600))


@pytest.fixture
def everybody(desk_settings: Settings, make_app: MakeApp) -> FlaskClient:
    """Return a browser at a public process with figures and without a desk."""
    return public_app(make_app, desk_settings, ProcessRole.FRONT).test_client()


@pytest.fixture
def coen(desk: Desk) -> Browser:
    return Browser(desk, "coen")


def public_app(make_app: MakeApp, settings: Settings, role: ProcessRole) -> Flask:
    return make_app(replace(settings, role=role, figures=FiguresSettings(public=True)))


# Readers


@pytest.mark.usefixtures("released")
def test_a_coordinator_reads_every_page(coen: Browser) -> None:
    assert {path: coen.get(path).status_code for path in PAGES} == dict.fromkeys(PAGES, 200)


@pytest.mark.usefixtures("released")
def test_a_reader_who_is_not_signed_in_goes_to_the_desk_and_back(desk: Desk) -> None:
    answer = desk.client.get("/figures")
    assert (answer.status_code, answer.location) == (303, "/desk/sign-in?next=/figures")


@pytest.mark.parametrize("who", ["anna", "fleur"])
def test_others_are_refused_while_figures_are_not_public(desk: Desk, who: str) -> None:
    assert Browser(desk, who).get("/figures").status_code == 403


@pytest.mark.parametrize("path", ["/figures", "/figures/open-data.zip", "/admin"])
def test_a_refusal_is_in_the_language_of_the_account(desk: Desk, path: str) -> None:
    answer = Browser(desk, "anna").client.get(path, headers={"Accept-Language": "en", "Accept": "text/html"})
    assert answer.status_code == 403
    assert '<html lang="nl"' in answer.text


@pytest.mark.usefixtures("released")
def test_everybody_reads_where_the_setting_says_so(everybody: FlaskClient) -> None:
    for path in PAGES:
        answer = everybody.get(path)
        assert answer.status_code == 200, path
        assert "Set-Cookie" not in answer.headers
        assert "/desk" not in answer.text


def test_a_public_process_has_no_figures_unless_the_setting_says_so(client: FlaskClient) -> None:
    assert client.get("/figures").status_code == 404
    assert client.get("/api/v1/statistics/releases").status_code == 404


@pytest.mark.usefixtures("released")
def test_public_pages_know_who_is_signed_in(desk: Desk, desk_settings: Settings, make_app: MakeApp) -> None:
    app = public_app(make_app, desk_settings, ProcessRole.ALL)
    browser = Browser(replace(desk, app=app), "lena")
    page = browser.get("/figures").text
    assert "Lena Voorbeeld" in page
    assert 'href="/desk"' in page
    assert "Lena Voorbeeld" not in app.test_client().get("/figures").text


# Content


@pytest.mark.parametrize(("language", "said"), [("nl", "0,3–9"), ("en", "0.3–9")])
def test_a_stated_difference_never_reads_as_zero(desk: Desk, language: str, said: str) -> None:
    with desk.app.test_request_context(), force_locale(language):
        assert points(Interval(-0.05, -0.09, -0.003)) == said


@pytest.mark.usefixtures("released")
def test_the_question_is_on_top_and_the_first_figure_answers_it(coen: Browser) -> None:
    heads = [unescape(head) for head in re.findall(r"<h[12][^>]*>([^<]+)</h", coen.get("/figures").text)]
    assert heads[:3] == ["Welke opvolging bereikt mensen?", "In het kort", "Welke poging leidt tot contact?"]


@pytest.mark.usefixtures("released")
def test_every_figure_has_a_chart_and_a_table_and_every_number_its_interval(coen: Browser) -> None:
    page = coen.get("/figures").text
    sections = re.findall(r'<section class="figure".*?</section>', page, re.DOTALL)
    assert len(sections) == 7
    for section in sections:
        assert [part in section for part in ("<svg", 'role="img"', "<table")] == [True] * 3
        exact = 'aria-labelledby="connected"' in section
        numbers = re.findall(r"<td[^>]*>[\d.]+%?(.*?)</td>", section)
        assert numbers
        assert all(("<small>" in rest) is not exact for rest in numbers)


def test_a_number_whose_interval_says_nothing_is_pale_and_says_so(engine: Engine, coen: Browser) -> None:
    publish(engine, ["2025-Q4", "2025"], year_of(600))
    section = section_of(coen.get("/figures/releases/2025"), "attempts")
    first = section[section.index("<table") :].partition("Tweede poging")[0]
    lines = dict(re.findall(r'<th scope="row">([^<]+)</th>(.+?)</tr>', first))
    assert "hier is nog te weinig over te zeggen" in lines["Via iemand anders"]
    assert "pale" not in lines["Huisbezoek"]


@pytest.mark.parametrize(("size", "period"), [(300, "2021 tot en met 2025"), (5_000, "2025")])
def test_years_are_pooled_until_the_figures_say_something(
    engine: Engine, coen: Browser, size: int, period: str
) -> None:
    publish(engine, ["2025-Q4", *map(str, range(2021, 2026))], year_of(size))
    assert f"afgerond in {period}." in section_of(coen.get("/figures"), "attempts")


def test_in_short_states_a_difference_that_chance_does_not_explain(engine: Engine, coen: Browser) -> None:
    publish(engine, ["2025-Q4", "2025"], year_of(5_000))
    said = words(coen.get("/figures"))
    assert "Eerste poging: huisbezoek leidt vaker tot contact (20%) dan brief (5%). Het verschil is" in said
    assert "nog niet te zeggen" not in said


def test_otherwise_in_short_says_how_many_signals_are_needed(engine: Engine, coen: Browser) -> None:
    publish(engine, ["2025-Q4", "2025"], year_of(300, letters=0.2))
    said = words(coen.get("/figures"))
    assert re.search(r"Nog ongeveer [\d.]+ signalen zijn nodig om bij de eerste poging een verschil", said)
    assert "leidt vaker tot contact" not in said


@pytest.mark.parametrize("drawn", [0, -40])
def test_a_year_of_nothing_but_noise_states_nothing(engine: Engine, coen: Browser, drawn: int) -> None:
    publish(engine, ["2025-Q4", "2025"], lambda _table, _codes: drawn)
    said = words(coen.get("/figures"))
    assert "Nog ongeveer" not in said
    assert "leidt vaker" not in said
    assert "Welk deel van de signalen van 2025 tot contact leidde, is nog niet te zeggen." in said
    assert "hier is nog te weinig over te zeggen" in said
    assert coen.get("/figures/releases/2025/report.pdf").status_code == 200


@pytest.mark.parametrize(("twente", "shaded"), [(0.2, 0), (0.9, 1)])
def test_the_map_shades_only_a_region_that_differs(
    engine: Engine, coen: Browser, twente: float, shaded: int
) -> None:
    publish(engine, ["2025-Q4", "2025"], year_of(600, twente=twente))
    section = section_of(coen.get("/figures/releases/2025"), "regions")
    assert (section.count("<rect"), section.count('class="cell"')) == (25, 25 - shaded)
    assert ("verschilt geen regio" in section) is not bool(shaded)
    assert section.count("ja, hoger") == shaded


def test_before_the_first_release_the_page_says_when_figures_come(coen: Browser) -> None:
    for path in ("/figures", "/figures/releases", "/figures/method"):
        assert "Er is nog niets gepubliceerd" in words(coen.get(path)), path


def test_before_the_first_year_the_quarters_are_shown(engine: Engine, coen: Browser) -> None:
    publish(engine, ["2026-Q2", "2026-Q3"], year_of(600))
    page = words(coen.get("/figures"))
    assert "verschijnt na afloop van een jaar" in page
    assert "Ontvangen signalen per kwartaal" in page


def test_the_overview_shows_two_years_of_quarters_however_many_there_are(
    engine: Engine, coen: Browser
) -> None:
    periods = [f"{year}-Q{number}" for year in range(2020, 2026) for number in range(1, 5)]
    publish(engine, periods, year_of(600))
    table = section_of(coen.get("/figures"), "received")
    assert re.findall(r'<th scope="row">([^<]+)</th>', table) == [
        f"kwartaal {number} van {year}" for year in (2024, 2025) for number in range(1, 5)
    ]


def test_connected_municipalities_are_exact(desk: Desk, engine: Engine, coen: Browser) -> None:
    """Amsterdam and Groningen have a team."""
    publish(engine, ["2026-Q3"], year_of(600))
    section = section_of(coen.get("/figures"), "connected")
    assert re.findall(r"<td>(\d+)</td>", section) == ["2", "342"]


@pytest.mark.usefixtures("released")
@pytest.mark.parametrize("what", ["2026-Q4", "2023-2025", "2026", "2026-Q3/report.pdf"])
def test_an_unreleased_table_gives_a_page_that_links_to_the_releases(coen: Browser, what: str) -> None:
    answer = coen.get(f"/figures/releases/{what}")
    assert answer.status_code == 404
    assert "Niet gevonden" in words(answer)
    assert 'href="/figures/releases"' in answer.text


@pytest.mark.usefixtures("released")
def test_no_page_speaks_of_rounding(coen: Browser) -> None:
    for path in PAGES:
        assert "afrond" not in coen.get(path).text.lower().replace("afgerond", ""), path


@pytest.mark.usefixtures("released")
def test_the_overview_begins_with_what_stands_on_it(coen: Browser) -> None:
    page = coen.get("/figures").text
    contents = page[page.index('class="contents"') :].split("</nav>")[0]
    assert re.findall(r'href="#([^"]+)"', contents) == re.findall(
        r'class="figure" aria-labelledby="([^"]+)"', page
    )


@pytest.mark.usefixtures("released")
def test_no_page_has_style_or_script_within_or_an_id_twice(coen: Browser) -> None:
    for path in PAGES:
        page = coen.get(path)
        assert not re.search(r"<style|<script|\sstyle=|\son\w+=", page.text), path
        assert "style-src 'self'" in page.headers["Content-Security-Policy"]
        ids = re.findall(r'\sid="([^"]+)"', page.text)
        assert sorted(ids) == sorted(set(ids)), path


# Two languages


@pytest.mark.usefixtures("released")
def test_the_switch_gives_the_same_page_in_english(coen: Browser) -> None:
    for path in PAGES:
        link = re.search(r'href="([^"]+)" lang="en"', coen.get(path).text)
        assert link is not None, path
        english = coen.get(unescape(link[1])).text
        assert '<html lang="en">' in english
        assert "te weinig" not in english
        assert "kwartaal" not in english
        links = re.findall(r'href="(/figures(?!/open-data)[^"]*)"', english)
        assert [one for one in links if "lang=" not in one] == []


@pytest.mark.usefixtures("released")
def test_a_public_reader_gets_the_browsers_language(everybody: FlaskClient) -> None:
    english = everybody.get("/figures", headers={"Accept-Language": "en-GB"})
    assert "What follow-up reaches people?" in words(english)
    polish = everybody.get("/figures", headers={"Accept-Language": "pl"})
    assert '<html lang="en">' in polish.text


def section_of(page: TestResponse, key: str) -> str:
    found = re.search(rf'<section class="figure" aria-labelledby="{key}">.*?</section>', page.text, re.DOTALL)
    assert found is not None, key
    return unescape(found[0])
