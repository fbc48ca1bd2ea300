"""Days near a limit of reports: a worker notifies lead and administrator, who can raise the limit.

The limits stop floods (`signals.intake.daily_limit`); people hear of it before it stops real reports. No row
has a number of reports: it says how full the day was at the last message, in two steps.
"""

import uuid
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Row, Select, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, selectinload

from notifications.events import DATES, Event
from notifications.outbox import NewMessage, enqueue
from signals.audit.grounds import Ground
from signals.audit.log import Actor, require_role
from signals.casework.access import organisation_of
from signals.casework.floods import set_aside
from signals.clock import AMSTERDAM, Clock, today
from signals.db import is_sqlite
from signals.errors import Conflict, NotFound, StaleVersion
from signals.intake.daily_limit import NEARLY, STEP_LASTS, step_of
from signals.lifecycle.transitions import KEPT_ASIDE
from signals.models import AreaDay, IdempotencyKey, Organisation
from signals.models.area_day import MOST_RAISES, limit_after
from signals.models.base import new_id
from signals.operation import Operation
from signals.organisations.addressing import (
    ContactPoint,
    administrators,
    coordinators,
    deputy_of,
    leads_of,
    not_disturbing,
    path_for,
    without,
)
from signals.organisations.team_settings import record_change
from signals.staff.change_messages import administrators_of, notify, notify_team
from signals.vocabulary import Role

FULL_PERCENT: Final = 100
NEARLY_PERCENT: Final = int(NEARLY * 100)
KEPT: Final = timedelta(days=28)
PATH: Final = "/desk/limits"
"""The path of the page with the button, before the id."""
_EVENTS: Final = {NEARLY_PERCENT: Event.AREA_NEARLY_FULL, FULL_PERCENT: Event.AREA_FULL}
_EXPIRES: Final = timedelta(days=3)


class LimitNotRaised(Conflict):
    """This limit holds for another day, or was raised as often as it may be."""

    code = "limit_not_raised"


@dataclass(frozen=True, kw_only=True)
class FullDay:
    """A day of an organisation as people see it; `limit`: the limit now, in reports."""

    id: uuid.UUID
    organisation_id: uuid.UUID
    organisation: str
    day: date
    notified_percent: int
    limit: int
    next_limit: int | None
    raises: int


class Growth:
    """What a worker counted in the last `STEP_LASTS`; in its memory only."""

    def __init__(self) -> None:
        self._seen: deque[tuple[datetime, date, Mapping[uuid.UUID, int]]] = deque()

    def since(self, now: datetime, on: date, numbers: Mapping[uuid.UUID, int]) -> Mapping[uuid.UUID, int]:
        """Return how many reports of a day each organisation got since the oldest count; keep this one."""
        while self._seen and not now - STEP_LASTS <= self._seen[0][0] <= now:
            self._seen.popleft()
        self._seen.append((now, on, numbers))
        _at, day, before = self._seen[0]
        return {id_: number - (before.get(id_, 0) if day == on else 0) for id_, number in numbers.items()}


def watch_limits(
    session: Session, clock: Clock, *, setting: int, public_url: str, growth: Growth | None = None
) -> int:
    """Write messages about each day that became nearly full or full, or grew too fast; return how many.

    Each day and limit gets each message once; a raise makes a new limit. Two workers at once are safe.
    """
    on = today(clock)
    if setting < 1:
        return 0
    numbers = dict(_numbers(session, on))
    grown = (growth or Growth()).since(clock.now(), on, numbers)
    written = 0
    for organisation_id, number in numbers.items():
        floods = grown[organisation_id] >= step_of(setting)
        if not floods and number < setting * NEARLY:
            continue
        row = _row(session, organisation_id, on)
        limit = limit_after(setting, row.raises)
        percent = _percent(number, limit)
        events = [Event.AREA_FLOOD] if floods and grown[organisation_id] >= step_of(limit) else []
        if percent > row.notified_percent:
            row.notified_percent = percent
            events = [_EVENTS[percent]]  # which says more
        for event in events:
            written += enqueue(session, list(_messages(session, clock, row, event, public_url.rstrip("/"))))
    return written


def full_days(operation: Operation, *, setting: int) -> list[FullDay]:
    """Return today's full days by name: of the lead's organisation, or of all for an administrator."""
    query = _visible(operation.actor).where(AreaDay.day == operation.today).order_by(Organisation.name)
    return [_seen(row, name, operation.today, setting) for row, name in operation.session.execute(query)]


def full_day(operation: Operation, *, setting: int, area_day_id: uuid.UUID) -> FullDay:
    """Return one full day, of any date. Raises `NotFound`, also for that of another organisation."""
    return _seen(*_found(operation, area_day_id), operation.today, setting)


def busy_days(operation: Operation) -> Sequence[AreaDay]:
    """Return the full days of the actor's organisation whose reports may be set aside, the latest first."""
    since = AreaDay.day >= operation.today - KEPT_ASIDE
    mine = select(AreaDay).where(AreaDay.organisation_id == operation.actor.organisation_id, since)
    return operation.session.scalars(mine.order_by(AreaDay.day.desc())).all()


def area_day(operation: Operation, area_day_id: uuid.UUID) -> AreaDay:
    """Return the row of a full day. Raises `NotFound`, also for that of another organisation."""
    return _found(operation, area_day_id)[0]


