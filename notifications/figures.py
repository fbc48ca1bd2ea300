"""Figures of delivery, which a worker counts into a table for the staff side and for Prometheus.

Messages that are not due yet do not count: their number would reveal a new report within a minute. A message
that is tried again waits since its first try. What was sent or expired counts for a day: there is far more.
"""

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, text
from sqlalchemy.orm import Session

from notifications.clock import Clock
from notifications.models import DeliveryAttempt, DeliveryFigure, MessageState, OutboxMessage

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

KEPT = timedelta(days=90)
COUNTED = timedelta(days=1)
FORGOTTEN_AT_ONCE = 1000
_LOCK = 0x4669_6775
_WAITS = (MessageState.QUEUED, MessageState.SENDING)
_UNDELIVERED = (*_WAITS, MessageState.FAILED)
_OVER = (MessageState.DELIVERED, MessageState.EXPIRED)


@dataclass(frozen=True, kw_only=True)
class ChannelHealth:
    """The health of one channel of one organisation at `counted_at`.

    `waiting`: messages that are due and not sent; `waiting_since`: the moment of the oldest. `last_problem`:
    the class of the last failure, also of a message that is tried again. `dead`: given up.
    """

    organisation_id: uuid.UUID | None
    channel: str
    last_delivered_at: datetime | None
    last_failed_at: datetime | None
    last_problem: str | None
    waiting: int
    waiting_since: datetime | None
    dead: int
    problems: tuple[str, ...]
    counted_at: datetime

    @property
    def works(self) -> bool:
        """Return whether no message was given up after the last delivery."""
        return not self.problems


def count_messages(session: Session, clock: Clock) -> int:
    """Write the figures again in the caller's transaction; return how many rows. One worker at a time."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    now, before = clock.now(), session.scalars(select(DeliveryFigure)).all()
    counted = max((row.counted_at for row in before), default=now - KEPT)
    rows = {_key(row): row for which in _parts(now, counted) for row in _counted(session, now, which)}
    for row in before:  # when something was sent last is known for longer than a day
        if row.state in _OVER and _key(row) not in rows and row.latest_at and row.latest_at >= now - KEPT:
            owner, channel, state, problem = _key(row)
            rows[_key(row)] = DeliveryFigure(
                organisation_id=owner, channel=channel, state=state, problem=problem, number=0,
                latest_at=row.latest_at, counted_at=now,
            )  # fmt: skip
    session.execute(delete(DeliveryFigure))
    session.add_all(rows.values())
    return len(rows)


def channel_health(session: Session) -> list[ChannelHealth]:
    """Return the health of each organisation and channel at the last count."""
    found: dict[tuple[uuid.UUID | None, str], list[DeliveryFigure]] = {}
    for row in session.scalars(select(DeliveryFigure)):
        found.setdefault((row.organisation_id, row.channel), []).append(row)
    return [_health(*key, rows) for key, rows in sorted(found.items(), key=lambda item: str(item[0]))]


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Messages that wait: all, those that wait since a moment or longer, and the moment of the oldest."""

    number: int
    late: int
    since: datetime | None


def waiting_since(session: Session, before: datetime) -> Waiting:
    """Return what waits. A message waits since its first try, or since it is due.

    Each message is looked up by an index: there are far more attempts than messages that wait.
    """
    tries = and_(DeliveryAttempt.message_id == OutboxMessage.id, OutboxMessage.tries > 0)
    since = func.coalesce(func.min(DeliveryAttempt.at), OutboxMessage.not_before)
    each = (
        select(since.label("since"))
        .select_from(OutboxMessage)
        .outerjoin(DeliveryAttempt, tries)
        .where(OutboxMessage.state.in_(_WAITS))
        .group_by(OutboxMessage.id)
        .subquery()
    )
    late = func.count().filter(each.c.since < before)
    row = session.execute(select(func.count(), late, func.min(each.c.since))).one()
    return Waiting(number=row[0], late=row[1], since=row[2])


def forget_messages(session: Session, clock: Clock) -> int:
    """Delete messages that were settled 90 days ago or longer, because they hold addresses; return how many.

    At most `FORGOTTEN_AT_ONCE`, so that no transaction is long: call it until it returns 0.
    """
    old = select(OutboxMessage.id).where(OutboxMessage.settled_at < clock.now() - KEPT)
    # Locked: a dead letter may be sent again at this moment, and then it is not old.
    ids = list(session.scalars(old.limit(FORGOTTEN_AT_ONCE).with_for_update(skip_locked=True)))
    session.execute(delete(DeliveryAttempt).where(DeliveryAttempt.message_id.in_(ids)))
    session.execute(delete(OutboxMessage).where(OutboxMessage.id.in_(ids)))
    return len(ids)


