"""Released figures for programs and as open data: long form, who reads, what is kept, what does not exist."""

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import Engine

from privacy.disclosure.folder import read_folder
from privacy.disclosure.tables import Cell
from signals.settings import FiguresSettings, Settings
from signals.web.figures.shares import share
from tests.support.desk_side import BASE, Desk
from tests.support.installations import MakeApp
from tests.support.releases import store_releases

RELEASES = "/statistics/releases"
FOLLOW_UP = f"{RELEASES}/2026-Q3/tables/follow_up"


@pytest.fixture(autouse=True)
def released(engine: Engine) -> None:
    """Two quarters and a year; what was helped is hidden, outcomes of the year are withheld."""
    store_releases(engine, ["2026-Q2", "2026-Q3"], _value)
    store_releases(engine, ["2025"], _value, withheld=frozenset({"outcomes"}))


@pytest.fixture
def everybody(desk_settings: Settings, make_front: MakeApp) -> FlaskClient:
    """Return a client of a public process with figures and without a desk."""
    return make_front(replace(desk_settings, figures=FiguresSettings(public=True))).test_client()


def _value(cell: Cell) -> int | None:
    return None if cell.measure == "helped" else 100


# The form


def test_the_description_says_that_what_is_kept_is_not_sent_again(desk: Desk) -> None:
    document = desk.client.get(f"{BASE}/openapi.json").get_json()
    figures = [path for path in document["paths"] if path.startswith(f"{BASE}/statistics/")]
    assert len(figures) == 3
    assert [path for path in figures if "304" not in document["paths"][path]["get"]["responses"]] == []


def test_the_releases_are_listed_newest_first_with_their_tables(desk: Desk) -> None:
    body = desk.call("coen", "GET", RELEASES).get_json()
    assert [(item["period"], item["released_on"]) for item in body["items"]] == [
        ("2026-Q3", "2026-10-20"),
        ("2026-Q2", "2026-10-20"),
        ("2025", "2026-10-20"),
    ]
    first = body["items"][0]["tables"][0]
    assert first == {"name": "intake", "title": "Ontvangen signalen, naar wat opviel"}


def test_titles_follow_the_readers_language(desk: Desk) -> None:
    english = desk.call("coen", "GET", RELEASES, headers={"Accept-Language": "en"}).get_json()
    assert english["items"][0]["tables"][0]["title"] == "Signals received, by what was noticed"


def test_a_table_is_in_the_long_form_and_a_hidden_cell_is_null(desk: Desk) -> None:
    body = desk.call("coen", "GET", FOLLOW_UP).get_json()
    assert set(body) == {"period", "table", "title", "released_on", "withheld", "dimensions", "items"}
    values = {item["measure"]: item["value"] for item in body["items"]}
    assert (values["reached"], values["helped"]) == (100, None)
    attempts = desk.call("coen", "GET", f"{RELEASES}/2025/tables/attempts").get_json()
    assert attempts["dimensions"] == ["kinds", "number", "reached"]
    assert {
        "kinds": "visit",
        "number": "4+",
        "reached": "yes",
        "measure": "signals",
        "value": 100,
    } in attempts["items"]


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        (f"{FOLLOW_UP}.csv", "*/*"),
        (FOLLOW_UP, "text/csv"),
        (FOLLOW_UP, "text/csv; charset=utf-8"),
        (FOLLOW_UP, "text/csv;header=present, */*;q=0.1"),
    ],
)
def test_csv_has_the_same_cells_and_hides_by_a_sign(desk: Desk, path: str, accept: str) -> None:
    answer = desk.call("coen", "GET", path, headers={"Accept": accept})
    assert answer.content_type == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(lines[0]) == ["measure", "value"]
    assert {line["measure"]: line["value"] for line in lines}["helped"] == "<10"
    items = desk.call("coen", "GET", FOLLOW_UP).get_json()["items"]
    assert [
        {"measure": item["measure"], "value": "<10" if item["value"] is None else str(item["value"])}
        for item in items
    ] == lines


def test_a_withheld_table_says_so_and_has_no_cells(desk: Desk) -> None:
    path = f"{RELEASES}/2025/tables/outcomes"
    body = desk.call("coen", "GET", path).get_json()
    assert (body["withheld"], body["items"]) == (True, [])
    assert desk.call("coen", "GET", f"{path}.csv").text == "outcome,measure,value\n"


