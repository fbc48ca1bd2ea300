"""Sends what is due, by any number of workers at once: at least once, and a repeat never goes unnoticed.

A message is leased (`leased_until`), then marked as being sent, then handed to its channel, then its
result is recorded. Nothing is open towards the database while a provider is called. A lease lapses by
itself: a message that was only leased is simply taken by another worker; one that was being sent may have
arrived, so it is repeated once and becomes a dead letter the second time.
"""

import random
import uuid
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Table
from sqlalchemy.orm import Session, sessionmaker
from structlog import get_logger

from notifications import feedback, leasing
from notifications.at_once import Begun, Delivered, SingleStatements, single_statements
from notifications.breaker import Breaker, is_about_provider
from notifications.channels import Channel, Outgoing, Sent
from notifications.clock import Clock
from notifications.leasing import Lease, Which
from notifications.models import DeliveryAttempt, MessageState, OutboxMessage
from notifications.rendering import render, render_once
from notifications.retry import (
    DEFAULT_POLICY,
    INTERRUPTED,
    MAX_REPEATS_IN_DOUBT,
    DeliveryFailure,
    Next,
    Policy,
    decide,
)

BITE = 50
"""Leased at a time: so many wait at most until their lease lapses when a worker is killed."""
LONGEST_RANKING = timedelta(seconds=30)
"""Then the order is looked up anew, so that what came meanwhile gets its turn while a provider is slow."""
RIVALS = 5  # so many workers can lease at the same instant, and each still finds messages

Completion = Callable[[str, uuid.UUID, Mapping[str, str]], dict[str, str]]
"""From event, subject and stored values to what is told: adds what no outbox may hold, such as a secret."""

Senseless = Callable[[Session, str, uuid.UUID, uuid.UUID | None, str], str | None]
"""From event, subject, organisation and recipient to a code of why it need not be told; None when it must."""

TOO_LATE = "too_late"

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class DeliveryReport:
    """How many messages a round delivered, put back for later, gave up and dropped as too late.

    `overtaken` counts those that another worker had taken over when this one was done with them.
    """

    delivered: int = 0
    retried: int = 0
    failed: int = 0
    expired: int = 0
    overtaken: int = 0

    @property
    def total(self) -> int:
        """Zero when nothing was due."""
        return self.delivered + self.retried + self.failed + self.expired + self.overtaken

    def plus(self, other: "DeliveryReport") -> "DeliveryReport":
        """Two rounds together."""
        return DeliveryReport(**{name: number + getattr(other, name) for name, number in vars(self).items()})


def deliver_due(
    session_factory: sessionmaker[Session],
    clock: Clock,
    channels: Mapping[str, Channel],
    *,
    limit: int = 50,
    lease_seconds: int = 120,
    rng: random.Random | None = None,
    policy: Policy = DEFAULT_POLICY,
    complete: Completion = lambda _event, _subject_id, values: dict(values),
    senseless: Senseless = lambda _session, _event, _subject_id, _organisation_id, _recipient: None,
    breakers: Mapping[str, Breaker] | None = None,
) -> DeliveryReport:
    """Send at most `limit` due messages, oldest first and each organisation in turn.

    The order is that of the beginning; the rest is left when it is `LONGEST_RANKING` old. Nothing is due any
    more when the report's total is zero.
    Messages for a channel that is not among `channels`, or whose breaker is open, stay where they are until
    they expire. What is `senseless` just before it would be sent expires with that reason. On SQLite
    the factory's transactions must begin IMMEDIATE. An error that no channel should raise is passed on,
    after the messages not yet begun were given back.
    """
    courier = _Courier(
        session_factory=session_factory,
        clock=clock,
        channels=channels,
        lease=timedelta(seconds=lease_seconds),
        rng=rng or random.SystemRandom(),
        policy=policy,
        complete=complete,
        senseless=senseless,
        breakers=breakers or {},
        statements=single_statements(session_factory),
    )
    return courier.deliver(limit)


_Result = Sent | DeliveryFailure


