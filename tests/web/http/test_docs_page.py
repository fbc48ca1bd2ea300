"""The documentation of the API to read, with local assets or none, and the icon."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from signals.web.bundles import FILES

SCRIPT = "vendor/swagger-ui.js"


@pytest.fixture
def static(front_app: Flask, tmp_path: Path) -> Path:
    """Return a folder with empty style sheets, so that the installed npm packages do not matter."""
    folder = tmp_path / "static"
    (folder / "vendor").mkdir(parents=True)
    for name in FILES["page.css"]:
        (folder / name).touch()
    front_app.static_folder = str(folder)
    return folder


def operations(client: FlaskClient) -> list[tuple[str, str]]:
    document: Mapping[str, Any] = client.get("/api/v1/openapi.json").json or {}
    return [
        (path, method)
        for path, calls in document["paths"].items()
        for method in calls
        if method in ("get", "post", "put", "patch", "delete")
    ]


def test_without_the_viewer_every_operation_can_be_read(client: FlaskClient, static: Path) -> None:
    page = client.get("/docs").text
    wanted = operations(client)
    assert len(wanted) >= 4
    assert "<script" not in page
    for path, method in wanted:
        section = page[page.index(f"<bdi>/api/v1{path}</bdi>") :].split("<h2>")[0]
        assert f"<b>{method.upper()}</b>" in section


def test_with_the_viewer_the_page_loads_only_files_of_its_own(client: FlaskClient, static: Path) -> None:
    (static / SCRIPT).write_text("")
    page = client.get("/docs").text
    scripts = re.findall(r'<script src="([^"]*)"', page)
    assert [script.split("?")[0] for script in scripts] == ["/static/vendor/swagger-ui.js", "/static/docs.js"]
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


def test_the_content_policy_of_the_documentation_is_as_strict_as_elsewhere(client: FlaskClient) -> None:
    policies = {client.get(path).headers["Content-Security-Policy"] for path in ("/docs", "/")}
    assert len(policies) == 1
    assert "unsafe" not in policies.pop()


def test_a_static_file_may_be_kept_only_under_the_address_of_this_version(client: FlaskClient) -> None:
    versioned = re.search(r'href="(/static/bundles/page.css\?v=[0-9a-f]+)"', client.get("/").text)
    assert versioned
    assert "immutable" in client.get(versioned[1], buffered=True).headers["Cache-Control"]
    assert "immutable" not in client.get("/static/bundles/page.css", buffered=True).headers["Cache-Control"]
