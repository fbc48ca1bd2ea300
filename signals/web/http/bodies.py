"""Read bodies: strict JSON from programs, strict forms from pages, both bounded and clean."""

import json
from typing import IO, Any
from urllib.parse import parse_qsl

from flask import Request
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from signals.errors import FieldProblem, Invalid
from signals.web.http.field_problems import own_name

MAX_DEPTH = 5
PUBLIC_LIMIT = 4 * 1024
"""Bytes; every body of the public side fits in this."""
JSON_TYPES = frozenset({"application/json"})
FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FORM_FIELDS = 50


class MalformedForm(Invalid):
    """The body is not a form as a browser sends it."""

    def __init__(self, code: str = "malformed") -> None:
        super().__init__(FieldProblem(field="", code=code))


class MalformedJson(Invalid):
    """The body is not one well-formed JSON object."""

    code = "malformed_json"

    def __init__(self, code: str = "malformed", field: str = "") -> None:
        super().__init__(FieldProblem(field=field, code=code))


class BodyTooLarge(RequestEntityTooLarge):
    """More than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit


def read_json(request: Request, limit: int) -> dict[str, Any]:
    """Return the request's JSON object.

    Raises `UnsupportedMediaType` (415), `RequestEntityTooLarge` (413) past `limit` bytes,
    `MalformedJson` (400) for anything but one object of text, numbers, booleans, null and lists.
    """
    if not _is_bare_json(request) and (request.mimetype not in JSON_TYPES or not _is_plain_utf8(request)):
        raise UnsupportedMediaType
    return parse_object(read_bytes(request, limit))


def read_bytes(request: Request, limit: int) -> bytes:
    """Return the body, with at most `limit` bytes in memory; raise `RequestEntityTooLarge` past that."""
    if (request.content_length or 0) > limit:
        raise BodyTooLarge(limit)
    body = _stream(request).read(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge(limit)
    return body


def _stream(request: Request) -> IO[bytes]:
    """Return the stream of the body: the server's own stream when that ends by itself."""
    environ = request.environ
    stream: IO[bytes] = environ["wsgi.input"] if "wsgi.input_terminated" in environ else request.stream
    return stream


def read_form(request: Request, limit: int) -> list[tuple[str, str]]:
    """Return the names and values of a form without files, in order; line ends in values are `\\n`.

    Raises `UnsupportedMediaType` (415), `RequestEntityTooLarge` (413) past `limit` bytes,
    `MalformedForm` (400) for other text than UTF-8, control characters, or too many fields.
    """
    if request.mimetype != FORM_TYPE:
        raise UnsupportedMediaType
    return parse_form(read_bytes(request, limit))


def parse_form(body: bytes) -> list[tuple[str, str]]:
    """Return the names and values of a form in bytes; raise `MalformedForm`."""
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS
        )
    except (UnicodeDecodeError, ValueError):
        raise MalformedForm from None
    if not all(_is_clean(name) and _is_clean(value) for name, value in pairs):
        raise MalformedForm("control_characters")
    # Browsers send CR LF and count one character for it (WHATWG HTML, textarea's API value).
    return [(name, value.replace("\r\n", "\n")) for name, value in pairs]


def _is_bare_json(request: Request) -> bool:
    """Recognise the usual header, so that nothing needs to parse it."""
    environ = request.environ
    return environ.get("CONTENT_TYPE") == "application/json" and "HTTP_CONTENT_ENCODING" not in environ


def _is_plain_utf8(request: Request) -> bool:
    """Return whether the body is plain UTF-8 (RFC 8259, 8.1): a refusal is better than a guess."""
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    return encoding == "identity" and charset in ("utf-8", "utf8")


def parse_object(body: bytes) -> dict[str, Any]:
    """Return one strict JSON object; raise `MalformedJson`."""
    try:
        value = _DECODER.decode(body.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise MalformedJson from None
    if not isinstance(value, dict):
        raise MalformedJson("wrong_type")
    for name, inner in value.items():
        _refuse_unclean(name, MAX_DEPTH, "")
        _refuse_unclean(inner, MAX_DEPTH - 1, name)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError
    return result


def _refuse_constant(_name: str) -> Any:
    raise ValueError


def _integer(digits: str) -> int:
    """Cut a very long number short: the field then refuses it as too large."""
    return int(digits[:_MOST_DIGITS])


_MOST_DIGITS = 18

_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_int=_integer, strict=True
)


def _refuse_unclean(value: Any, depth: int, field: str) -> None:
    """Raise `MalformedJson`; `field` is the name at the top of the value, empty for a name itself."""
    if depth == 0:
        raise MalformedJson
    if isinstance(value, dict):
        for name, inner in value.items():
            _refuse_unclean(name, depth - 1, field)
            _refuse_unclean(inner, depth - 1, field)
    elif isinstance(value, list):
        for inner in value:
            _refuse_unclean(inner, depth - 1, field)
    elif isinstance(value, str) and not _is_clean(value):
        raise MalformedJson("control_characters", own_name(field))


def _is_clean(text: str) -> bool:
    """Return whether a text has no lone surrogates, and no control characters but line ends and tabs."""
    return text.isprintable() or not any(
        (character < " " and character not in "\n\r\t")
        or character == "\x7f"
        or "\ud800" <= character <= "\udfff"
        for character in text
    )


class StrictParser(FlaskParser):
    """webargs with the strict reader; a validation problem stays marshmallow's own exception."""

    DEFAULT_VALIDATION_STATUS = 400
    BODY_LIMIT = PUBLIC_LIMIT

    def load_json(self, req: Request, schema: Any) -> Any:
        """Return the strict JSON object of the request."""
        return read_json(req, self.BODY_LIMIT)

    def load_querystring(self, req: Request, schema: Any) -> Any:
        """Return the parameters; raise `Invalid` for one that is there twice."""
        twice = [name for name, values in req.args.lists() if len(values) > 1]
        if twice:
            raise Invalid(*[FieldProblem(field=own_name(name), code="duplicate") for name in twice])
        return super().load_querystring(req, schema)

    def handle_error(self, error: Any, req: Any, schema: Any, **_details: Any) -> Any:
        """Raise marshmallow's error unchanged."""
        raise error


class StaffParser(StrictParser):
    """The parser for staff, whose notes are longer than a carrier's."""

    BODY_LIMIT = 64 * 1024
