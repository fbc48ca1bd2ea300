"""Search what a server left behind for planted texts: files, and the memory of processes."""

import base64
import urllib.parse
from collections.abc import Iterable
from pathlib import Path

import psutil  # type: ignore[import-untyped]


def files(folder: Path, *, since: float = 0.0) -> dict[str, bytes]:
    """Return the files of a folder, or those that somebody wrote to since a moment: no other has news."""
    return {
        str(path): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.stat().st_mtime >= since
    }


def forms(text: str) -> set[bytes]:
    """Return the forms of a text on disk: one or two bytes a letter, hex, base64 at any offset, escaped."""
    plain = text.encode()
    wide = (text.encode("utf-16-le"), text.encode("utf-16-be"))
    hexes = (plain.hex().encode(), plain.hex().upper().encode())
    encoded = {_inner_base64(plain, offset) for offset in range(3)}
    escaped = {urllib.parse.quote(text).encode(), urllib.parse.quote_plus(text).encode()}
    short = len(plain) < 6  # five digits come up by chance in hex and base64 of random bytes
    return {plain, *wide, *escaped} if short else {plain, *wide, *hexes, *encoded, *escaped}


def _inner_base64(plain: bytes, offset: int) -> bytes:
    """Return the letters that do not depend on what stands before and after; each holds six bits."""
    before, end = offset * 8, (offset + len(plain)) * 8
    return base64.b64encode(bytes(offset) + plain)[-(-before // 6) : end // 6]


def memory_of(process: psutil.Process) -> Iterable[bytes]:
    """Yield every readable mapping of a living process, which must be a child of this one or of root."""
    with Path(f"/proc/{process.pid}/maps").open() as maps:
        mappings = [line.split(maxsplit=5) for line in maps]
    with Path(f"/proc/{process.pid}/mem").open("rb", buffering=0) as memory:
        for span, mode, *_rest in mappings:
            start, end = (int(bound, 16) for bound in span.split("-"))
            if mode.startswith("r") and not _rest[-1].startswith("[v"):  # the kernel's own pages
                memory.seek(start)
                yield memory.read(end - start)