def raise_limit(
    operation: Operation, *, setting: int, area_day_id: uuid.UUID, expected_raises: int | None = None
) -> FullDay:
    """Raise today's limit by the setting, for today only and at most `MOST_RAISES` times.

    Raises `NotFound`; `StaleVersion` when another request raised it meanwhile, so that a button pressed twice
    raises once; `LimitNotRaised` for another day and after the last raise.
    """
    require_role(operation.actor, Role.LEAD, Role.ADMINISTRATOR)
    locked = _visible(operation.actor).where(AreaDay.id == area_day_id).with_for_update(of=AreaDay)
    found = operation.session.execute(locked).one_or_none()
    if found is None:
        raise NotFound
    row: AreaDay = found[0]
    if expected_raises is not None and expected_raises != row.raises:
        raise StaleVersion
    if row.day != operation.today or row.raises >= MOST_RAISES:
        raise LimitNotRaised
    row.raises, row.notified_percent = row.raises + 1, 0
    record_change(operation, row.organisation_id, Ground.LIMIT_RAISED.of(row.raises))
    return _seen(row, found[1], operation.today, setting)


def forget_full_days(session: Session, clock: Clock) -> int:
    """Delete days of four weeks ago and older; return how many."""
    done = session.execute(delete(AreaDay).where(AreaDay.day < today(clock) - KEPT))
    return cast("CursorResult[Any]", done).rowcount


def _found(operation: Operation, area_day_id: uuid.UUID) -> Row[AreaDay, str]:
    query = _visible(operation.actor).where(AreaDay.id == area_day_id)
    found = operation.session.execute(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def _numbers(session: Session, on: date) -> list[tuple[uuid.UUID, int]]:
    """Return the organisations with reports on a day; one index look-up for each."""
    number = (
        select(func.count())
        .select_from(IdempotencyKey)
        .where(IdempotencyKey.organisation_id == Organisation.id, IdempotencyKey.received_on == on)
        .scalar_subquery()
    )
    counted = select(Organisation.id, number.label("number")).subquery()
    query = select(counted.c.id, counted.c.number).where(counted.c.number > 0)
    return [(row.id, row.number) for row in session.execute(query.order_by(counted.c.id))]


def _row(session: Session, organisation_id: uuid.UUID, on: date) -> AreaDay:
    """Return the row of a day, locked; make it first, also while another worker makes it."""
    insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    fresh = {
        "id": new_id(),
        "organisation_id": organisation_id,
        "day": on,
        "notified_percent": 0,
        "raises": 0,
    }
    session.execute(insert(AreaDay).values(fresh).on_conflict_do_nothing())
    query = select(AreaDay).where(AreaDay.organisation_id == organisation_id, AreaDay.day == on)
    return session.scalars(query.with_for_update()).one()


def _percent(number: int, limit: int) -> int:
    if number >= limit:
        return FULL_PERCENT
    return NEARLY_PERCENT if number >= limit * NEARLY else 0


def _messages(
    session: Session, clock: Clock, row: AreaDay, event: Event, public_url: str
) -> Iterator[NewMessage]:
    """Yield messages to the lead (else the deputy) outside quiet hours, and to administrators at once."""
    organisation = session.get_one(
        Organisation, row.organisation_id, options=[selectinload(Organisation.recipients)]
    )
    now = clock.now()
    leads: Sequence[ContactPoint] = leads_of(session, [organisation.id]).get(organisation.id, [])
    when = dict.fromkeys(administrators(session), now)
    later = not_disturbing(organisation, now)
    when = dict.fromkeys(leads or deputy_of(organisation), later) | when
    page, kept_out = f"{PATH}/{row.id}", coordinators(session)
    for contact in without(when, kept_out):
        yield NewMessage(
            event=event,
            # Each limit of a day gets one message; a raise makes another limit.
            subject_id=uuid.uuid5(row.id, str(row.raises)),
            organisation_id=organisation.id,
            channel=contact.channel,
            recipient=contact.recipient,
            language=contact.language,
            # A deputy cannot raise the limit, with an account or without.
            values={
                "link": f"{public_url}{path_for(contact, organisation.id, page, see_signals=())}",
                DATES[event]: row.day.isoformat(),
            },
            not_before=when[contact],
            expires_at=datetime.combine(row.day, time(), AMSTERDAM) + _EXPIRES,
        )


def _visible(actor: Actor) -> Select[AreaDay, str]:
    query = select(AreaDay, Organisation.name).join(Organisation, Organisation.id == AreaDay.organisation_id)
    if actor.role == Role.ADMINISTRATOR:
        return query
    return query.where(AreaDay.organisation_id == actor.organisation_id)


def _seen(row: AreaDay, organisation: str, on: date, setting: int) -> FullDay:
    may_be_raised = row.day == on and row.raises < MOST_RAISES
    return FullDay(
        id=row.id,
        organisation_id=row.organisation_id,
        organisation=organisation,
        day=row.day,
        notified_percent=row.notified_percent,
        limit=limit_after(setting, row.raises),
        next_limit=limit_after(setting, row.raises + 1) if may_be_raised else None,
        raises=row.raises,
    )


def set_flood_aside(operation: Operation, *, area_day_id: uuid.UUID) -> int:
    """Set the unread signals of a day aside as their lead, and write the messages; return how many signals.

    Raises `NotFound` for a day of another organisation, and `Forbidden`.
    """
    number = set_aside(operation, day=area_day(operation, area_day_id).day)
    if number:
        own, page, event = organisation_of(operation.actor), f"{PATH}/{area_day_id}", Event.FLOOD_SET_ASIDE
        until = operation.today + KEPT_ASIDE
        notify_team(operation, own, roles=[Role.LEAD], path=page, event=event, until=until)
        notify(operation, administrators_of(operation.session), own, page, event=event, until=until)
    return number
