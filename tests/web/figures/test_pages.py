"""The pages of figures: their readers, their content in two languages, hidden and withheld cells."""

import re
from dataclasses import replace
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from privacy.disclosure.tables import Cell
from signals.settings import FiguresSettings, Settings
from signals.vocabulary import ProcessRole
from signals.web.figures.words import dimension, member
from tests.support.desk_side import Desk
from tests.support.installations import MakeApp
from tests.support.pages import Browser, words
from tests.support.releases import plausible, store_releases

PERIODS = ("2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4", "2025", "2026-Q1", "2026-Q2", "2026-Q3")
PAGES = (
    "/figures",
    "/figures/regions",
    "/figures/regions?region=GG0111",
    "/figures/releases",
    "/figures/releases/2026-Q3",
    "/figures/releases/2025",
    "/figures/releases/2025/attempts",
    "/figures/releases/2025/regions_follow_up",
    "/figures/releases/2026-Q3/follow_up",
    "/figures/method",
)


@pytest.fixture
def released(engine: Engine) -> None:
    store_releases(engine, PERIODS)


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


@pytest.mark.usefixtures("released")
def test_the_question_is_on_top_and_the_first_figures_answer_it(coen: Browser) -> None:
    page = coen.get("/figures").text
    heads = [unescape(head) for head in re.findall(r"<h[12][^>]*>([^<]+)</h", page)]
    assert heads[:4] == [
        "Welke opvolging bereikt mensen?",
        "In het kort",
        "Vaker proberen",
        "Anders proberen",
    ]


@pytest.mark.usefixtures("released")
def test_every_figure_has_a_chart_a_table_a_csv_and_a_note(coen: Browser) -> None:
    page = coen.get("/figures").text
    sections = re.findall(r'<section class="figure".*?</section>', page, re.DOTALL)
    assert len(sections) >= 7
    for section in sections:
        assert [part in section for part in ("<svg", 'role="img"', "<table", ".csv", "Hoe betrouwbaar")] == [
            True
        ] * 5


@pytest.mark.usefixtures("released")
def test_the_funnel_says_how_many_came_how_far(coen: Browser) -> None:
    page = coen.get("/figures/releases/2026-Q3/follow_up")
    table = section_of(page, "funnel")
    rows = re.findall(r'<th scope="row">([^<]+)</th><td>([^<]+)</td>', table)
    assert [(name, number) for name, number in rows] == [
        ("Afgeronde signalen", "1.000"),
        ("Op tijd opgepakt", "800"),
        ("Contact gezocht", "900"),
        ("Bereikt", "220"),
        ("Geholpen", "120"),
    ]


def test_a_percentage_has_the_range_that_rounding_leaves(engine: Engine, coen: Browser) -> None:
    store_releases(engine, ["2026-Q3"], lambda cell: 20 if cell.measure == "reached" else 100)
    assert "20% (18–22%)" in words(coen.get("/figures/releases/2026-Q3/follow_up"))


def test_hidden_cells_are_hatched_called_hidden_and_explained(engine: Engine, coen: Browser) -> None:
    store_releases(engine, ["2026-Q3"], lambda cell: None if cell.measure == "helped" else 100)
    section = section_of(coen.get("/figures/releases/2026-Q3/follow_up"), "funnel")
    assert 'class="hidden" x=' in section
    assert '<td class="hidden"><span>verborgen</span></td>' in section
    assert "Gearceerd: verborgen, omdat het getal kleiner is dan 10" in section
    assert "&lt;10" not in section


def test_a_withheld_table_says_that_and_why(engine: Engine, coen: Browser) -> None:
    store_releases(engine, PERIODS, withheld=frozenset({"follow_up", "attempts", "regions_follow_up"}))
    for path in ("/figures/releases/2026-Q3/follow_up", "/figures/releases/2025/attempts", "/figures"):
        answer = coen.get(path)
        assert answer.status_code == 200
        assert "Deze tabel is achtergehouden" in words(answer)
    assert coen.get("/figures/regions?region=GG0111").status_code == 200


def test_before_the_first_release_the_page_says_when_figures_come(coen: Browser) -> None:
    for path in ("/figures", "/figures/regions", "/figures/releases", "/figures/method"):
        assert "Er is nog niets gepubliceerd" in words(coen.get(path)), path


