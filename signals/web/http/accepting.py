"""The format that the sender prefers (RFC 9110, section 12.5.1)."""

from flask import request
from werkzeug.datastructures import MIMEAccept

JSON = "application/json"


def prefers(media_type: str) -> bool:
    """Return whether the sender prefers this to JSON; `text/csv; charset=utf-8` asks for `text/csv`."""
    bare = [(asked.partition(";")[0].strip(), quality) for asked, quality in request.accept_mimetypes]
    return MIMEAccept(bare).best_match([JSON, media_type]) == media_type
