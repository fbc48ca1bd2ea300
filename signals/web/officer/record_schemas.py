"""The questions about register, audit trail and retention, and the answers to them."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, missing, post_load, validate

from signals.audit.trail import AuditFilter
from signals.clock import AMSTERDAM
from signals.residents.requests import IdentityProof, ResidenceProof, Right
from signals.vocabulary import AuditAction, DeletionReason, RetentionRule
from signals.web.http.fields import Choice, Strict
from signals.web.officer.trail import MAX_PAGE
from signals.web.staff_kit.schemas import Cursor, Moment, WholeNumber

LEAST_BASIS: Final = 10
MAX_BASIS: Final = 500
MOST_DAYS: Final = 366

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FILTERS: Final = frozenset({"actor", "subject", "action", "since", "until"})


class DayOrMoment(fields.String):
    """A date, or a moment with its offset; with `end` a date means the end of that day in Amsterdam."""

    def __init__(self, *, end: bool = False, **kwargs: Any) -> None:
        super().__init__(metadata={"description": "A date, or a moment with its offset (RFC 3339)"}, **kwargs)
        self.end = end

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not _DAY.fullmatch(text):
            return Moment()._deserialize(text, attr, data, **kwargs)
        try:
            day = date.fromisoformat(text) + timedelta(days=1 if self.end else 0)
        except (ValueError, OverflowError):
            raise ValidationError("not_a_date") from None
        return datetime.combine(day, time(), AMSTERDAM).astimezone(UTC)


class LegalBasis(fields.String):
    """The legal basis of a period, without spaces around it: spaces alone are no basis."""

    def __init__(self) -> None:
        fit = validate.Length(min=LEAST_BASIS, max=MAX_BASIS)
        super().__init__(required=True, validate=fit)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        return text.strip()


class PageLimit(WholeNumber):
    """The most items of a page, from a query string: 1 to 200."""

    def __init__(self, **kwargs: Any) -> None:
        limits = {"minimum": 1, "maximum": MAX_PAGE}
        super().__init__(load_default=50, validate=validate.Range(1, MAX_PAGE), metadata=limits, **kwargs)


class PageQuery(Strict):
    """The page to show."""

    limit = PageLimit()
    cursor = Cursor(load_default=None)


class AuditQuery(Strict):
    """The entries to show; every parameter narrows."""

    actor = fields.UUID(load_default=None, metadata={"description": "A staff member's id"})
    subject = fields.UUID(load_default=None, metadata={"description": "A signal's or a staff member's id"})
    action = Choice(AuditAction, load_default=None)
    since = DayOrMoment(load_default=None)
    until = DayOrMoment(load_default=None, end=True)

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """Return the filter as `wanted`, beside what else was asked."""
        return {"wanted": filter_in(data), **{name: data[name] for name in data.keys() - _FILTERS}}


def filter_in(values: Mapping[str, Any]) -> AuditFilter:
    """Return the filter among loaded values."""
    return AuditFilter(
        actor_id=values["actor"],
        subject_id=values["subject"],
        action=values["action"],
        since=values["since"],
        until=values["until"],
    )


class AuditPageQuery(AuditQuery, PageQuery):
    """The entries to show, and the page."""


class PeriodSchema(Strict):
    """A period in days, and its legal basis."""

    rule = Choice(RetentionRule, required=True)
    days = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(min=1, max=MOST_DAYS),
        metadata={"minimum": 1, "maximum": MOST_DAYS},
    )
    legal_basis = LegalBasis()


# Answers


class OfEntrySchema(Schema):
    """A stored entry and the names around it: a field that the line lacks comes from its `entry`."""

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Return the line's own value, else that of its entry."""
        own = super().get_attribute(obj, attr, missing)
        return super().get_attribute(obj.entry, attr, default) if own is missing else own


class RegisterEntrySchema(OfEntrySchema):
    """An entry of the register: that a request was handled, never its content."""

    id = fields.UUID(required=True)
    right = Choice(Right, required=True)
    recorded_on = fields.Date(required=True)
    recorded_by = fields.String(required=True)
    signals_found = fields.Integer(required=True)
    identity_checked = Choice(IdentityProof, required=True)
    residence_checked = Choice(ResidenceProof, required=True)
    third_parties_checked = fields.Boolean(required=True)
    outcome = fields.String(
        required=True, metadata={"description": "`nothing_found`: nothing was kept of the address"}
    )


class RegisterSchema(Schema):
    """A page of the register, newest first."""

    items = fields.List(fields.Nested(RegisterEntrySchema), required=True, attribute="entries")
    next_cursor = Cursor(required=True, allow_none=True)


class AuditLineSchema(OfEntrySchema):
    """One access (NEN 7513): event, time, person, subject and ground; never an address."""

    id = fields.UUID(required=True)
    at = Moment(required=True)
    actor = fields.String(required=True, metadata={"description": "Name; empty for the system"})
    actor_id = fields.UUID(required=True, allow_none=True)
    actor_role = fields.String(required=True)
    action = Choice(AuditAction, required=True)
    subject = fields.String(required=True, metadata={"description": "Reference or name, where it is known"})
    subject_id = fields.UUID(required=True, allow_none=True)
    ground = fields.String(required=True)
    outcome = fields.String(required=True)


class AuditPageSchema(Schema):
    """A page of the trail, newest first; as CSV with `Accept: text/csv`, then without pages."""

    items = fields.List(fields.Nested(AuditLineSchema), required=True, attribute="lines")
    next_cursor = Cursor(required=True, allow_none=True)


class PeriodInForceSchema(Schema):
    """A period, whether the organisation set it itself, and the shorter one that follows it."""

    rule = Choice(RetentionRule, required=True)
    days = fields.Integer(required=True, attribute="period.days")
    legal_basis = fields.String(required=True, attribute="period.legal_basis")
    own = fields.Boolean(required=True)
    next_days = fields.Integer(
        required=True, allow_none=True, metadata={"description": "A shorter period that does not hold yet"}
    )
    next_from = fields.Date(required=True, allow_none=True)


class MonthSchema(Schema):
    """The number of the own organisation's signals that were deleted in a month for one reason."""

    month = fields.String(required=True, metadata={"example": "2026-11"})
    reason = Choice(DeletionReason, required=True)
    count = fields.Integer(required=True)


class ForgottenSchema(Schema):
    """A deletion; from `key_destroyed_on` nobody can read the signal in any copy of the database."""

    reference = fields.String(required=True)
    deleted_on = fields.Date(required=True)
    reason = Choice(DeletionReason, required=True)
    key_destroyed_on = fields.Date(required=True, allow_none=True)


class PeriodsSchema(Schema):
    """The periods in force."""

    periods = fields.List(fields.Nested(PeriodInForceSchema), required=True)


class RetentionSchema(PeriodsSchema):
    """The deletions, newest first, and the periods in force."""

    months = fields.List(fields.Nested(MonthSchema), required=True)
    items = fields.List(fields.Nested(ForgottenSchema), required=True, attribute="records")
    next_cursor = Cursor(required=True, allow_none=True)
