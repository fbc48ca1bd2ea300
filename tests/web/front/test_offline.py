"""The service worker's file, the manifest, and what is sent compressed."""

import base64
import hashlib
import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import brotli
import pytest
from flask.testing import FlaskClient

from signals.settings import NotesSettings, SchemeSettings, Settings
from signals.vocabulary import LANGUAGES
from signals.web.front.forms import as_meant
from tests.support.installations import MakeApp
from tests.support.prism import node

GZIP = {"Accept-Encoding": "gzip"}
WORKER = """
globalThis.self = globalThis;
%s
const sent = [];
self.fetch = async (url, { body }) => { sent.push(body); return new Response("", { status: 503 }); };
(async () => {
  for (const report of [{ sealed: "sealed" }, { hidden: "hidden" }, { body: "plain" }])
    await self.signalsQueue.attempt({ key: "1", language: "nl", ...report });
  console.log(JSON.stringify({ sealing: self.signalsQueue.sealing(), sent }));
  process.exit();
})();
"""
BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd"}


def facts_of(client: FlaskClient) -> dict[str, object]:
    lines = re.findall(r"^const (VERSION|ASSETS|PAGES) = (.*);$", client.get("/sw.js").text, re.MULTILINE)
    return {name: json.loads(value) for name, value in lines}


def test_the_worker_names_files_that_are_there_under_their_version(client: FlaskClient) -> None:
    assets = facts_of(client)["ASSETS"]
    assert isinstance(assets, list)
    for url in assets:
        assert "?v=" in url
        assert client.get(url, buffered=True).status_code == 200


def test_every_script_and_style_of_the_pages_is_kept_for_offline(client: FlaskClient) -> None:
    assets = facts_of(client)["ASSETS"]
    assert isinstance(assets, list)
    for path in ("/", "/voortgang"):
        asked = re.findall(r'(?:src|href)="(/static/[^"]*\.(?:js|css)[^"]*)"', client.get(path).text)
        assert asked
        assert set(asked) <= set(assets)


def test_the_version_changes_with_what_the_form_asks(
    make_front: MakeApp, front_settings: Settings, client: FlaskClient
) -> None:
    with_notes = make_front(replace(front_settings, notes=NotesSettings(enabled=True))).test_client()
    assert facts_of(client)["VERSION"] == facts_of(client)["VERSION"]
    assert facts_of(with_notes)["VERSION"] != facts_of(client)["VERSION"]


def test_the_worker_is_asked_for_anew_each_time_and_runs_under_the_policy(client: FlaskClient) -> None:
    response = client.get("/sw.js")
    assert response.mimetype == "text/javascript"
    assert response.headers["Cache-Control"] == "no-store"
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_app_has_a_name_in_every_language_and_icons_that_are_there(
    client: FlaskClient, code: str
) -> None:
    response = client.get(f"/manifest.webmanifest?lang={code}")
    manifest = json.loads(response.text)
    assert response.mimetype == "application/manifest+json"
    assert manifest["lang"] == code
    assert manifest["short_name"] == "Deurpost"
    assert (manifest["name"] == "Deurpost: Worried about a resident?") == (code == "en")
    for icon in manifest["icons"]:
        content = client.get(icon["src"], buffered=True).data
        assert int.from_bytes(content[16:20], "big") == int(icon["sizes"].split("x")[0])


def test_a_scheme_shows_its_own_name_and_mark_everywhere(
    front_settings: Settings, make_front: MakeApp, tmp_path: Path
) -> None:
    mark = tmp_path / "mark.svg"
    mark.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9" class="x"/></svg>'
    )
    scheme = SchemeSettings(name="Buurt & Co", mark_file=mark)
    client = make_front(replace(front_settings, scheme=scheme)).test_client()
    manifest = json.loads(client.get("/manifest.webmanifest?lang=nl").text)
    assert manifest["short_name"] == "Buurt & Co"
    (icon,) = manifest["icons"]
    shown = client.get(icon["src"])
    assert (shown.mimetype, "class" in shown.text) == ("image/svg+xml", False)
    assert "immutable" in shown.headers["Cache-Control"]
    for path in ("/", "/voortgang", "/docs", "/nowhere"):
        page = client.get(path, headers={"Accept": "text/html"}).text
        assert "Buurt &amp; Co</title>" in page
        assert f'<link rel="icon" href="{icon["src"]}">' in page