@dataclass(kw_only=True)
class _Courier:
    session_factory: sessionmaker[Session]
    clock: Clock
    channels: Mapping[str, Channel]
    lease: timedelta
    rng: random.Random
    policy: Policy
    complete: Completion = field(repr=False)
    senseless: Senseless = field(repr=False)
    breakers: Mapping[str, Breaker]
    statements: SingleStatements | None
    tally: Counter[str] = field(default_factory=Counter)
    ranked: deque[uuid.UUID] = field(default_factory=deque)
    waiting: deque[Lease] = field(default_factory=deque)

    def deliver(self, limit: int) -> DeliveryReport:
        started = self.clock.now()
        self._rank(limit)
        left = limit
        while left > 0 and self.ranked and self.clock.now() < started + LONGEST_RANKING:
            left -= self._lease_due(min(left, BITE))
            self._deliver_leased()
        return DeliveryReport(**self.tally)

    def _deliver_leased(self) -> None:
        try:
            current = self._step(None) if self.waiting else None
            while current is not None:
                result = self._send(current)
                self._tell_breaker(current.channel, result, self.clock.now())
                current = self._step((current, result))
        finally:
            self._give_back()

    def _rank(self, limit: int) -> None:
        with self.session_factory.begin() as session:
            feedback.judge(session, self.clock, rng=self.rng, policy=self.policy)  # also when nothing is due
            self.ranked.extend(session.scalars(leasing.in_turn(self._due(), limit * RIVALS)))

    def _lease_due(self, most: int) -> int:
        """Lease the next in order; gives how many were taken from it, settled ones included."""
        now = self.clock.now()
        with self.session_factory.begin() as session:
            feedback.judge(session, self.clock, rng=self.rng, policy=self.policy)
            messages = leasing.lock_next(session, self._due(), self.ranked, most)
            doubts = leasing.doubts_of(session, messages)
            leased = [m.id for m in messages if self._take(session, m, doubts.get(m.id, 0), now)]
            leasing.lease_all(session, leased, now + self.lease)
        return len(messages)

    def _due(self) -> ColumnElement[bool]:
        now = self.clock.now()
        return leasing.is_due(now, [name for name in self.channels if self._allows(name, now)])

    def _take(self, session: Session, message: OutboxMessage, doubts: int, now: datetime) -> bool:
        """Whether it is to be leased; else it is settled."""
        if message.state is MessageState.SENDING:
            session.add(_attempt(message.id, now, INTERRUPTED))
            doubts += 1
        if message.expires_at is not None and message.expires_at <= now:
            message.reason = TOO_LATE
            self._settle(message, MessageState.EXPIRED, now)
        elif doubts > MAX_REPEATS_IN_DOUBT:
            self._settle(message, MessageState.FAILED, now)
        else:
            self.waiting.append(leasing.lease_of(message, doubts, now + self.lease))
            return True
        return False

    def _settle(self, message: OutboxMessage, state: MessageState, now: datetime) -> None:
        message.state, message.settled_at, message.leased_until = state, now, None
        self.tally[state.value] += 1

    def _step(self, finished: tuple[Lease, _Result] | None) -> Lease | None:
        """Record what was sent and mark the next one as being sent, in one transaction or statement."""
        if finished is None:
            with self.session_factory.begin() as session:
                return self._begin_next(session)
        counted = self.tally.copy()
        try:
            if isinstance(finished[1], Sent) and self.statements and self._next_may_go(self.statements):
                return self._step_at_once(self.statements, finished[0], finished[1])
            with self.session_factory.begin() as session:
                self._record(session, *finished)
                return self._begin_next(session)
        except Exception:
            # What failed may be the next one's: what was sent is written down all the same, or it goes twice.
            self.tally = counted
            with self.session_factory.begin() as session:
                self._record(session, *finished)
            raise

    def _next_may_go(self, statements: SingleStatements) -> bool:
        """Whether the next one is there and still to be sent; all else takes a transaction."""
        if not self.waiting or not self._allows(self.waiting[0].channel, self.clock.now()):
            return False
        lease = self.waiting[0]
        with statements.sessions() as session:
            return self._why_senseless(session, lease) is None

    def _why_senseless(self, session: Session, lease: Lease) -> str | None:
        about = lease.event, lease.subject_id, lease.organisation_id, lease.recipient
        return self.senseless(session, *about)

    def _step_at_once(self, statements: SingleStatements, lease: Lease, sent: Sent) -> Lease | None:
        now, waiting = self.clock.now(), self.waiting[0]
        begun = self._begun(waiting, now)
        settled, was_ours = statements.settle_and_begin(
            Delivered(id=lease.id, provider_message_id=sent.provider_message_id[:200], at=now),
            Begun(id=begun.id, held_until=waiting.until, tries=begun.tries, until=begun.until),
        )
        self.waiting.popleft()
        if settled:
            self.tally["delivered"] += 1
        else:
            with self.session_factory.begin() as session:
                self._record(session, lease, sent)
        if was_ours:
            return begun
        self._overtaken(waiting)
        return self._step(None)

    def _begun(self, lease: Lease, now: datetime) -> Lease:
        return replace(lease, tries=lease.tries + 1, until=now + self.lease, begun_at=now)

    def _begin_next(self, session: Session) -> Lease | None:
        while self.waiting:
            lease, now = self.waiting.popleft(), self.clock.now()
            if not self._allows(lease.channel, now):
                leasing.change(session, leasing.held(lease, MessageState.QUEUED), leased_until=None)
                continue
            if self._has_lost_its_sense(session, lease, now):
                continue
            begun = self._begun(lease, now)
            if leasing.change(
                session,
                leasing.held(lease, MessageState.QUEUED),
                state=MessageState.SENDING,
                tries=begun.tries,
                leased_until=begun.until,
            ):
                return begun
            self._overtaken(lease)
        return None

    def _allows(self, channel: str, now: datetime) -> bool:
        return channel not in self.breakers or self.breakers[channel].allows(now)

    def _has_lost_its_sense(self, session: Session, lease: Lease, now: datetime) -> bool:
        reason = self._why_senseless(session, lease)
        if reason is None:
            return False
        held = leasing.held(lease, MessageState.QUEUED)
        expired = {"state": MessageState.EXPIRED, "reason": reason[:40], "settled_at": now}
        self._count(leasing.change(session, held, leased_until=None, **expired), "expired", lease)
        return True

    def _send(self, lease: Lease) -> _Result:
        try:
            return self.channels[lease.channel].send(self._compose(lease))
        except DeliveryFailure as failure:
            return failure

    def _compose(self, lease: Lease) -> Outgoing:
        assert lease.begun_at is not None
        values = self.complete(lease.event, lease.subject_id, lease.values)
        # What was filled in is a secret of one recipient: only what all are told is kept for the next.
        fill = render_once if values == lease.values else render
        rendered = fill(lease.event, lease.language, values)
        return Outgoing(
            id=lease.id,
            recipient=lease.recipient,
            language=lease.language,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            short=rendered.short,
            at=lease.begun_at,
        )

    def _record(self, session: Session, lease: Lease, result: _Result) -> None:
        now = self.clock.now()
        problem = None if isinstance(result, Sent) else result.problem
        if isinstance(result, Sent):
            recorded = self._record_delivered(session, lease, result, now)
        else:
            recorded = self._record_failure(session, lease, result, now)
        # Locked, for whoever withdraws it at this moment takes its attempts along.
        if recorded or session.get(OutboxMessage, lease.id, with_for_update=True) is not None:
            session.connection().execute(_NEW_ATTEMPT, _attempt_values(lease.id, now, problem))

    def _tell_breaker(self, channel: str, result: _Result, now: datetime) -> None:
        breaker = self.breakers.get(channel)
        if breaker is None:
            return
        was_open = breaker.open_until is not None
        if isinstance(result, DeliveryFailure) and is_about_provider(result):
            breaker.failed(result, now)
        elif isinstance(result, Sent) or result.problem.startswith(("smtp_", "twilio_")):
            breaker.succeeded()  # its refusal of one message is an answer too
        if was_open is not (breaker.open_until is not None):
            event = "outbox.channel_works_again" if was_open else "outbox.channel_fails"
            log.warning(event, channel=channel, reason=breaker.problem)

    def _record_delivered(self, session: Session, lease: Lease, sent: Sent, now: datetime) -> bool:
        # That it arrived is a fact, whoever holds the lease by now: it stops a repeat not yet begun.
        undelivered = Which(id=lease.id, state=MessageState.DELIVERED)
        recorded = leasing.change(
            session,
            undelivered,
            state=MessageState.DELIVERED,
            provider_message_id=sent.provider_message_id[:200],
            settled_at=now,
            leased_until=None,
        )
        return self._count(recorded, "delivered", lease)

    def _record_failure(
        self, session: Session, lease: Lease, failure: DeliveryFailure, now: datetime
    ) -> bool:
        verdict = decide(
            failure, tries=lease.tries, doubts=lease.doubts, now=now, rng=self.rng, policy=self.policy
        )
        changes: dict[str, Any] = {"state": MessageState.FAILED, "settled_at": now}
        if verdict.next is Next.RETRY:
            changes = {"state": MessageState.QUEUED, "not_before": verdict.at}
        recorded = leasing.change(
            session, leasing.held(lease, MessageState.SENDING), leased_until=None, **changes
        )
        return self._count(recorded, "retried" if verdict.next is Next.RETRY else "failed", lease)

    def _count(self, recorded: bool, as_what: str, lease: Lease) -> bool:
        if recorded:
            self.tally[as_what] += 1
        else:
            self._overtaken(lease)
        return recorded

    def _overtaken(self, lease: Lease) -> None:
        self.tally["overtaken"] += 1
        # Its lease ended too soon: somebody else sends it, too.
        log.warning("outbox.overtaken", message_id=str(lease.id), lease_seconds=self.lease.total_seconds())

    def _give_back(self) -> None:
        """Free what was leased and not begun, so that it does not wait for the lease to lapse."""
        if not self.waiting:
            return
        with self.session_factory.begin() as session:
            for lease in self.waiting:
                leasing.change(session, leasing.held(lease, MessageState.QUEUED), leased_until=None)


def _attempt(message_id: uuid.UUID, at: datetime, problem: str | None) -> DeliveryAttempt:
    return DeliveryAttempt(**_attempt_values(message_id, at, problem))


def _attempt_values(message_id: uuid.UUID, at: datetime, problem: str | None) -> dict[str, Any]:
    return {
        "id": uuid.uuid4(),
        "message_id": message_id,
        "at": at,
        "delivered": problem is None,
        "problem": problem,
    }


_NEW_ATTEMPT = cast(Table, DeliveryAttempt.__table__).insert()
