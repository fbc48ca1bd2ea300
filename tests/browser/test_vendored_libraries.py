"""The front-end libraries work in a real Chromium under the policy of our pages: nothing inline, no eval."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Page

from signals.web.assets import VENDOR

pytestmark = pytest.mark.browser

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
DOCS_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>API</title>
<link rel="stylesheet" href="/swagger-ui.css">
<div id="docs"></div><script src="/swagger-ui.js"></script><script src="/docs.js"></script></html>"""
DOCS_SCRIPT = "SwaggerUIBundle({url: '/openapi.json', dom_id: '#docs'});"
OPENAPI = """{"openapi": "3.1.0", "info": {"title": "Example", "version": "1"}, "paths": {"/form": {"get":
{"summary": "What can be reported", "responses": {"200": {"description": "The form"}}}}}}"""
IDB_PAGE = """<!doctype html><html lang="en"><title>Queue</title><p id="answer"></p>
<script src="/idb.js"></script><script src="/idb-use.js"></script></html>"""
IDB_SCRIPT = """idb.openDB('queue', 1, {upgrade(db) { db.createObjectStore('waiting'); }})
.then(async db => { await db.put('waiting', 'kept', 1);
document.getElementById('answer').textContent = await db.get('waiting', 1); });"""
HTMX_PAGE = """<!doctype html><html lang="en"><title>Desk</title>
<meta name="htmx-config" content='{"includeIndicatorStyles":false,"allowEval":false}'>
<button hx-get="/part.html" hx-target="#answer">More</button><p id="answer"></p>
<script src="/htmx.js"></script></html>"""
FILES = {
    "docs.html": DOCS_PAGE,
    "docs.js": DOCS_SCRIPT,
    "openapi.json": OPENAPI,
    "idb.html": IDB_PAGE,
    "idb-use.js": IDB_SCRIPT,
    "htmx.html": HTMX_PAGE,
    "part.html": "loaded",
}


class _Handler(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *arguments: object) -> None:
        """Says nothing: the tests' output is pytest's."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a small site with the vendored files at its root."""
    folder = tmp_path_factory.mktemp("site") / "root"
    shutil.copytree(VENDOR, folder)
    for name, content in FILES.items():
        (folder / name).write_text(content)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _without_icon(complaints: list[str]) -> list[str]:
    return [text for text in complaints if "404" not in text]


def test_the_api_documentation_is_drawn_without_anything_inline(
    page: Page, site: str, complaints: list[str]
) -> None:
    page.goto(f"{site}/docs.html")
    page.get_by_text("What can be reported").wait_for()
    assert _without_icon(complaints) == []
