"""Build the package with setuptools, and refuse a wheel without front-end files or translations."""

from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

from signals.web.assets import how_to_complete, missing_files

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]


def build_wheel(*arguments: Any, **options: Any) -> str:
    """Return the name of the wheel. Exits when a file that `make build` makes is missing."""
    if missing := missing_files(Path.cwd()):
        raise SystemExit(f"{len(missing)} files are missing, such as {missing[0]}: {how_to_complete()}")
    name: str = build_meta.build_wheel(*arguments, **options)
    return name
