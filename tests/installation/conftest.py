"""Copy the project's tools to a folder of the test, with stand-ins for parts that need a network."""

import shutil
from pathlib import Path

import pytest

from tests.support.project_files import PROJECT
from tests.support.tools_folder import Folder, MakeFolder

COPIED = (
    *("Makefile", "tools", "pyproject.toml", "requirements.lock", "requirements-dev.lock"),
    *("package.json", "package-lock.json", ".npmrc", "tests/prism", "tests/clients", "tests/oidc"),
)


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Return a function that makes such a folder under a name."""

    def make(name: str) -> Folder:
        path = tmp_path / name
        for one in COPIED:
            source, target = PROJECT / one, path / one
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
            else:
                shutil.copy(source, target)
        programs = tmp_path / "programs"
        programs.mkdir()
        return Folder(path=path, programs=programs)

    return make


@pytest.fixture
def folder(make_folder: MakeFolder) -> Folder:
    return make_folder("signals")
