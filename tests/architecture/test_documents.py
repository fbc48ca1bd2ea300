"""The documents name pages, headings and modules that exist."""

import re

import pytest

from tests.support.project_files import PROJECT, project_files

DOCUMENTS = [
    name for name in project_files() if name.endswith(".md") and name.startswith(("README", "docs/"))
]
PACKAGES = ("signals/", "notifications/", "privacy/")


def headings(name: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", (PROJECT / name).read_text("utf-8"), re.MULTILINE)


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_link_leads_to_a_page_and_a_heading_that_exist(name: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)\s#]*)(?:#([^)\s]+))?\)", (PROJECT / name).read_text("utf-8"))
    for path, heading in links:
        target = (PROJECT / name).parent / path if path else PROJECT / name
        assert target.exists(), path
        if heading:
            assert heading in map(anchor, headings(str(target.resolve().relative_to(PROJECT))))


@pytest.mark.parametrize("name", ["README.md", "docs/contributing.md"])
def test_the_map_names_modules_that_exist(name: str) -> None:
    named = re.findall(
        r"`((?:signals|notifications|privacy|tests)/[a-z_/.]+)`", (PROJECT / name).read_text("utf-8")
    )
    assert [path for path in named if not (PROJECT / path).exists()] == []


def test_the_map_names_every_folder() -> None:
    folders = {path.parent.name for path in (PROJECT / "signals").glob("*/__init__.py")}
    rows = re.findall(r"^\| (`.*?) \|", (PROJECT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert folders - {name for row in rows for name in re.findall(r"`(\w+)/`", row)} == set()


def test_a_message_names_a_heading_that_exists() -> None:
    sources = [name for name in project_files() if name.endswith(".py") and name.startswith(PACKAGES)]
    named = {
        found
        for source in sources
        for found in re.findall(r"(docs/[\w-]+\.md), '([^']+)'", (PROJECT / source).read_text("utf-8"))
    }
    assert named
    assert [each for each in named if each[1] not in headings(each[0])] == []
