"""Scripts and style sheets of pages, several files in one answer: a request costs more than its bytes.

The sources stay separate files. The service worker shares one script; it may contain no code of a page.
"""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, abort, current_app, request, url_for

from privacy.redaction.forms import patterns

FILES: Final[Mapping[str, tuple[str, ...]]] = {
    "queue.js": ("vendor/idb.js", "front_queue.js"),
    "seal.js": ("vendor/hpke.js", "front_seal.js"),
    "tokens.js": ("vendor/blindrsa.js", "front_tokens.js"),
    "note.js": ("front_note.js",),
    "carrier.js": ("front.js", "front_news.js", "front_form.js", "front_progress.js"),
    "outbox.js": ("vendor/idb.js", "front_queue.js", "desk_outbox.js"),
    "waiting.js": ("vendor/idb.js", "front_queue.js", "desk_outbox.js", "desk_waiting.js"),
    "page.css": ("tokens.css", "page.css"),
    "desk.css": ("font.css", "tokens.css", "vendor/utrecht.css", "desk_theme.css", "base.css", "desk.css"),
    "figures.css": ("font.css", "tokens.css", "base.css", "figures.css", "charts.css"),
}
"""The static files of each part, in the order in which they run."""
_DATA: Final[Mapping[str, Callable[[], str]]] = {
    "note.js": lambda: f"self.noteRules = {json.dumps(patterns())};\n"
}
"""Data of the service that a part starts with."""

ENDPOINT: Final = "bundle"


def register_bundles(app: Flask) -> None:
    """Add `/static/bundles/<name>`, with a digest of the content in each address that `url_for` gives."""
    app.add_url_rule(f"{app.static_url_path}/bundles/<name>", ENDPOINT, _answer)

    app.jinja_env.globals.update(integrity=integrity, late=late)

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == ENDPOINT and values.get("name") in FILES:
            values.setdefault("v", _digest(_content(values["name"])))


def integrity(name: str) -> str:
    """Return the hash of a bundle as a page has it (Subresource Integrity): a browser runs nothing else."""
    return _known(_content(name))


def late(name: str) -> str:
    """Return address and hash of a script that the page itself loads later."""
    return f"{url_for(ENDPOINT, name=name)}#{integrity(name)}"


def hashes() -> Mapping[str, str]:
    """Return the hash of every bundle and static file of this release by its path; call it for a request."""
    folder, root = Path(str(current_app.static_folder)), current_app.static_url_path
    files = [each for each in sorted(folder.rglob("*")) if each.is_file() and each.name[0] != "."]
    return {
        **{f"{root}/bundles/{name}": integrity(name) for name in FILES},
        **{f"{root}/{each.relative_to(folder).as_posix()}": sha384(each.read_bytes()) for each in files},
    }


def is_file(endpoint: str | None) -> bool:
    """Return whether an endpoint answers with a static file, not with a page or a call."""
    return endpoint in ("static", "mark", ENDPOINT)


def without_comments(script: bytes) -> bytes:
    """Return one of our own scripts without comment lines and indentation: a fifth fewer bytes.

    Only comments that begin a line go, because a text may contain the same characters.
    """
    return _INDENT.sub(b"", _LINES_OF_COMMENT.sub(b"", script))


def _answer(name: str) -> Response:
    if name not in FILES:
        abort(404)
    content = _content(name)
    kind = "css" if name.endswith(".css") else "javascript"
    response = Response(content, content_type=f"text/{kind}; charset=utf-8")
    response.set_etag(_digest(content))
    response.make_conditional(request)  # becomes a 304 in place
    return response


def _content(name: str) -> bytes:
    folder = Path(str(current_app.static_folder))
    files = tuple(folder / file for file in FILES[name])
    data = _DATA[name]().encode() if name in _DATA else b""
    return data + _joined(files, tuple(file.stat().st_mtime_ns for file in files))


@lru_cache(maxsize=16)
def _joined(files: tuple[Path, ...], _modified: tuple[int, ...]) -> bytes:
    parts = [without_comments(file.read_bytes()).strip() for file in files]
    if files[0].suffix == ".css":
        return _FONT.sub(_versioned, _SPACE.sub(rb"\1", b"\n".join(parts)))
    # The semicolon: after a file that ends without one, the next would be the arguments of a call.
    return b"\n;\n".join(parts) + b"\n"


def _versioned(font: re.Match[bytes]) -> bytes:
    return url_for("static", filename=font[0].decode()).encode()


def sha384(content: bytes) -> str:
    """Return the hash of a file as Subresource Integrity writes it."""
    return f"sha384-{b64encode(hashlib.sha384(content).digest()).decode()}"


_known = lru_cache(maxsize=16)(sha384)


@lru_cache(maxsize=16)
def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


_LINES_OF_COMMENT = re.compile(rb"^[ ]*(?://[^\n]*|/\*.*?\*/[ ]*)\n", re.MULTILINE | re.DOTALL)
_FONT = re.compile(rb"(?<=url\()vendor/[^)]+")
"""A font in a style sheet: its address gets the version that lets a browser keep it."""
_SPACE = re.compile(rb"\s*([{};,])\s*|(?<=:) ")
_INDENT = re.compile(rb"^[ ]+", re.MULTILINE)