def test_before_the_first_year_the_quarters_are_shown(engine: Engine, coen: Browser) -> None:
    store_releases(engine, ["2026-Q2", "2026-Q3"])
    page = words(coen.get("/figures"))
    assert "Deze tabel is nog niet gepubliceerd" in page
    assert "Van signaal tot hulp" in page


def test_the_overview_shows_two_years_of_quarters_however_many_there_are(
    engine: Engine, coen: Browser
) -> None:
    store_releases(engine, [f"{year}-Q{number}" for year in range(2020, 2026) for number in range(1, 5)])
    table = section_of(coen.get("/figures"), "received")
    assert re.findall(r'<th scope="row">([^<]+)</th>', table) == [
        f"kwartaal {number} van {year}" for year in (2024, 2025) for number in range(1, 5)
    ]


def test_a_finding_is_told_only_when_the_ranges_do_not_touch(engine: Engine, coen: Browser) -> None:
    def by_number(cell: Cell) -> int | None:
        if cell.table != "attempts":
            return plausible(cell)
        _kind, number, reached = cell.keys
        return {"4+": 40, "1-2": 15}.get(number, 25) if reached == "yes" else 100

    store_releases(engine, ["2026-Q3", "2025"], by_number)
    said = words(coen.get("/figures"))
    assert "Naar aantal pogingen: bij 4 of meer werd 40% bereikt, bij 1 of 2 was dat 15%." in said
    assert "Naar soort pogingen: bij" not in said


@pytest.mark.usefixtures("released")
@pytest.mark.parametrize("what", ["2026-Q4", "2026-Q3/municipalities", "2026-Q3/attempts"])
def test_an_unreleased_table_gives_a_page_that_links_to_the_releases(coen: Browser, what: str) -> None:
    answer = coen.get(f"/figures/releases/{what}")
    assert answer.status_code == 404
    assert "Niet gevonden" in words(answer)
    assert 'href="/figures/releases"' in answer.text


def test_a_crossed_table_has_a_line_for_each_thing(engine: Engine, coen: Browser) -> None:
    def some(cell: Cell) -> int | None:
        if cell.table != "attempts":
            return plausible(cell)
        return {"yes": None, "no": 40}.get(cell.keys[-1], 55)

    store_releases(engine, ["2025"], some)
    section = section_of(coen.get("/figures/releases/2025/attempts"), "whole")
    assert re.findall(r'<th scope="col">([^<]+)</th>', section) == [
        "Soort pogingen, Aantal pogingen",
        "Bereikt",
        "Niet bereikt",
        "Totaal",
    ]
    lines = dict(re.findall(r'<th scope="row">([^<]+)</th>(.+?)</tr>', section))
    assert re.findall(r">([^<>]+)<", lines["Alleen huisbezoek, 4 of meer"]) == ["verborgen", "40", "55"]
    assert re.findall(r">([^<>]+)<", lines["Geen poging, Geen poging"]) == ["–", "40", "55"]
    assert re.findall(r">([^<>]+)<", lines["Totaal, Totaal"]) == ["verborgen", "40", "55"]


@pytest.mark.usefixtures("released")
def test_a_region_stands_beside_the_country(coen: Browser) -> None:
    section = section_of(coen.get("/figures/regions?region=GG0111"), "region")
    assert "GGD Groningen naast heel Nederland" in section
    assert "Heel Nederland" in section


@pytest.mark.usefixtures("released")
def test_the_map_has_all_regions_in_its_table(coen: Browser) -> None:
    section = section_of(coen.get("/figures/regions"), "regions")
    assert len(re.findall(r'<th scope="row">', section)) == 27
    assert section.count("<g>") == 25


@pytest.mark.usefixtures("released")
def test_a_release_shows_its_tables_and_the_protocol(coen: Browser) -> None:
    page = coen.get("/figures/releases/2026-Q3").text
    assert "/figures/releases/2026-Q3/intake" in page
    assert '<pre lang="nl" class="protocol" tabindex="0"># Verslag</pre>' in page
    assert "20 oktober 2026" in page
    assert "# Protocol" in coen.get("/figures/releases/2026-Q3?lang=en").text


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


