"""Days on which the limit of reports comes near: a worker tells lead and administrator, who may raise it.

The limit is a brake on floods (`signals.intake.daily_limit`), alarmed about before real reports meet it.
Nothing here
knows a number of reports: a row says how full the day was when people were told, in two steps.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Select, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, selectinload

from notifications.events import DATES, Event
from notifications.outbox import NewMessage, enqueue
from signals.audit.grounds import Ground
from signals.audit.log import Actor, AuditLog, require_role
from signals.clock import AMSTERDAM, Clock, today
from signals.db import is_sqlite
from signals.errors import Conflict, NotFound, StaleVersion
from signals.intake.daily_limit import NEARLY
from signals.models import AreaDay, IdempotencyKey, Organisation
from signals.models.area_day import MOST_RAISES, limit_after
from signals.models.base import new_id
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
from signals.vocabulary import AuditAction, Role

FULL_PERCENT: Final = 100
NEARLY_PERCENT: Final = int(NEARLY * 100)
KEPT: Final = timedelta(days=28)
PATH: Final = "/desk/limits"
"""Where the page with the button is, before the id."""
_EVENTS: Final = {NEARLY_PERCENT: Event.AREA_NEARLY_FULL, FULL_PERCENT: Event.AREA_FULL}
_EXPIRES: Final = timedelta(days=3)


class LimitNotRaised(Conflict):
    """This limit holds for another day, or was raised as often as it may be."""

    code = "limit_not_raised"


@dataclass(frozen=True, kw_only=True)
class FullDay:
    """A day of an organisation as people see it; `limit` is the one that holds now, in reports."""

    id: uuid.UUID
    organisation_id: uuid.UUID
    organisation: str
    day: date
    told_percent: int
    limit: int
    next_limit: int | None
    raises: int


def watch_limits(session: Session, clock: Clock, *, setting: int, public_url: str) -> int:
    """Tell of every organisation whose day has become nearly full or full; gives how many messages are new.

    Once each for a day and a limit: after a raise it begins anew. Safe to run by two workers at once.
    """
    on = today(clock)
    if setting < 1:
        return 0
    told = 0
    for organisation_id, number in _numbers(session, on, at_least=ceil(setting * NEARLY)):
        row = _row(session, organisation_id, on)
        percent = _percent(number, limit_after(setting, row.raises))
        if percent > row.told_percent:
            row.told_percent = percent
            told += enqueue(session, list(_messages(session, clock, row, public_url.rstrip("/"))))
    return told


def full_days(session: Session, clock: Clock, *, actor: Actor, setting: int) -> list[FullDay]:
    """Today's, by name: of the lead's organisation, for an administrator of all."""
    query = _visible(actor).where(AreaDay.day == today(clock)).order_by(Organisation.name)
    return [_seen(row, name, clock, setting) for row, name in session.execute(query)]


def full_day(
    session: Session, clock: Clock, *, actor: Actor, setting: int, area_day_id: uuid.UUID
) -> FullDay:
    """One of them, of any day; raises `NotFound` alike for another organisation's and for none."""
    found = session.execute(_visible(actor).where(AreaDay.id == area_day_id)).one_or_none()
    if found is None:
        raise NotFound
    return _seen(*found, clock, setting)


def raise_limit(
    session: Session,
    clock: Clock,
    *,
    actor: Actor,
    audit: AuditLog,
    setting: int,
    area_day_id: uuid.UUID,
    expected_raises: int | None = None,
) -> FullDay:
    """Raise today's limit by the setting itself, for today only and `MOST_RAISES` times at most.

    Raises `NotFound`; `StaleVersion` where somebody has raised it meanwhile, so that a button pressed twice
    raises once; `LimitNotRaised` for a day that is over and past the most.
    """
    require_role(actor, Role.LEAD, Role.ADMINISTRATOR)
    locked = _visible(actor).where(AreaDay.id == area_day_id).with_for_update(of=AreaDay)
    found = session.execute(locked).one_or_none()
    if found is None:
        raise NotFound
    row: AreaDay = found[0]
    if expected_raises is not None and expected_raises != row.raises:
        raise StaleVersion
    if row.day != today(clock) or row.raises >= MOST_RAISES:
        raise LimitNotRaised
    row.raises, row.told_percent = row.raises + 1, 0
    audit.record(
        session,
        clock,
        actor=actor,
        action=AuditAction.ORGANISATION_CHANGED,
        subject_id=row.organisation_id,
        organisation_id=row.organisation_id,
        ground=Ground.LIMIT_RAISED.of(row.raises),
    )
    return _seen(row, found[1], clock, setting)