@pytest.mark.parametrize(
    ("taken", "coding"),
    [
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("gzip;q=0, br;q=0", None),
        ("deflate", None),
        ("*", "br"),
        ("", None),
    ],
)
def test_the_coding_is_the_one_that_the_reader_likes_best(
    client: FlaskClient, taken: str, coding: str | None
) -> None:
    answer = client.get("/", headers={"Accept-Encoding": taken})
    assert answer.headers.get("Content-Encoding") == coding
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_a_large_library_keeps_nobody_waiting_for_its_smallest_form(client: FlaskClient) -> None:
    answer = client.get("/static/vendor/swagger-ui.js", headers=BROWSER, buffered=True)
    content = brotli.decompress(answer.data)
    assert len(content) > 1_000_000
    assert answer.data == brotli.compress(content, mode=brotli.MODE_TEXT, quality=5)


@pytest.mark.parametrize("path", ["/static/bundles/page.css", "/static/bundles/queue.js"])
def test_a_file_that_did_not_change_is_not_sent_again(client: FlaskClient, path: str) -> None:
    etag = client.get(path, headers=GZIP, buffered=True).headers["ETag"]
    again = client.get(path, headers=GZIP | {"If-None-Match": etag}, buffered=True)
    assert again.status_code == 304
    assert again.data == b""


def test_a_bundle_holds_its_files_in_their_order(client: FlaskClient) -> None:
    queue = client.get("/static/bundles/queue.js").text
    assert 0 < queue.index("signalsQueue") > queue.index("openDB")
    page = client.get("/static/bundles/carrier.js").text
    assert page.index("signalsPage =") < page.index('"report"') < page.index('"progress-form"')
    assert "signalsPage =" not in queue
    assert client.get("/static/bundles/other.js").status_code == 404


def test_where_no_page_is_the_queue_sends_what_is_sealed_or_plain_and_keeps_what_is_hidden(
    client: FlaskClient, tmp_path: Path
) -> None:
    """A service worker has no `document`; Node has none either."""
    script = tmp_path / "worker.js"
    script.write_text(WORKER % client.get("/static/bundles/queue.js").text)
    ran = subprocess.run([node(), str(script)], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == {"sealing": None, "sent": ["sealed", "plain"]}


@pytest.mark.parametrize(
    "path", ["/static/bundles/page.css", "/static/bundles/queue.js", "/static/icons/frail.svg"]
)
def test_a_file_carries_only_headers_that_mean_something_for_a_file(client: FlaskClient, path: str) -> None:
    found = client.get(f"{path}?v=1", headers=GZIP, buffered=True).headers
    assert found["API-Version"] == "1.0.0"  # as on every answer
    assert found["X-Content-Type-Options"] == "nosniff"
    assert found["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "immutable" in found["Cache-Control"]
    usual = {"Content-Type", "Content-Length", "Content-Encoding", "Cache-Control", "ETag", "Vary", "Date"}
    kept = {"API-Version", "X-Content-Type-Options", "Cross-Origin-Resource-Policy"}
    drawn = {"Content-Security-Policy"} if path.endswith("svg") else set()
    assert {name for name, _ in found} <= usual | kept | drawn
    assert bool(drawn) == ("Content-Security-Policy" in found)


def test_an_answer_with_a_receipt_beside_typed_text_is_never_compressed(client: FlaskClient) -> None:
    form = {
        "idempotency_key": "5f0c8e1a-6f1e-4b7d-9a37-2f6f0d0f7a11",
        "postcode": "1012AB",
        "house_number": "12",
    }
    answer = client.post("/", data=form, headers=BROWSER)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers
    body = {"postcode": "1012AB", "house_number": 12}
    answer = client.post("/api/v1/coverage/lookup", json=body, headers=BROWSER)
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1O12AB", "1012AB"),
        (" lo12 ab ", "1012ab"),
        ("I0l2A0", "1012AO"),
        ("1012 AB", "1012AB"),
        ("O012AB", "O012AB"),
        ("hallo", "hallo"),
        ("1" * 500, "1" * 500),
    ],
)
def test_a_postcode_is_read_as_it_was_meant(typed: str, meant: str) -> None:
    assert as_meant(typed) == meant


@pytest.mark.parametrize("path", ["/", "/voortgang", "/gezien"])
def test_each_script_and_style_of_a_page_has_its_published_hash(client: FlaskClient, path: str) -> None:
    page, published = client.get(path).text, client.get("/.well-known/assets.json").get_json()["assets"]
    tags = [tag for tag in re.findall(r"<(?:script|link)[^>]*>", page) if "/static/bundles/" in tag]
    late = re.findall(r'data-(?:script|tokens)="([^?"]*)[?][^"#]*#([^"]*)"', page)
    assert (len(tags), len(late)) == (3, 2)
    found = [re.findall(r'(?:href|src)="([^?"]*)[^>]* integrity="([^"]*)"', tag)[0] for tag in tags]
    for place, its_hash in [*found, *late]:
        assert published[place] == its_hash
        content = client.get(place, buffered=True).data
        assert its_hash == f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"