@pytest.mark.usefixtures("released")
def test_the_csv_of_a_table_is_that_of_the_api(desk: Desk, coen: Browser) -> None:
    page = coen.get("/figures/releases/2025/attempts.csv")
    call = desk.call("coen", "GET", "/statistics/releases/2025/tables/attempts.csv")
    assert page.data == call.data
    assert page.headers["Content-Disposition"] == 'attachment; filename="2025-attempts.csv"'


# In two languages


@pytest.mark.usefixtures("released")
def test_the_switch_gives_the_same_page_in_english(coen: Browser) -> None:
    for path in PAGES:
        link = re.search(r'href="([^"]+)" lang="en"', coen.get(path).text)
        assert link is not None, path
        english = coen.get(unescape(link[1])).text
        assert '<html lang="en">' in english
        assert "verborgen" not in english
        assert "kwartaal" not in english
        links = re.findall(r'href="(/figures(?!/open-data)[^"]*)"', english)
        assert [one for one in links if "lang=" not in one] == []


@pytest.mark.usefixtures("released")
def test_a_public_reader_gets_the_browsers_language(everybody: FlaskClient) -> None:
    english = everybody.get("/figures", headers={"Accept-Language": "en-GB"})
    assert "What follow-up reaches people?" in words(english)
    polish = everybody.get("/figures", headers={"Accept-Language": "pl"})
    assert '<html lang="en">' in polish.text


def by_area(cell: Cell) -> int | None:
    """In Groningen the city is shown and its neighbours are hidden."""
    shown = {"GM0014": 65, "GG0111": 85, "total": 4_880}
    return shown.get(cell.keys[0])


def test_municipalities_are_folded_by_region_with_the_regions_total(coen: Browser, engine: Engine) -> None:
    store_releases(engine, ["2023-2026"], by_area)
    page = coen.get("/figures/releases/2023-2026/municipalities").text
    folds = re.findall(r'<details class="region">.*?</details>', page, re.DOTALL)
    assert len(folds) == 26
    (groningen,) = [fold for fold in folds if ">Groningen<" in fold]
    assert "<summary>GGD Groningen" in groningen
    assert "Signalen: 85. 1 van 10 gemeenten getoond" in groningen
    assert "<td>65</td>" in groningen
    assert groningen.count('class="hidden"') == 9
    assert '<tr class="total"><th scope="row">De hele regio</th><td>85</td></tr>' in groningen
    assert "Heel Nederland: <strong>4.880</strong>" in page


def test_municipalities_that_were_withheld_say_so(coen: Browser, engine: Engine) -> None:
    store_releases(engine, ["2023-2026"], by_area, withheld=frozenset({"municipalities"}))
    page = coen.get("/figures/releases/2023-2026/municipalities")
    assert "Deze tabel is achtergehouden" in words(page)
    assert '<details class="region">' not in page.text


@pytest.mark.usefixtures("released")
def test_the_regions_say_when_figures_by_municipality_come(coen: Browser, engine: Engine) -> None:
    """Releases began with 2025: the first window of whole years that begins in it or later is 2027-2030."""
    assert "De volgende zijn van 2027 tot en met 2030" in words(coen.get("/figures/regions"))
    store_releases(engine, ["2023-Q1"])
    assert "De volgende zijn van 2023 tot en met 2026" in words(coen.get("/figures/regions"))
    store_releases(engine, ["2023-2026"], by_area)
    page = coen.get("/figures/regions")
    assert "De volgende zijn van 2027 tot en met 2030" in words(page)
    assert '"/figures/releases/2023-2026/municipalities"' in page.text


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("GM1696", "Wijdemeren"),
        ("GM0501", "Brielle"),
        ("GM0402-GG3406", "Hilversum (GGD Amsterdam)"),
        ("GM9998", "GM9998"),
        ("unknown", "Adres onbekend"),
    ],
)
def test_a_municipality_of_a_former_division_has_its_name(desk: Desk, code: str, name: str) -> None:
    with desk.app.test_request_context(headers={"Accept-Language": "nl"}):
        assert member("municipality_2027", code) == name
        assert dimension("municipality_2027") == "Gemeente"


def section_of(page: TestResponse, key: str) -> str:
    found = re.search(rf'<section class="figure" aria-labelledby="{key}">.*?</section>', page.text, re.DOTALL)
    assert found is not None, key
    return unescape(found[0]).replace("\n(", " (")
