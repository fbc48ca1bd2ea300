"""Answers compressed with gzip: static files once for each version, the public pages each time.

Only what holds no secret of the reader: a page that a POST got may carry a receipt beside what was typed, and
their compressed length would tell of both (the BREACH attack). No API answer is touched.
"""

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request

from signals.web.bundles import is_file, without_comments

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
    """Compress what may be, for readers that accept gzip."""

    @app.after_request
    def compress(response: Response) -> Response:
        if request.method != "GET" or response.status_code != 200 or response.mimetype not in _TYPES:
            return response
        if not is_file(request.endpoint) and not _is_public_page():
            return response
        response.vary.add("Accept-Encoding")
        if request.accept_encodings["gzip"] > 0 and "Content-Encoding" not in response.headers:
            _shrink(response, _small(response))
        return response


def _is_public_page() -> bool:
    return (request.endpoint or "").startswith("front_pages.")


def _small(response: Response) -> bytes:
    if request.endpoint == "static":
        return _of_file()
    if is_file(request.endpoint):
        return _packed(response.get_data())
    return gzip.compress(response.get_data(), 6, mtime=0)


def _shrink(response: Response, content: bytes) -> None:
    etag, _weak = response.get_etag()
    response.direct_passthrough = False
    response.close()  # the file itself, which nobody reads any more
    response.set_data(content)
    response.headers["Content-Encoding"] = "gzip"
    response.headers.pop("Accept-Ranges", None)
    if etag is not None:
        # The same content in another coding (RFC 9110, 8.8.3.3): equal, not the same bytes.
        response.set_etag(etag, weak=True)


def _of_file() -> bytes:
    file = Path(str(current_app.static_folder)) / str((request.view_args or {})["filename"])
    return _compressed(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _compressed(file: Path, _modified: int) -> bytes:
    content = file.read_bytes()
    if file.suffix == ".js" and file.parent == Path(str(current_app.static_folder)):
        content = without_comments(content)
    return _packed(content)


@lru_cache(maxsize=256)
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)
