"""Write files at once, and keep what an administrator changed in them."""

import difflib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

from signals.operations.setup.files import File

RECORD: Final = "setup.written"
"""Beside the answers: the digest of what setup wrote last for each path."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change: what it does, the whole of it for a reader, and how."""

    says: str
    shows: str = ""
    act: Callable[[], object]


def writing(file: File, folder: Path) -> Step | None:
    """Return the step that writes a file; None if it is right, or changed by hand since it was written.

    `folder` keeps the record. If release and administrator both changed the file, theirs stays.
    """
    if not file.path.exists():
        says = f"write {file.path} (mode {file.mode:o}, {len(file.text.splitlines())} lines)"
        return Step(says=says, shows=file.text, act=partial(_write, file, file.path, folder))
    now, last = file.path.read_text(encoding="utf-8"), _record(folder).get(str(file.path))
    if file.text == now or (last == _digest(file.text) and file.is_adaptable):
        return None
    difference = difflib.unified_diff(now.splitlines(), file.text.splitlines(), "now", "new", lineterm="")
    target, says = file.path, f"change {file.path}, and keep {file.path.name}.old"
    if file.is_adaptable and last not in (None, _digest(now)):
        target = file.path.with_name(f"{file.path.name}.new")
        says = f"write {target}: you changed {file.path.name}, so take over what is new"
    return Step(says=says, shows="\n".join(difference), act=partial(_write, file, target, folder))


def _write(file: File, target: Path, folder: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        shutil.copy2(target, target.with_name(f"{target.name}.old"))
    replace_text(target, file.text, file.mode)
    written = _record(folder) | {str(file.path): _digest(file.text)}
    replace_text(folder / RECORD, json.dumps(written, indent=1), 0o644)


def replace_text(path: Path, text: str, mode: int) -> None:
    """Write all of a file or nothing of it."""
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.touch(mode=0o600)
    unfinished.write_text(text, encoding="utf-8")
    unfinished.chmod(mode)
    unfinished.replace(path)


def _record(folder: Path) -> dict[str, str]:
    file = folder / RECORD
    known: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return known


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
