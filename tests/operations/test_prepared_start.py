"""`signals serve --prepare` makes an installation ready, and keeps nothing of that in the server's memory."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from signals.cli import running

PROJECT = Path(__file__).parents[2]
PREPARE = """
import sys
from pathlib import Path
import click
from signals.cli.running import _prepare
with click.Context(click.Command("serve"), obj=Path("config.toml")):
    _prepare()
print(*(name for name in ("xlsxwriter", "typst", "alembic") if name in sys.modules))
"""


@dataclass(frozen=True, kw_only=True)
class Start:
    """A start up to the point where it would serve: the large libraries that it has loaded, what it told."""

    folder: Path
    loaded: list[str]
    told: str

    @property
    def accounts(self) -> Path:
        return self.folder / "var" / "demo" / "accounts.json"


def start(folder: Path) -> Start:
    environment = {"PYTHONPATH": str(PROJECT), "SIGNALS__SESSIONS__PASSWORD_MEMORY_KIB": "64"}
    command = [sys.executable, "-c", PREPARE]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return Start(folder=folder, loaded=done.stdout.split(), told=done.stderr)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Start:
    return start(tmp_path_factory.mktemp("first"))


def test_a_first_start_seeds_the_demo_and_keeps_no_solver_in_memory(first: Start) -> None:
    assert "Demo seeded" in first.told
    assert first.accounts.exists()
    assert first.loaded == ["alembic"]  # there were tables to make


def test_a_second_start_loads_nothing_that_prepares(first: Start) -> None:
    accounts = first.accounts.read_bytes()
    second = start(first.folder)
    assert "Demo seeded" not in second.told
    assert second.loaded == []
    assert second.accounts.read_bytes() == accounts


def test_accounts_that_were_lost_are_made_anew_at_the_next_start(first: Start, tmp_path: Path) -> None:
    shutil.copytree(first.folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "var" / "demo" / "accounts.json").unlink()
    again = start(tmp_path)
    assert {account["role"] for account in json.loads(again.accounts.read_text())} >= {"worker", "lead"}


def test_a_seeding_that_is_refused_ends_the_start(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("nonsense = true\n")
    with pytest.raises(SystemExit) as ended:
        running._seed_apart(config)
    assert ended.value.code == 1
