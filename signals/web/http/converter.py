"""Describe the schemas of marshmallow in OpenAPI, with a text for each property from one table.

A list of codes becomes a component of its own. A request is closed; an answer is open, so that it may grow.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_instance
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import fields

from signals.web.http.fields import Choice, CodeList, Strict
from signals.web.http.property_texts import TEXTS


class Converter(OpenAPIConverter):
    """apispec's converter, with the project's own fields and texts."""

    def schema2jsonschema(self, schema: Any) -> dict[str, Any]:
        """Return the component of a schema; its docstring is the description."""
        made: dict[str, Any] = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]
        instance = resolve_schema_instance(schema)
        if not isinstance(instance, Strict):
            made.pop("additionalProperties", None)
        return {"description": _first_paragraph(type(instance)), **made}

    def fields2jsonschema(self, fields: Mapping[str, Any], **others: Any) -> dict[str, Any]:
        """Return the properties, each with a description."""
        made: dict[str, Any] = super().fields2jsonschema(fields, **others)  # type: ignore[no-untyped-call]
        for name, field in fields.items():
            known = field.data_key or name
            made["properties"][known].setdefault("description", _text(known, field))
        return made

    def enum2properties(self, field: Any, **others: Any) -> dict[str, Any]:
        """Return a reference to the component of a list of codes, in place of the list."""
        if not isinstance(field, Choice):
            return {}
        del others["ret"]["type"]
        return {"$ref": self._component(field.choices)}

    def field2choices(self, field: Any, **others: Any) -> dict[str, Any]:
        """Return a single allowed value as a constant: clients make no class of it."""
        made: dict[str, Any] = super().field2choices(field, **others)
        match made.get("enum"):
            case [only]:
                return {"const": only}
        return made

    def _field2parameter(self, field: Any, *, name: str, location: str) -> dict[str, Any]:
        made: dict[str, Any] = super()._field2parameter(field, name=name, location=location)
        made.setdefault("description", _text(name, field))
        _forbid_null(made["schema"])
        return made

    def _component(self, choices: type[StrEnum] | CodeList) -> str:
        if isinstance(choices, CodeList):
            name, text, codes = choices.name, choices.text, choices.codes
        else:
            name, text, codes = choices.__name__, _first_paragraph(choices), tuple(choices)
        if name not in self.spec.components.schemas:
            described = {"type": "string", "description": text, "enum": [str(code) for code in codes]}
            self.spec.components.schema(name, described)
        return f"#/components/schemas/{name}"


class Plugin(MarshmallowPlugin):
    """apispec's plugin with that converter."""

    Converter = Converter


def _forbid_null(schema: dict[str, Any]) -> None:
    """Describe an optional parameter: an address cannot hold null, and a client leaves the name out."""
    if "default" in schema and schema["default"] is None:
        del schema["default"]
        match schema:
            case {"anyOf": [named, _null]}:
                del schema["anyOf"]
                schema.update(named)
            case {"type": [kind, "null"]}:
                schema["type"] = kind


def _text(name: str, field: fields.Field[Any]) -> str:
    """Return the text of a list of codes, else of the name, else of the thing that the field refers to."""
    inner = field.inner if isinstance(field, fields.List) else field
    if isinstance(inner, Choice):
        if isinstance(inner.choices, CodeList):
            return inner.choices.text
        return TEXTS.get(name) or _first_paragraph(inner.choices)
    if isinstance(inner, fields.Nested):
        return TEXTS.get(name) or _first_paragraph(type(inner.schema))
    return TEXTS.get(name, "")


def _first_paragraph(described: type) -> str:
    lines: Iterable[str] = (described.__doc__ or "").strip().split("\n\n")[0].splitlines()
    return " ".join(line.strip() for line in lines)