def message_figures(session: Session, clock: Clock) -> Iterator["GaugeMetricFamily"]:
    """Yield the figures of all organisations together, for Prometheus."""
    from prometheus_client.core import GaugeMetricFamily

    rows, now = session.scalars(select(DeliveryFigure)).all(), clock.now()
    numbers: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        numbers[row.channel, row.state, row.problem or ""] += row.number
    what = "Messages that are due or given up, or of the last day, by channel, state and problem"
    messages = GaugeMetricFamily("signals_messages", what, labels=["channel", "state", "problem"])
    for labels, number in numbers.items():
        messages.add_metric(labels, number)
    yield messages
    oldest = min((row.oldest_at for row in rows if row.oldest_at is not None), default=now)
    counted = max((row.counted_at for row in rows), default=now)
    for name, what, since in (
        ("signals_oldest_due_message_seconds", "Age of the oldest message that is due", oldest),
        ("signals_messages_counted_seconds", "Age of these figures", counted),
    ):
        yield GaugeMetricFamily(name, what, value=(now - since).total_seconds())


def _key(row: DeliveryFigure) -> tuple[uuid.UUID | None, str, str, str | None]:
    return row.organisation_id, row.channel, row.state, row.problem


def _parts(now: datetime, counted: datetime) -> Sequence[ColumnElement[bool]]:
    """Return the messages that count, in parts that each have an index; nobody should know of the others."""
    state = OutboxMessage.state
    return (
        and_(state.in_(_WAITS), or_(OutboxMessage.not_before <= now, OutboxMessage.tries > 0)),
        state == MessageState.FAILED,
        and_(state.in_(_OVER), OutboxMessage.settled_at >= min(now - COUNTED, counted)),
    )


def _counted(session: Session, now: datetime, which: ColumnElement[bool]) -> Iterator[DeliveryFigure]:
    problem = (
        select(DeliveryAttempt.problem)
        .where(DeliveryAttempt.message_id == OutboxMessage.id, OutboxMessage.state.in_(_UNDELIVERED))
        .order_by(DeliveryAttempt.at.desc())
        .limit(1)
        .scalar_subquery()
    )
    first_try = (
        select(func.min(DeliveryAttempt.at))
        .where(DeliveryAttempt.message_id == OutboxMessage.id, OutboxMessage.state.in_(_WAITS))
        .scalar_subquery()
    )
    known = (
        select(
            OutboxMessage.organisation_id,
            OutboxMessage.channel,
            OutboxMessage.state,
            func.coalesce(first_try, OutboxMessage.not_before).label("since"),
            OutboxMessage.settled_at,
            problem.label("problem"),
        )
        .where(which)
        .subquery()
    )
    by = (known.c.organisation_id, known.c.channel, known.c.state, known.c.problem)
    figures = select(*by, func.count(), func.min(known.c.since), func.max(known.c.settled_at))
    for organisation_id, channel, state, why, number, oldest, latest in session.execute(
        figures.group_by(*by)
    ):
        yield DeliveryFigure(
            organisation_id=organisation_id,
            channel=channel,
            state=state.value,
            problem=why,
            number=number,
            oldest_at=oldest if state in _WAITS else None,
            latest_at=latest,
            counted_at=now,
        )


def _health(organisation_id: uuid.UUID | None, channel: str, rows: Sequence[DeliveryFigure]) -> ChannelHealth:
    delivered = [row.latest_at for row in rows if row.state == MessageState.DELIVERED and row.latest_at]
    last = max(delivered, default=None)
    waiting = [row.oldest_at for row in rows if row.oldest_at is not None]
    dead = [row for row in rows if row.state == MessageState.FAILED]
    failed = [
        row.problem or "unknown"
        for row in dead
        if last is None or (row.latest_at is not None and row.latest_at > last)
    ]
    # A message that is tried again failed later than a dead letter.
    troubled = [row for row in rows if row.state in _WAITS and row.problem] or sorted(dead, key=_settled)[-1:]
    return ChannelHealth(
        organisation_id=organisation_id,
        channel=channel,
        last_delivered_at=last,
        last_failed_at=max((row.latest_at for row in dead if row.latest_at), default=None),
        last_problem=troubled[0].problem if troubled else None,
        waiting=sum(row.number for row in rows if row.state in _WAITS),
        dead=sum(row.number for row in dead),
        counted_at=max(row.counted_at for row in rows),
        waiting_since=min(waiting, default=None),
        problems=tuple(sorted(failed)),
    )


def _settled(row: DeliveryFigure) -> datetime:
    return row.latest_at or row.counted_at
