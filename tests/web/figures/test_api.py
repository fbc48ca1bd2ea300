"""Released figures for programs and as open data: long form, who reads, what is kept, what does not exist."""

import csv
import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import frictionless
import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import Engine

from signals.settings import FiguresSettings, Settings
from tests.support.desk_side import BASE, Desk
from tests.support.installations import MakeApp
from tests.support.publications import publish, year_of

RELEASES = "/statistics/releases"
NUMBERS = {"value", "low", "high", "epsilon"}
ATTEMPTS = f"{RELEASES}/2025/tables/attempts"


@pytest.fixture(autouse=True)
def released(engine: Engine) -> None:
    publish(engine, ["2026-Q2", "2026-Q3", "2024", "2025"], year_of(600))


@pytest.fixture
def everybody(desk_settings: Settings, make_front: MakeApp) -> FlaskClient:
    """Return a client of a public process with figures and without a desk."""
    return make_front(replace(desk_settings, figures=FiguresSettings(public=True))).test_client()


# The form


def test_the_releases_are_listed_newest_first_with_their_tables(desk: Desk) -> None:
    body = desk.call("coen", "GET", RELEASES).get_json()
    assert [(item["period"], item["released_on"]) for item in body["items"]] == [
        (period, "2026-02-05") for period in ("2026-Q3", "2026-Q2", "2025", "2024", "2024-2025")
    ]
    assert body["items"][0]["tables"] == [{"name": "received", "title": "Ontvangen signalen per kwartaal"}]


def test_titles_follow_the_readers_language(desk: Desk) -> None:
    english = desk.call("coen", "GET", RELEASES, headers={"Accept-Language": "en"}).get_json()
    assert english["items"][0]["tables"][0]["title"] == "Signals received by quarter"


def test_a_table_is_in_the_long_form_with_a_label_and_an_interval(desk: Desk) -> None:
    body = desk.call("coen", "GET", ATTEMPTS).get_json()
    assert set(body) == {"period", "table", "title", "released_on", "dimensions", "items"}
    assert body["dimensions"] == ["attempt", "kind", "contact"]
    wanted = {"attempt": "1", "kind": "visit", "contact": "yes"}
    found = {item["measure"]: item for item in body["items"] if wanted.items() <= item.items()}
    assert set(found) == {"signals", "share", "drawn"}
    assert {name: label for name, label in found["share"].items() if name.endswith("_label")} == {
        "attempt_label": "Eerste poging",
        "kind_label": "Huisbezoek",
        "contact_label": "Contact",
    }
    assert found["signals"]["low"] < found["signals"]["value"] == 54 < found["signals"]["high"]
    assert found["share"]["low"] < found["share"]["value"] == 0.2 < found["share"]["high"]
    assert (found["drawn"]["value"], found["drawn"]["low"]) == (54, None)
    assert {item["epsilon"] for item in body["items"]} == {0.9}


def test_pooled_years_are_the_sum_of_what_was_drawn_with_a_narrower_interval(desk: Desk) -> None:
    def visits(period: str, measure: str) -> Any:
        items = desk.call("coen", "GET", f"{RELEASES}/{period}/tables/attempts").get_json()["items"]
        wanted = {"attempt": "1", "kind": "visit", "contact": "yes", "measure": measure}
        return next(item for item in items if wanted.items() <= item.items())

    one, two = visits("2025", "share"), visits("2024-2025", "share")
    assert two["high"] - two["low"] < 0.75 * (one["high"] - one["low"])
    assert visits("2024-2025", "drawn")["value"] == 2 * visits("2025", "drawn")["value"]


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        (f"{ATTEMPTS}.csv", "*/*"),
        (ATTEMPTS, "text/csv"),
        (ATTEMPTS, "text/csv; charset=utf-8"),
        (ATTEMPTS, "text/csv;header=present, */*;q=0.1"),
    ],
)
def test_csv_has_the_same_lines(desk: Desk, path: str, accept: str) -> None:
    answer = desk.call("coen", "GET", path, headers={"Accept": accept})
    assert answer.content_type == "text/csv; charset=utf-8"
    items = desk.call("coen", "GET", ATTEMPTS).get_json()["items"]
    as_text = [{name: "" if one is None else str(one) for name, one in item.items()} for item in items]
    assert list(csv.DictReader(io.StringIO(answer.text))) == as_text


