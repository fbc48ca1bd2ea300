"""The files of the project, with git and without it: a tarball has no repository."""

import os
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


@cache
def project_files() -> tuple[str, ...]:
    """Return the names of the files that git tracks; without git, of those that .gitignore does not name."""
    names = tracked_files(PROJECT) or sorted(unignored_files(PROJECT))
    return tuple(name for name in names if (PROJECT / name).is_file())


def tracked_files(folder: Path) -> list[str]:
    """Return the files that git tracks in a folder; none when it is no repository or git is not here."""
    if not (folder / ".git").exists():
        return []
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=folder, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):  # another account's repository is refused
        return []
    return [name for name in listed.stdout.split("\0") if name]


def unignored_files(folder: Path) -> Iterator[str]:
    """Yield the files of a folder that no line of its .gitignore names."""
    patterns = [".git", *(line.rstrip("/") for line in (folder / ".gitignore").read_text().split())]
    for path, folders, files in os.walk(folder):
        here = Path(path).relative_to(folder)
        folders[:] = [name for name in folders if not _ignored(here / name, patterns)]
        yield from (str(here / name) for name in files if not _ignored(here / name, patterns))


def _ignored(path: Path, patterns: list[str]) -> bool:
    return any(fnmatch(path.name, pattern) or fnmatch(str(path), pattern) for pattern in patterns)
