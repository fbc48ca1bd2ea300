"""Compile the translations: each .po file that is newer than its .mo file."""

import os
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = ("signals", "notifications")


def compile_catalogues() -> None:
    """Compile every outdated catalogue; several processes may do so at once."""
    for source in outdated():
        _compile(source)


def outdated() -> list[Path]:
    """Return each .po file without a .mo file, or with an older one."""
    sources = [
        po for package in PACKAGES for po in (PROJECT / package).rglob("translations/*/LC_MESSAGES/*.po")
    ]
    return [po for po in sources if not _is_current(po)]


def _is_current(source: Path) -> bool:
    target = source.with_suffix(".mo")
    return target.exists() and target.stat().st_mtime >= source.stat().st_mtime


def _compile(source: Path) -> None:
    # Imported here: the Python of the machine, which looks for outdated catalogues, has no Babel.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with source.open("rb") as file:
        catalogue = read_po(file, locale=source.parents[1].name)
    handle, name = tempfile.mkstemp(dir=source.parent, suffix=".new")
    with os.fdopen(handle, "wb") as made:
        write_mo(made, catalogue)
    Path(name).chmod(0o644)
    Path(name).replace(source.with_suffix(".mo"))


if __name__ == "__main__":
    compile_catalogues()
