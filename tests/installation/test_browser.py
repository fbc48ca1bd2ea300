"""`make test` asks for Chromium before it installs anything, and only for tests that need it."""

from pathlib import Path

import pytest

from tests.support.tools_folder import Folder
from tools import browser
from tools.failing import Failed


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        ([], True),
        (["-x", "-k", "queue"], True),
        (["tests"], True),
        (["tests/browser/test_figures.py::test_one"], True),
        (["tests/routing", "tests/browser"], True),
        (["tests/routing", "-k", "postcode"], False),
        (["tests/routing/test_postcodes.py::test_one"], False),
        (["-m", "not browser and not slow"], False),
    ],
)
def test_only_browser_tests_need_a_browser(arguments: list[str], needed: bool) -> None:
    assert browser.needs_browser(arguments) is needed


def test_an_account_without_rights_gets_one_line_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(browser.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(browser.shutil, "which", lambda _name: "/usr/bin/apt-get")
    with pytest.raises(Failed) as failed:
        browser.install()
    (line,) = str(failed.value).splitlines()
    assert "sudo apt-get install chromium" in line
    assert "not browser" in line


def test_root_installs_the_small_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(browser.os, "geteuid", lambda: 0)
    monkeypatch.setattr(browser.shutil, "which", lambda _name: "/usr/bin/apt-get")
    monkeypatch.setattr(browser, "_apt", lambda *arguments: asked.append(arguments) or True)
    monkeypatch.setattr(browser, "find", lambda: Path("/usr/bin/chromium-headless-shell"))
    browser.install()
    assert [arguments[-1] for arguments in asked] == ["update", "chromium-headless-shell"]


def test_a_named_browser_that_is_not_there_is_not_replaced(folder: Folder) -> None:
    folder.stand_in("apt-get")
    code, said = folder.run("make", "test", "CHROMIUM=/nowhere/chromium")
    assert code != 0
    assert "CHROMIUM=/path/to/chromium" in said
    assert folder.calls == []
    assert not (folder.path / ".venv").exists()
