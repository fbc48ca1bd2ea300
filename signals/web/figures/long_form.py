"""A released table in the long form: one line for each cell and measure, with its interval."""

from typing import Any

from marshmallow import Schema, fields, pre_dump

from signals.statistics.exports import Shown, columns, lines
from signals.web.figures import words
from signals.web.figures.library import Release


class TableNameSchema(Schema):
    """A table of a release."""

    name = fields.String(required=True, metadata={"description": "Stable: part of the address"})
    title = fields.String(required=True, metadata={"description": "In the reader's language"})


class ReleaseSchema(Schema):
    """A release."""

    period = fields.String(
        required=True, metadata={"description": "`2026-Q3`, `2026`, or pooled years like `2024-2026`"}
    )
    released_on = fields.Date(required=True)
    tables = fields.List(fields.Nested(TableNameSchema), required=True)

    @pre_dump
    def name_in_words(self, release: Release, **_kwargs: Any) -> dict[str, Any]:
        """Return the release with titles in the reader's language."""
        return {
            "period": release.period,
            "released_on": release.released_on,
            "tables": [{"name": code, "title": words.title(code)} for code in release.tables],
        }


class ReleasesSchema(Schema):
    """All releases, newest first."""

    items = fields.List(fields.Nested(ReleaseSchema), required=True)


class TableSchema(Schema):
    """A released table."""

    period = fields.String(required=True)
    table = fields.String(required=True)
    title = fields.String(required=True)
    released_on = fields.Date(required=True)
    dimensions = fields.List(fields.String(), required=True)
    items = fields.List(
        fields.Dict(keys=fields.String()),
        required=True,
        metadata={
            "description": "Each has the codes of the dimensions with a label beside each, `measure` "
            "(`signals`, `share`, or `drawn`: the number with its noise), `value`, and `low` and `high`: the "
            "95% interval for noise and chance together (null for `drawn`). `epsilon` is the spent budget"
        },
    )

    @pre_dump
    def write_out(self, shown: Shown, **_kwargs: Any) -> dict[str, Any]:
        """Return one item for each cell and measure."""
        table, _fitted = shown
        return {
            "period": table.period,
            "table": table.code,
            "title": words.title(table.code),
            "released_on": table.drawn_on,
            "dimensions": [one.name for one in table.dimensions],
            "items": [dict(zip(columns(table), line, strict=True)) for line in lines(shown, words.member)],
        }
