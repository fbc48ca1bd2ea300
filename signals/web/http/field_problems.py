"""What is wrong with a field, as a stable code: marshmallow's own messages are codes here too."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, validate

from signals.errors import FieldProblem

_OWN_NAME: Final = re.compile(r"Idempotency-Key|[a-z][a-z_]{0,39}|[0-9]{1,2}")
"""A name of ours or a place in a list. Neither a postcode nor a house number looks like one."""
_CODE: Final = re.compile(r"[a-z_]+")
_DEEPEST: Final = 4
_PARTS_OF_A_REQUEST: Final = frozenset({"_schema", "json", "query", "headers", "form"})

_CODES_OF_FIELDS: Final[Mapping[type[fields.Field[Any]], Mapping[str, str]]] = {
    fields.Field: {"required": "required", "null": "required", "validator_failed": "invalid_value"},
    fields.Boolean: {"invalid": "wrong_type"},
    fields.Date: {"invalid": "not_a_date"},
    fields.Dict: {"invalid": "wrong_type"},
    fields.Enum: {"unknown": "not_a_choice"},
    fields.Integer: {"invalid": "wrong_type", "too_large": "out_of_range"},
    fields.List: {"invalid": "wrong_type"},
    fields.Nested: {"type": "wrong_type"},
    fields.String: {"invalid": "wrong_type", "invalid_utf8": "wrong_type"},
    fields.UUID: {"invalid": "wrong_type", "invalid_uuid": "not_a_uuid"},
}


def own_name(*path: str) -> str:
    """Return `recipients.0.address` for its steps; empty when a step can be the sender's own text.

    An unknown name may be an address, and no answer or log repeats that.
    """
    is_ours = len(path) <= _DEEPEST and all(_OWN_NAME.fullmatch(step) for step in path)
    return ".".join(path) if is_ours else ""


def field_problems(error: ValidationError) -> Iterator[FieldProblem]:
    """Yield each problem of a refused body with its field and its code."""
    messages: Any = error.normalized_messages()  # type: ignore[no-untyped-call]
    yield from _walk(messages, ())


def _walk(node: Any, path: tuple[str, ...]) -> Iterator[FieldProblem]:
    if isinstance(node, Mapping):
        for name, inner in node.items():
            yield from _walk(inner, path if name in _PARTS_OF_A_REQUEST else (*path, str(name)))
    elif isinstance(node, list | tuple):
        for message in node:
            yield from _walk(message, path)
    else:
        code = str(node)
        yield FieldProblem(field=own_name(*path), code=code if _CODE.fullmatch(code) else "invalid_value")


def _use_codes() -> None:
    """Replace marshmallow's default messages, as its documentation offers."""
    for kind, codes in _CODES_OF_FIELDS.items():
        kind.default_error_messages = {**kind.default_error_messages, **codes}
    validate.OneOf.default_message = "not_a_choice"
    validate.Length.message_min = "too_short"
    validate.Length.message_max = validate.Length.message_all = "too_long"
    validate.Range.message_min = validate.Range.message_max = validate.Range.message_all = "out_of_range"


_use_codes()
