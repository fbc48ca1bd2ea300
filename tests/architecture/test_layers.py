"""The layers of the design hold, and so does what a start may import."""

from __future__ import annotations

import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from privacy.secret_files import write_new_secret_file

PROJECT = Path(__file__).resolve().parents[2]
# Import late: each costs more than the rest of a start together.
LATE_IMPORTS = ("twilio", "xlsxwriter", "typst", "alembic")
PURE_MODULES = (
    "signals.routing.postcodes",
    "signals.lifecycle.case_numbers",
    "signals.vocabulary",
    "signals.comparisons.plan",
    "signals.lifecycle.deadlines",
    "signals.lifecycle.transitions",
    "signals.routing.rows",
    "signals.routing.municipalities",
    "signals.routing.day_table",
    "signals.routing.table",
    "signals.routing.compact_coverage",
    "signals.routing.address_file",
    "signals.routing.place_pages",
    "signals.routing.place_files",
    "privacy.sealing",
    "privacy.pseudonyms",
    "privacy.receipts",
    "privacy.macs",
    "privacy.audit_chain",
    "privacy.audit_macs",
    "privacy.totp",
    "privacy.passwords",
    "privacy.pictures",
    "privacy.noise",
    "privacy.tokens",
    "privacy.logs",
)


IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
seen = []
watched = {{"socket.connect", "sqlite3.connect"}}
sys.addaudithook(lambda event, args: seen.append(event) if event in watched else None)
package = importlib.import_module({package!r})
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
sys.exit(", ".join(seen + [name for name in {late} if name in sys.modules]) or 0)
"""
START_FRONT = """
import os, sys
os.environ["SIGNALS__ROLE"] = "front"
from wsgi import app
assert app.url_map
sys.exit(", ".join(name for name in {absent} if name in sys.modules) or 0)
"""


def _run_python(code: str, folder: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    own = {"PYTHONPATH": str(PROJECT)}  # and none of the settings of the machine that runs the tests
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIGNALS_")}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=kept | own,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _exists(module: str) -> bool:
    path = PROJECT.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _contract(name: str) -> dict[str, Any]:
    linter = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return next((found for found in linter["contracts"] if found["name"] == name), {})


def test_every_import_contract_is_kept() -> None:
    lint = _run_python("import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())")
    assert lint.returncode == 0, lint.stdout[lint.stdout.find("Contracts") :]


def test_every_pure_module_is_under_the_contract_against_databases() -> None:
    covered = _contract("Rules and cryptography know no database")["source_modules"]
    assert set(covered) == {module for module in PURE_MODULES if _exists(module)}


def test_every_module_of_the_product_has_its_layer() -> None:
    layers = _contract("Layers: a module imports only from the layers below it")["layers"]
    placed = {name for layer in layers for name in re.findall(r"signals\.\w+", layer)}
    found = {f"signals.{name}" for _, name, _ in pkgutil.iter_modules([str(PROJECT / "signals")])}
    assert found - placed == set()


def test_the_public_side_is_under_contract_never_to_reach_the_keystore() -> None:
    contract = _contract("The public side never reaches the keystore")
    covered = contract.get("source_modules") == ["signals.web.front"] and not contract.get(
        "allow_indirect_imports"
    )
    assert covered == _exists("signals.web.front")


@pytest.mark.slow
@pytest.mark.parametrize("package", ["signals", "notifications", "privacy"])
def test_importing_every_module_connects_to_nothing_and_brings_no_slow_library(
    package: str, tmp_path: Path
) -> None:
    done = _run_python(IMPORT_EVERYTHING.format(package=package, late=LATE_IMPORTS), tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert list(tmp_path.iterdir()) == []


def test_a_public_process_starts_without_the_keystore_and_without_slow_libraries(tmp_path: Path) -> None:
    (tmp_path / "var" / "secrets").mkdir(parents=True, mode=0o700)
    write_new_secret_file(tmp_path / "var" / "secrets" / "front.key")
    done = _run_python(START_FRONT.format(absent=(*LATE_IMPORTS, "privacy.keystore")), tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
