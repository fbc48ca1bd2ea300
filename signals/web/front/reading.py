"""A report as it was sent, by the API or by the form; who has to mend it is told everything at once."""

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
    """The report. Raises `Invalid` with every problem found.

    What is right in itself is left to the intake, which knows whether it is a retry of what was accepted.
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
        noticed_on = None  # no date at all, which the schema told
    note = body.get("note")
    return context.intake.refused_on(
        today(context.clock), noticed_on=noticed_on, note=note if isinstance(note, str) and note else None
    )