@pytest.mark.parametrize("path", [RELEASES, ATTEMPTS, f"{ATTEMPTS}.csv"])
def test_an_answer_that_is_kept_is_not_sent_again(desk: Desk, path: str) -> None:
    first = desk.call("coen", "GET", path)
    again = desk.call("coen", "GET", path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert "no-cache" in first.headers["Cache-Control"]
    assert "private" in first.headers["Cache-Control"]
    assert {"Accept-Language"} <= {part.strip() for part in first.headers["Vary"].split(",")}


def test_json_and_csv_at_one_address_are_told_apart(desk: Desk) -> None:
    as_json, as_csv = (
        desk.call("coen", "GET", ATTEMPTS, headers={"Accept": accept})
        for accept in ("application/json", "text/csv")
    )
    assert as_json.headers["ETag"] != as_csv.headers["ETag"]
    assert "Accept," in as_json.headers["Vary"] + ","


# Readers


@pytest.mark.parametrize("path", [RELEASES, ATTEMPTS, f"{ATTEMPTS}.csv"])
def test_only_coordinators_read_while_figures_are_not_public(desk: Desk, path: str) -> None:
    assert desk.client.get(f"{BASE}{path}").status_code == 401
    statuses = {who: desk.call(who, "GET", path).status_code for who in desk.people}
    assert statuses == {who: 200 if who == "coen" else 403 for who in desk.people}


@pytest.mark.parametrize("path", [RELEASES, ATTEMPTS, f"{ATTEMPTS}.csv"])
def test_everybody_reads_where_the_setting_says_so(everybody: FlaskClient, path: str) -> None:
    answer = everybody.get(f"{BASE}{path}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_the_description_has_the_calls_with_both_forms(desk: Desk) -> None:
    document = desk.client.get(f"{BASE}/openapi.json").get_json()
    call = document["paths"]["/statistics/releases/{period}/tables/{table}"]["get"]
    assert set(call["responses"]["200"]["content"]) == {"application/json", "text/csv"}
    assert {"401", "403", "404"} <= set(call["responses"])
    assert call["security"] == [{}, {"token": []}]


# Open data


def test_the_folder_is_a_valid_data_package(everybody: FlaskClient, tmp_path: Path) -> None:
    answer = everybody.get("/figures/open-data.zip")
    assert answer.content_type == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        packed.extractall(tmp_path)
    folder = tmp_path / "signals-figures"
    report = frictionless.Package(folder / "datapackage.json").validate()
    assert report.valid, report.flatten(["title", "message"])
    assert report.stats["tasks"] == 6
    for path in folder.iterdir():
        assert path.read_text() == everybody.get(f"/figures/open-data/{path.name}").text


def test_the_workbook_has_the_lines_of_the_files(everybody: FlaskClient) -> None:
    answer = everybody.get("/figures/open-data.xlsx")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        names = re.findall(r'<sheet name="([^"]+)"', packed.read("xl/workbook.xml").decode())
        strings = re.findall(r"<t[^>]*>([^<]*)</t>", packed.read("xl/sharedStrings.xml").decode())
        rows = packed.read("xl/worksheets/sheet1.xml").count(b"<row ")
    assert names == ["attempts", "regions", "outcomes", "kinds", "received", "course"]
    assert {"Eerste poging", "visit", "low"} <= set(strings)
    assert rows == len(everybody.get("/figures/open-data/attempts.csv").text.splitlines())


def test_no_code_is_changed_by_excel(everybody: FlaskClient) -> None:
    """Excel reads `1-2` as a day, `1/2` as well, and `1E5` as a number."""
    for name in ("attempts", "regions", "outcomes", "kinds", "received", "course"):
        for line in csv.DictReader(io.StringIO(everybody.get(f"/figures/open-data/{name}.csv").text)):
            codes = [code for column, code in line.items() if column not in NUMBERS]
            assert [code for code in codes if re.fullmatch(r"\d+[-/]\d+|\d+E\d+|[=+@].*", code)] == []


def test_the_licence_is_that_of_the_setting(desk_settings: Settings, make_app: MakeApp) -> None:
    free = FiguresSettings(public=True, licence="CC0-1.0")
    client = make_app(replace(desk_settings, figures=free)).test_client()
    package = client.get("/figures/open-data/datapackage.json").get_json()
    assert package["licenses"] == [
        {"name": "CC0-1.0", "path": "https://creativecommons.org/publicdomain/zero/1.0/"}
    ]
    assert "CC0-1.0" in client.get("/figures/method").text


@pytest.mark.parametrize("kind", ["zip", "xlsx"])
def test_a_file_of_the_same_releases_is_the_same_and_of_more_another(
    everybody: FlaskClient, desk_settings: Settings, make_front: MakeApp, engine: Engine, kind: str
) -> None:
    first = everybody.get(f"/figures/open-data.{kind}")
    other = make_front(replace(desk_settings, figures=FiguresSettings(public=True))).test_client()
    assert other.get(f"/figures/open-data.{kind}").data == first.data
    publish(engine, ["2026-Q1"], year_of(600))
    assert everybody.get(f"/figures/open-data.{kind}").headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("name", ["intake.csv", "config.toml", "..%2fsignals.db", ".csv", "datapackage"])
def test_no_other_file_is_there(everybody: FlaskClient, name: str) -> None:
    assert everybody.get(f"/figures/open-data/{name}").status_code == 404


# Paper


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("nl", ("In het kort", "Welke poging leidt tot contact?", "hier is nog te weinig over te zeggen")),
        ("en", ("In short", "Which attempt leads to contact?", "too little here to say anything yet")),
    ],
)
def test_the_report_of_a_year_is_a_tagged_pdf_in_the_readers_language(
    everybody: FlaskClient, language: str, said: tuple[str, ...]
) -> None:
    answer = everybody.get(f"/figures/releases/2025/report.pdf?lang={language}")
    assert answer.content_type == "application/pdf"
    reader = PdfReader(io.BytesIO(answer.data))
    root = reader.root_object
    assert root["/Lang"] == language
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712  (a name of the PDF library)
    assert b"pdfuaid" in answer.data
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    assert [word for word in said if word not in text] == []


def test_no_page_of_the_report_begins_with_a_lonely_line(everybody: FlaskClient) -> None:
    answer = everybody.get("/figures/releases/2024-2025/report.pdf?lang=nl")
    pages = [page.extract_text().split("\n") for page in PdfReader(io.BytesIO(answer.data)).pages]
    assert min(map(len, pages)) > 6
