"""Change how long an organisation keeps signals; a shorter period waits, so that others can object."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy.dialects import postgresql, sqlite

from notifications.events import Event
from signals.audit.grounds import Ground
from signals.audit.log import require_role
from signals.casework.access import organisation_of
from signals.db import is_sqlite
from signals.errors import NotFound
from signals.models import RetentionPeriod
from signals.models.base import new_id
from signals.operation import Operation
from signals.retention.periods import DEFAULT_PERIODS, Period, floor_of, own_periods, periods_of, refuse_unfit
from signals.staff.change_messages import notify_administrators, notify_team
from signals.vocabulary import AuditAction, RetentionRule, Role

OBJECTION_DAYS: Final = 7
PATH: Final = "/desk/officer/retention"
"""The path of the page on which lead and privacy officer keep the longer period."""


def set_period(operation: Operation, *, rule: RetentionRule, wanted: Period) -> None:
    """Set one period of the actor's organisation with its legal ground (art. 5(1)(e) AVG).

    A longer period holds at once. A shorter one holds after `OBJECTION_DAYS`; leads and administrators get a
    message. Raises `Invalid` when it is below the floor or does not fit the others.
    """
    require_role(operation.actor, Role.PRIVACY_OFFICER)
    session, own, on = operation.session, organisation_of(operation.actor), operation.today
    final = {kept: period.days for kept, period in DEFAULT_PERIODS.items()}
    final |= {row.rule: row.days for row in own_periods(session, own)} | {rule: wanted.days}
    refuse_unfit(final, rule, floor_of(session, own))
    holds = periods_of(session, own, on)[rule].days
    waits = wanted.days < holds
    shorter_from = on + timedelta(days=OBJECTION_DAYS) if waits else None
    values = {
        "days": wanted.days,
        "days_before": holds if waits else None,
        "shorter_from": shorter_from,
        "legal_basis": wanted.legal_basis,
    }
    _store(operation, rule, values)
    _record(operation, rule, wanted.days)
    if waits:
        event = Event.PERIOD_SHORTENED
        notify_team(operation, own, roles=[Role.LEAD], path=PATH, event=event, until=shorter_from)
        notify_administrators(operation, own, event=event, until=shorter_from)


def keep_period(operation: Operation, *, rule: RetentionRule) -> None:
    """Withdraw a shorter period that does not hold yet. Raises `NotFound` when none waits."""
    require_role(operation.actor, Role.PRIVACY_OFFICER, Role.LEAD)
    own, on = organisation_of(operation.actor), operation.today
    row = next((one for one in own_periods(operation.session, own) if one.rule is rule), None)
    if row is None or row.shorter_from is None or row.shorter_from <= on:
        raise NotFound
    row.days, row.days_before, row.shorter_from = row.in_force(on), None, None
    _record(operation, rule, row.days)


def _store(operation: Operation, rule: RetentionRule, values: dict[str, Any]) -> None:
    """Set or change the period in one statement: two requests may come at once."""
    session, owner = operation.session, organisation_of(operation.actor)
    insert = (sqlite if is_sqlite(session) else postgresql).insert(RetentionPeriod)
    row = insert.values(id=new_id(), organisation_id=owner, rule=rule, **values)
    session.execute(row.on_conflict_do_update(index_elements=["organisation_id", "rule"], set_=values))


def _record(operation: Operation, rule: RetentionRule, days: int) -> None:
    operation.record(
        AuditAction.ORGANISATION_CHANGED,
        subject_id=organisation_of(operation.actor),
        ground=Ground.RETENTION.of(f"{rule.value}:{days}"),
    )