def forget_full_days(session: Session, clock: Clock) -> int:
    """Delete days of four weeks ago and older; gives how many."""
    done = session.execute(delete(AreaDay).where(AreaDay.day < today(clock) - KEPT))
    return cast("CursorResult[Any]", done).rowcount


def _numbers(session: Session, on: date, *, at_least: int) -> list[tuple[uuid.UUID, int]]:
    """Organisations with so many reports on a day; one look into the index for each of them."""
    number = (
        select(func.count())
        .select_from(IdempotencyKey)
        .where(IdempotencyKey.organisation_id == Organisation.id, IdempotencyKey.received_on == on)
        .scalar_subquery()
    )
    counted = select(Organisation.id, number.label("number")).subquery()
    query = select(counted.c.id, counted.c.number).where(counted.c.number >= at_least)
    return [(row.id, row.number) for row in session.execute(query.order_by(counted.c.id))]


def _row(session: Session, organisation_id: uuid.UUID, on: date) -> AreaDay:
    """The row of a day, locked; made where there is none yet, also when another worker is making it."""
    insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    fresh = {
        "id": new_id(),
        "organisation_id": organisation_id,
        "day": on,
        "told_percent": 0,
        "raises": 0,
    }
    session.execute(insert(AreaDay).values(fresh).on_conflict_do_nothing())
    query = select(AreaDay).where(AreaDay.organisation_id == organisation_id, AreaDay.day == on)
    return session.scalars(query.with_for_update()).one()


def _percent(number: int, limit: int) -> int:
    if number >= limit:
        return FULL_PERCENT
    return NEARLY_PERCENT if number >= limit * NEARLY else 0


def _messages(session: Session, clock: Clock, row: AreaDay, public_url: str) -> Iterator[NewMessage]:
    """To the lead (else the deputy) when the team may be disturbed, to administrators at once."""
    organisation = session.get_one(
        Organisation, row.organisation_id, options=[selectinload(Organisation.recipients)]
    )
    now, event = clock.now(), _EVENTS[row.told_percent]
    leads: Sequence[ContactPoint] = leads_of(session, [organisation.id]).get(organisation.id, [])
    when = dict.fromkeys(administrators(session), now)
    later = not_disturbing(organisation, now)
    when = dict.fromkeys(leads or deputy_of(organisation), later) | when
    page, kept_out = f"{PATH}/{row.id}", coordinators(session)
    for reach in without(when, kept_out):
        yield NewMessage(
            event=event,
            # Each limit of a day is told once; a raise makes another limit of it.
            subject_id=uuid.uuid5(row.id, str(row.raises)),
            organisation_id=organisation.id,
            channel=reach.channel,
            recipient=reach.recipient,
            language=reach.language,
            # A deputy cannot raise the limit, with an account or without.
            values={
                "link": f"{public_url}{path_for(reach, organisation.id, page, see_signals=())}",
                DATES[event]: row.day.isoformat(),
            },
            not_before=when[reach],
            expires_at=datetime.combine(row.day, time(), AMSTERDAM) + _EXPIRES,
        )


def _visible(actor: Actor) -> Select[AreaDay, str]:
    query = select(AreaDay, Organisation.name).join(Organisation, Organisation.id == AreaDay.organisation_id)
    if actor.role == Role.ADMINISTRATOR:
        return query
    return query.where(AreaDay.organisation_id == actor.organisation_id)


def _seen(row: AreaDay, organisation: str, clock: Clock, setting: int) -> FullDay:
    may_be_raised = row.day == today(clock) and row.raises < MOST_RAISES
    return FullDay(
        id=row.id,
        organisation_id=row.organisation_id,
        organisation=organisation,
        day=row.day,
        told_percent=row.told_percent,
        limit=limit_after(setting, row.raises),
        next_limit=limit_after(setting, row.raises + 1) if may_be_raised else None,
        raises=row.raises,
    )
