"""Compress answers with Brotli or gzip: files as small as possible, public pages in the time at hand.

A page after a POST stays as it is: it may hold a receipt beside the typed text, and the compressed length
would tell something of both (the BREACH attack). Of the
API only the description is compressed: everybody gets the same one.
"""

import gzip
from functools import lru_cache
from typing import Final

import brotli
from flask import Flask, Response, request

from signals.web.bundles import is_file

_CODINGS: Final = ("br", "gzip")
"""The smaller one first: Brotli takes an eighth off the size of gzip. Browsers offer it over TLS only."""
_BEST: Final = {"br": 11, "gzip": 9}
_QUICK: Final = {"br": 5, "gzip": 6}
"""A third of a millisecond for a page."""
_MOST_FOR_BEST: Final = 32 * 1024
"""Bytes. Brotli's best takes seconds for the largest library of the documentation, and somebody waits."""
_TYPES: Final = frozenset(
    {
        "application/json",
        "text/html",
        "text/css",
        "text/javascript",
        "application/javascript",
        "application/manifest+json",
        "image/svg+xml",
    }
)


def register_compression(app: Flask) -> None:
    """Compress files and public pages for readers that accept Brotli or gzip."""

    @app.after_request
    def compress(response: Response) -> Response:
        if _may_be_compressed(response):
            response.vary.add("Accept-Encoding")
            coding = _accepted_coding()
            if coding and "Content-Encoding" not in response.headers:
                _compress(response, coding)
        return response


def _may_be_compressed(response: Response) -> bool:
    is_public_page = (request.endpoint or "").startswith("front_pages.")
    return (
        request.method == "GET"
        and response.status_code == 200
        and response.mimetype in _TYPES
        and (_is_fixed() or is_public_page)
    )


def _is_fixed() -> bool:
    """Return whether everybody gets this answer, so that its compressed form is kept."""
    return is_file(request.endpoint) or request.endpoint == "openapi"


def _accepted_coding() -> str:
    """Return the coding that the reader prefers, of equals the smaller; empty when it accepts none."""
    accepted = request.accept_encodings
    best = max(_CODINGS, key=accepted.quality)
    return best if accepted.quality(best) > 0 else ""


def _compress(response: Response, coding: str) -> None:
    response.direct_passthrough = False
    content = response.get_data()
    response.close()  # closes the file: nothing reads it any more
    response.set_data(_of_file(content, coding) if _is_fixed() else _quickly(content, coding))
    response.headers["Content-Encoding"] = coding
    response.headers.pop("Accept-Ranges", None)
    etag, _weak = response.get_etag()
    if etag is not None:
        # The same content in another coding (RFC 9110, 8.8.3.3): equal, not the same bytes.
        response.set_etag(etag, weak=True)


@lru_cache(maxsize=256)
def _of_file(content: bytes, coding: str) -> bytes:
    """Return the smallest form, once for each version of a file."""
    if len(content) > _MOST_FOR_BEST:
        return _quickly(content, coding)
    return _encoded(content, coding, _BEST[coding])


def _quickly(content: bytes, coding: str) -> bytes:
    return _encoded(content, coding, _QUICK[coding])


def _encoded(content: bytes, coding: str, level: int) -> bytes:
    if coding == "br":
        return bytes(brotli.compress(content, mode=brotli.MODE_TEXT, quality=level))
    return gzip.compress(content, level, mtime=0)
