"""The problems of fields as stable codes: `signals.web.http.fields` makes all messages codes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from marshmallow import ValidationError

from signals.errors import FieldProblem

_OWN_NAME: Final = re.compile(r"Idempotency-Key|pc4|[a-z][a-z_]{0,39}|[0-9]{1,2}")
"""A name of ours or a place in a list. Neither a postcode nor a house number looks like one."""
_CODE: Final = re.compile(r"[a-z_]+")
_DEEPEST: Final = 4
_PARTS_OF_A_REQUEST: Final = frozenset({"_schema", "json", "query", "headers", "form"})


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
