"""A released table in the long form: one line for each cell, its keys, its measure, its value."""

from typing import Any

from marshmallow import Schema, fields, pre_dump

from signals.statistics import ReleasedTable, TableName
from signals.web.figures import words


class TableNameSchema(Schema):
    """A table of a release."""

    name = fields.String(required=True, metadata={"description": "Stable: part of the address"})
    title = fields.String(required=True, metadata={"description": "In the reader's language"})

    @pre_dump
    def name_in_words(self, table: TableName, **_kwargs: Any) -> dict[str, str]:
        """Return the table with its title in the reader's language."""
        return {"name": table.name, "title": table.title[words.language()]}


class ReleaseSchema(Schema):
    """A release."""

    period = fields.String(required=True, metadata={"description": "`2026-Q3`, `2026` or `2023-2026`"})
    released_on = fields.Date(required=True)
    tables = fields.List(fields.Nested(TableNameSchema), required=True)


class ReleasesSchema(Schema):
    """All releases, newest first."""

    items = fields.List(fields.Nested(ReleaseSchema), required=True)


class TableSchema(Schema):
    """A released table."""

    period = fields.String(required=True)
    table = fields.String(required=True)
    title = fields.String(required=True)
    released_on = fields.Date(required=True)
    withheld = fields.Boolean(
        required=True, metadata={"description": "Whether it was withheld whole: then there are no items"}
    )
    dimensions = fields.List(fields.String(), required=True)
    items = fields.List(
        fields.Dict(keys=fields.String()),
        required=True,
        metadata={
            "description": "Each has the dimensions' members (`total` is the margin), `measure` and `value`, "
            "which is null for a hidden cell"
        },
    )

    @pre_dump
    def write_out(self, table: ReleasedTable, **_kwargs: Any) -> dict[str, Any]:
        """Return one item for each cell."""
        dimensions = [one.name for one in table.schema.dimensions]
        return {
            "period": table.period,
            "table": table.schema.name,
            "title": table.schema.title[words.language()],
            "released_on": table.released_on,
            "withheld": table.withheld,
            "dimensions": dimensions,
            "items": [
                dict(zip(dimensions, keys, strict=True)) | {"measure": measure, "value": value}
                for keys, measure, value in table.rows
            ],
        }
