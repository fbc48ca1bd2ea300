"""Test that the repository holds nothing of one machine, of somebody else or secret."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.project_files import PROJECT, project_files, tracked_files, unignored_files
from tools.licences import ELSEWHERE, unsuitable

# The pieces keep this file from finding itself.
FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)" + r"/[\w.]"),
    "the address of a package index": re.compile(
        "|".join(
            [
                r"(?<!--no-emit-)index" + "-url",
                "find" + "-links",
                "files.python" + "hosted",
                "registry." + "npmjs",
            ]
        )
    ),
    "a download address in a lock file": re.compile('"resolved"' + r": *\"http"),
    "a private key": re.compile("BEGIN [A-Z ]*PRIVATE" + " KEY"),
    "a promise instead of code": re.compile(r"\b(?:TO" + "DO|FIX" + "ME|X" + r"XX)\b"),
}
VENDORED_NAMES = re.compile(
    r"(?:^|/)(?:node_modules|vendor|third_party)/|\.min\.(?:js|css)$|(?:^|/)htmx[^/]*\.js$"
)


@cache
def _texts() -> tuple[tuple[str, str], ...]:
    """The tracked files that are text, by name; the two lock files of pip are looked at apart."""
    return tuple((name, text) for name in project_files() if (text := _text_of(PROJECT / name)) is not None)


def _text_of(path: Path) -> str | None:
    content = path.read_bytes()
    return None if b"\0" in content else content.decode("utf-8")


def _locked(name: str) -> dict[str, list[str]]:
    """The entries of a pip lock file: `name==version` to its hashes."""
    joined = (PROJECT / name).read_text().replace("\\\n", " ")
    return {
        line.split()[0]: re.findall(r"--hash=(\S+)", line) for line in joined.splitlines() if line.strip()
    }


def _npm_packages() -> dict[str, dict[str, Any]]:
    packages: dict[str, dict[str, Any]] = json.loads((PROJECT / "package-lock.json").read_text())["packages"]
    return {name: entry for name, entry in packages.items() if name}


def test_a_tree_without_git_has_the_same_files(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text(".venv/\n*.mo\nweb/vendor/\n")
    for name in ("a.py", "web/page.html", "web/vendor/x.js", ".venv/lib.py", "words.mo", ".git/HEAD"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert tracked_files(tmp_path) == []
    assert set(unignored_files(tmp_path)) == {".gitignore", "a.py", "web/page.html"}
    assert set(tracked_files(PROJECT)) <= set(unignored_files(PROJECT))


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_contains(what: str) -> None:
    found = [name for name, text in _texts() if FORBIDDEN[what].search(text)]
    assert found == []


def test_no_library_of_others_is_committed() -> None:
    assert [name for name in project_files() if VENDORED_NAMES.search(name)] == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_entry_of_a_lock_file_is_pinned_with_hashes(name: str) -> None:
    entries = _locked(name)
    assert len(entries) > 20
    assert [e for e, hashes in entries.items() if "==" not in e or not hashes] == []
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", h) for hashes in entries.values() for h in hashes)


def test_tests_run_with_the_versions_that_the_product_ships() -> None:
    assert set(_locked("requirements.lock")) <= set(_locked("requirements-dev.lock"))


def test_every_npm_entry_has_its_hash_and_no_address() -> None:
    packages = _npm_packages()
    assert len(packages) >= 4
    assert [n for n, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")] == []
    assert [n for n, entry in packages.items() if "resolved" in entry] == []


def test_every_npm_package_asked_for_has_one_exact_version() -> None:
    asked = json.loads((PROJECT / "package.json").read_text())["dependencies"]
    assert [name for name, version in asked.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    assert asked["htmx.org"].startswith("2.0.")


def test_package_catalogue_and_changelog_name_one_version() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert f'\nsoftwareVersion: "{version}"\n' in (PROJECT / "publiccode.yml").read_text()
    newest = re.search(r"^## (\S+?),? ", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest
    assert newest[1] == version


def test_a_new_licence_of_the_product_is_judged_by_a_person() -> None:
    suitable = ("MIT", "Apache-2.0 AND MIT", "LGPLv3+", "Mozilla Public License 2.0 (MPL 2.0)", ELSEWHERE)
    assert unsuitable([("a", "1", licence) for licence in suitable]) == []
    for licence in (
        "GPL-3.0-only",
        "MIT AND GPL-2.0",
        "AGPL-3.0",
        "GNU General Public License v2",
        "not stated",
    ):
        assert unsuitable([("a", "1", licence)]) == [("a", licence)]


def test_third_party_names_every_locked_package() -> None:
    listed = (PROJECT / "THIRD_PARTY.md").read_text()
    python = {entry.partition("==")[0] for entry in _locked("requirements.lock")}
    npm = {name.removeprefix("node_modules/") for name in _npm_packages()} | {"@stoplight/prism-cli"}
    assert [name for name in sorted(python | npm) if f"| {name} |" not in listed] == []
