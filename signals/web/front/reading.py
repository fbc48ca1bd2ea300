"""Read a report from the API or the form, and name all its problems at once."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from marshmallow import ValidationError

from signals.clock import today
from signals.errors import FieldProblem, Invalid
from signals.intake.content import Report
from signals.web.front.context import front
from signals.web.front.schemas import ReportSchema
from signals.web.http.field_problems import field_problems

_SCHEMA: Final = ReportSchema()
_NOTICED_ON: Final = _SCHEMA.fields["noticed_on"]


def read_report(body: Mapping[str, Any]) -> Report:
    """Return the report; raise `Invalid` with every problem.

    The intake checks the rest: it knows whether the report is a retry of an accepted one.
    """
    try:
        report: Report = _SCHEMA.load(body)
    except ValidationError as error:
        raise Invalid(*field_problems(error), *_refused_today(body)) from None
    return report


def _refused_today(body: Mapping[str, Any]) -> Iterable[FieldProblem]:
    context = front()
    try:
        noticed_on = _NOTICED_ON.deserialize(body.get("noticed_on"))
    except ValidationError:
        noticed_on = None  # no date: the schema named that problem
    note = body.get("note")
    return context.intake.refused_on(
        today(context.clock), noticed_on=noticed_on, note=note if isinstance(note, str) and note else None
    )