@pytest.mark.parametrize("path", [RELEASES, FOLLOW_UP, f"{FOLLOW_UP}.csv"])
def test_an_answer_that_is_kept_is_not_sent_again(desk: Desk, path: str) -> None:
    first = desk.call("coen", "GET", path)
    again = desk.call("coen", "GET", path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert "no-cache" in first.headers["Cache-Control"]
    assert "private" in first.headers["Cache-Control"]
    assert {"Accept-Language"} <= {part.strip() for part in first.headers["Vary"].split(",")}


def test_json_and_csv_at_one_address_are_told_apart(desk: Desk) -> None:
    as_json, as_csv = (
        desk.call("coen", "GET", FOLLOW_UP, headers={"Accept": accept})
        for accept in ("application/json", "text/csv")
    )
    assert as_json.headers["ETag"] != as_csv.headers["ETag"]
    assert "Accept," in as_json.headers["Vary"] + ","


# Readers


@pytest.mark.parametrize("path", [RELEASES, FOLLOW_UP, f"{FOLLOW_UP}.csv"])
def test_only_coordinators_read_while_figures_are_not_public(desk: Desk, path: str) -> None:
    assert desk.client.get(f"{BASE}{path}").status_code == 401
    statuses = {who: desk.call(who, "GET", path).status_code for who in desk.people}
    assert statuses == {who: 200 if who == "coen" else 403 for who in desk.people}


@pytest.mark.parametrize("path", [RELEASES, FOLLOW_UP, f"{FOLLOW_UP}.csv"])
def test_everybody_reads_where_the_setting_says_so(everybody: FlaskClient, path: str) -> None:
    answer = everybody.get(f"{BASE}{path}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_the_description_has_the_calls_with_both_forms(desk: Desk) -> None:
    document = desk.client.get(f"{BASE}/openapi.json").get_json()
    call = document["paths"]["/api/v1/statistics/releases/{period}/tables/{table}"]["get"]
    assert set(call["responses"]["200"]["content"]) == {"application/json", "text/csv"}
    assert {"401", "403", "404"} <= set(call["responses"])
    assert call["security"] == [{}, {"token": []}]


# Open data


def test_the_description_names_files_that_are_there(everybody: FlaskClient) -> None:
    package = everybody.get("/figures/open-data/datapackage.json").get_json()
    assert package["licenses"][0]["name"] == "CC-BY-4.0"
    assert len(package["resources"]) > 8
    for resource in package["resources"]:
        answer = everybody.get(f"/figures/open-data/{resource['path']}")
        assert answer.status_code == 200
        head = answer.text.splitlines()[0].split(",")
        assert head == [field["name"] for field in resource["schema"]["fields"]]


def test_the_licence_is_that_of_the_setting(desk_settings: Settings, make_app: MakeApp) -> None:
    free = FiguresSettings(public=True, licence="CC0-1.0")
    client = make_app(replace(desk_settings, figures=free)).test_client()
    package = client.get("/figures/open-data/datapackage.json").get_json()
    assert package["licenses"] == [
        {"name": "CC0-1.0", "path": "https://creativecommons.org/publicdomain/zero/1.0/"}
    ]
    assert "CC0-1.0" in client.get("/figures/method").text


def test_the_zip_is_the_folder_that_can_be_verified(everybody: FlaskClient, tmp_path: Path) -> None:
    answer = everybody.get("/figures/open-data.zip")
    assert answer.content_type == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        packed.extractall(tmp_path)
    folder = tmp_path / "signals-figures"
    for path in folder.iterdir():
        if path.suffix == ".csv":
            assert path.read_text() == everybody.get(f"/figures/open-data/{path.name}").text
    package = json.loads((folder / "datapackage.json").read_text())
    assert package == everybody.get("/figures/open-data/datapackage.json").get_json()
    published = read_folder(folder)
    assert published.values[Cell("follow_up", "2026-Q3", (), "reached")] == 100
    assert published.values[Cell("follow_up", "2026-Q3", (), "helped")] is None


def test_the_zip_of_the_same_releases_is_the_same_and_of_more_another(
    everybody: FlaskClient, engine: Engine
) -> None:
    first = everybody.get("/figures/open-data.zip")
    assert everybody.get("/figures/open-data.zip").data == first.data
    store_releases(engine, ["2026-Q1"], _value)
    assert everybody.get("/figures/open-data.zip").headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize(
    "name", ["2026-Q4-intake.csv", "config.toml", "..%2fsignals.db", "2026-Q3-.csv", "datapackage"]
)
def test_no_other_file_is_there(everybody: FlaskClient, name: str) -> None:
    assert everybody.get(f"/figures/open-data/{name}").status_code == 404


# On paper


@pytest.mark.parametrize(
    ("language", "said"),
    [("nl", ("Van signaal tot hulp", "verborgen")), ("en", ("From signal to help", "hidden"))],
)
def test_the_report_of_a_quarter_is_a_tagged_pdf_in_the_readers_language(
    everybody: FlaskClient, language: str, said: tuple[str, ...]
) -> None:
    answer = everybody.get(f"/figures/releases/2026-Q3/report.pdf?lang={language}")
    assert answer.content_type == "application/pdf"
    reader = PdfReader(io.BytesIO(answer.data))
    root = reader.root_object
    assert root["/Lang"] == language
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712  (a name of the PDF library)
    assert b"pdfuaid" in answer.data
    text = "".join(page.extract_text() for page in reader.pages)
    assert [word for word in said if word not in text] == []


def test_the_report_begins_with_what_reaches_people_and_says_when(everybody: FlaskClient) -> None:
    answer = everybody.get("/figures/releases/2026-Q3/report.pdf?lang=nl")
    text = " ".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages).split())
    assert text.index("In het kort") < text.index("Vaker proberen") < text.index("Van signaal tot hulp")
    assert "naar het aantal pogingen, van de signalen die zijn afgerond in 2025." in text
    assert "Gearceerd: verborgen, omdat het getal kleiner is dan 10" in text


@pytest.mark.parametrize("period", ["2025", "2026-Q4", "2020-Q1"])
def test_there_is_a_report_of_released_quarters_only(everybody: FlaskClient, period: str) -> None:
    assert everybody.get(f"/figures/releases/{period}/report.pdf").status_code == 404


def test_the_report_can_be_set_when_everything_is_hidden_or_withheld(
    everybody: FlaskClient, engine: Engine
) -> None:
    store_releases(engine, ["2026-Q1"], lambda _cell: None, withheld=frozenset({"intake"}))
    assert everybody.get("/figures/releases/2026-Q1/report.pdf").status_code == 200


# Shares


def test_a_share_lies_within_the_range_of_all_true_counts_that_round_so() -> None:
    for part, whole in ((10, 15), (25, 100), (95, 100), (40, 40)):
        found = share(part, whole)
        assert found is not None
        for true_part in range(max(10, part - 2), part + 3):
            for true_whole in range(max(10, whole - 2, true_part), whole + 3):
                assert found.low <= true_part / true_whole <= found.high


def test_a_share_of_a_hidden_count_is_hidden() -> None:
    assert share(None, 100) is None
    assert share(10, None) is None
