"""Write THIRD_PARTY.md from the locks and installed packages; with --check judge the licences."""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
TARGET = PROJECT / "THIRD_PARTY.md"
HEAD = """# Third-party software

Made by `make licences` from the lock files; not edited by hand. Nothing of it is in this repository:
pip and npm fetch it, by hash. Licences are as each package states them.
"""
SUITABLE = re.compile(
    r"MIT|BSD|Apache|ISC|Zlib|Unlicense|CC0|PSF|Python Software|OFL|Open Font|HPND|Public Domain"
    r"|MPL|Mozilla|LGPL|Lesser General|EUPL|CC-BY-4\.0|Artistic-2\.0|BlueOak"
)
"""Licences that ask little, and the weak copyleft ones that a library may keep."""
STRONG = re.compile(r"(?<!L)GPL|(?<!Lesser )General Public")
ELSEWHERE = "(on other platforms only)"
Row = tuple[str, str, str]


def main(arguments: list[str]) -> int:
    """Write the file; with --check return 1 when a package of the product has an unsuitable licence."""
    python, front_end = _python_rows("requirements.lock"), _npm_rows("package-lock.json")
    if "--check" in arguments:
        found = unsuitable(python + front_end)
        for name, licence in found:
            print(f"{name}: is the licence {licence!r} suitable? tools/licences.py", file=sys.stderr)
        return int(bool(found))
    TARGET.write_text(
        HEAD
        + _table("Python, in the product", python)
        + _table("Front-end, from npm", front_end)
        + _table("Python, for development and tests only", _python_rows("requirements-dev.lock", but=python))
        + _table("Mock server of the tests, from npm", _npm_rows("tests/prism/package-lock.json"))
        + _table(
            "Linter and client maker of the tests, from npm", _npm_rows("tests/clients/package-lock.json")
        )
        + _table("OpenID provider of the tests, from npm", _npm_rows("tests/oidc/package-lock.json"))
    )
    return 0


def unsuitable(rows: Iterable[Row]) -> list[tuple[str, str]]:
    """Return the names and licences of which a person must say that the EUPL can live with them."""
    return [
        (name, licence)
        for name, _version, licence in rows
        if licence != ELSEWHERE
        and (not SUITABLE.search(licence) or (STRONG.search(licence) and " OR " not in licence))
    ]


def _pinned(lock: str) -> Iterator[tuple[str, str, bool]]:
    """Yield name, version, and whether it is for every platform, of each entry of a pip lock file."""
    pattern = re.compile(r"^([\w.-]+)==([\w.!+-]+)(.*)$", re.MULTILINE)
    for name, version, rest in pattern.findall((PROJECT / lock).read_text()):
        yield name, version, ";" not in rest


def _python_rows(lock: str, but: Iterable[Row] = ()) -> list[Row]:
    pinned, shown = sorted(set(_pinned(lock))), {name for name, _, _ in but}
    return [
        (name, version, _python_licence(name, everywhere))
        for name, version, everywhere in pinned
        if name not in shown
    ]


def _python_licence(name: str, everywhere: bool) -> str:
    try:
        return _stated(metadata(name))
    except PackageNotFoundError:
        if everywhere:
            raise
        return ELSEWHERE


def _stated(found: PackageMetadata) -> str:
    """Return the licence expression (PEP 639), else the classifiers, else the first line of the free text."""
    stated = [text.strip() for text in found.get_all("License-Expression") or []]
    classified = [
        c.split(" :: ")[-1] for c in found.get_all("Classifier") or [] if c.startswith("License ::")
    ]
    free_text = [line for text in found.get_all("License") or [] for line in text.strip().splitlines()[:1]]
    return " and ".join(
        stated or [c for c in classified if c != "OSI Approved"] or free_text or ["not stated"]
    )


def _npm_rows(lock: str) -> list[Row]:
    packages = json.loads((PROJECT / lock).read_text())["packages"]
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
    sys.exit(main(sys.argv[1:]))
