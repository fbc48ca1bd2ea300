"""Writes THIRD_PARTY.md from the two locks and the installed packages: `make licences`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TARGET = PROJECT / "THIRD_PARTY.md"
HEAD = """# Third-party software

Made by `make licences` from the lock files; not edited by hand. Nothing of it is in this repository:
pip and npm fetch it, by hash. Licences are as each package states them.
"""
Row = tuple[str, str, str]


def main() -> None:
    """Writes the file anew."""
    product = set(_pinned("requirements.lock"))
    tools = set(_pinned("requirements-dev.lock")) - product
    TARGET.write_text(
        HEAD
        + _table("Python, in the product", _python_rows(product))
        + _table("Front-end, from npm", _npm_rows())
        + _table("Python, for development and tests only", _python_rows(tools))
    )


def _pinned(lock: str) -> Iterator[tuple[str, str, bool]]:
    """Name, version, and whether it is for every platform, of each entry of a pip lock file."""
    pattern = re.compile(r"^([\w.-]+)==([\w.!+-]+)(.*)$", re.MULTILINE)
    for name, version, rest in pattern.findall((PROJECT / lock).read_text()):
        yield name, version, ";" not in rest


def _python_rows(pinned: Iterable[tuple[str, str, bool]]) -> list[Row]:
    return [
        (name, version, _python_licence(name, everywhere)) for name, version, everywhere in sorted(pinned)
    ]


def _python_licence(name: str, everywhere: bool) -> str:
    try:
        return _stated(metadata(name))
    except PackageNotFoundError:
        if everywhere:
            raise
        return "(on other platforms only)"


def _stated(found: PackageMetadata) -> str:
    """The licence expression (PEP 639), else the classifiers, else the first line of the free text."""
    stated = [text.strip() for text in found.get_all("License-Expression") or []]
    classified = [
        c.split(" :: ")[-1] for c in found.get_all("Classifier") or [] if c.startswith("License ::")
    ]
    free_text = [line for text in found.get_all("License") or [] for line in text.strip().splitlines()[:1]]
    return " and ".join(
        stated or [c for c in classified if c != "OSI Approved"] or free_text or ["not stated"]
    )


def _npm_rows() -> list[Row]:
    packages = json.loads((PROJECT / "package-lock.json").read_text())["packages"]
    named = {name.rpartition("node_modules/")[2]: entry for name, entry in packages.items() if name}
    return [
        (name, entry["version"], entry.get("license", "not stated")) for name, entry in sorted(named.items())
    ]


def _table(title: str, rows: list[Row]) -> str:
    lines = [f"| {name} | {version} | {licence} |" for name, version, licence in rows]
    return "\n".join(
        ["", f"## {title}", "", "| package | version | licence |", "| --- | --- | --- |", *lines, ""]
    )


if __name__ == "__main__":
    main()
