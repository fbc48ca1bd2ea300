"""Compiles the translation catalogues for tests, as `make` does for the product."""

import os
import tempfile
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

WEB = Path(__file__).resolve().parents[2] / "signals" / "web"
FOLDERS = (WEB / "translations", *(WEB / side / "translations" for side in ("front", "desk", "figures")))


def compile_catalogues() -> None:
    """Make every .mo that is missing or older than its .po; safe in several test processes at once."""
    for folder in FOLDERS:
        for source in folder.glob("*/LC_MESSAGES/*.po"):
            target = source.with_suffix(".mo")
            if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
                _compile(source, target)


def _compile(source: Path, target: Path) -> None:
    with source.open("rb") as file:
        catalogue = read_po(file, locale=source.parents[1].name)
    handle, name = tempfile.mkstemp(dir=target.parent, suffix=".new")
    with os.fdopen(handle, "wb") as made:
        write_mo(made, catalogue)
    Path(name).replace(target)
