"""Answers compressed with Brotli or gzip: static files once for each version, the public pages each time.

Only what holds no secret of the reader: a page that a POST got may carry a receipt beside what was typed, and
their compressed length would tell of both (the BREACH attack). No API answer is touched.
"""

import gzip
from functools import lru_cache
from pathlib import Path
from typing import Final

import brotli
from flask import Flask, Response, current_app, request

from signals.web.bundles import is_file, without_comments

_CODINGS: Final = ("br", "gzip")
"""The smaller one first: Brotli takes an eighth off what gzip leaves. Browsers offer it over TLS only."""
_WORTH_THE_TIME: Final = 32 * 1024
"""Bytes. For the largest library of the documentation Brotli's best takes seconds, and somebody waits."""
_TYPES = frozenset(
    {
        "text/html",
        "text/css",
        "text/javascript",
        "application/javascript",
        "application/manifest+json",
        "image/svg+xml",
    }
)


def register_compression(app: Flask) -> None:
    """Compress what may be, for readers that accept Brotli or gzip."""

    @app.after_request
    def compress(response: Response) -> Response:
        if request.method != "GET" or response.status_code != 200 or response.mimetype not in _TYPES:
            return response
        if not is_file(request.endpoint) and not _is_public_page():
            return response
        response.vary.add("Accept-Encoding")
        coding = _coding()
        if coding and "Content-Encoding" not in response.headers:
            _shrink(response, _small(response, coding), coding)
        return response


def _coding() -> str:
    """The one that the reader likes best, and of equals the smaller; empty when none is taken."""
    liked = request.accept_encodings
    best = max(_CODINGS, key=liked.quality)
    return best if liked.quality(best) > 0 else ""


def _is_public_page() -> bool:
    return (request.endpoint or "").startswith("front_pages.")


def _small(response: Response, coding: str) -> bytes:
    if request.endpoint == "static":
        return _of_file(coding)
    if is_file(request.endpoint):
        return _packed(response.get_data(), coding)
    return _packed_at_once(response.get_data(), coding)


def _shrink(response: Response, content: bytes, coding: str) -> None:
    etag, _weak = response.get_etag()
    response.direct_passthrough = False
    response.close()  # the file itself, which nobody reads any more
    response.set_data(content)
    response.headers["Content-Encoding"] = coding
    response.headers.pop("Accept-Ranges", None)
    if etag is not None:
        # The same content in another coding (RFC 9110, 8.8.3.3): equal, not the same bytes.
        response.set_etag(etag, weak=True)


def _of_file(coding: str) -> bytes:
    file = Path(str(current_app.static_folder)) / str((request.view_args or {})["filename"])
    return _compressed(file, file.stat().st_mtime_ns, coding)


@lru_cache(maxsize=256)
def _compressed(file: Path, _modified: int, coding: str) -> bytes:
    content = file.read_bytes()
    if file.suffix == ".js" and file.parent == Path(str(current_app.static_folder)):
        content = without_comments(content)
    return _packed(content, coding)


@lru_cache(maxsize=256)
def _packed(content: bytes, coding: str) -> bytes:
    """As small as it goes, once for each version of a file."""
    if coding == "br":
        return _brotli(content, 11 if len(content) <= _WORTH_THE_TIME else 5)
    return gzip.compress(content, 9, mtime=0)


def _packed_at_once(content: bytes, coding: str) -> bytes:
    """As small as it goes in the time that gzip takes: a third of a millisecond for a page."""
    if coding == "br":
        return _brotli(content, 5)
    return gzip.compress(content, 6, mtime=0)


def _brotli(content: bytes, quality: int) -> bytes:
    return bytes(brotli.compress(content, mode=brotli.MODE_TEXT, quality=quality))
