"""Send due messages, by any number of workers at once: at least once, and a repeat is always recorded.

A worker leases a message (`leased_until`), marks it as being sent, hands it to its channel, and records the
result. No transaction is open while a provider is called. A lease ends by itself. Another worker takes a
message that was only leased. A message that was being sent may have arrived: it is repeated once, and the
second time it becomes a dead letter.
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
from notifications.breaker import Breaker, is_about_provider
from notifications.channels import AnyChannel, Outgoing, Sent, SystemChannel
from notifications.clock import Clock
from notifications.leasing import Lease, Target
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
"""Messages leased at a time: when a worker is killed, at most this many wait for the end of their lease."""
LONGEST_RANKING = timedelta(seconds=30)
"""A worker ranks again after this time, so that new messages get their turn while a provider is slow."""
RIVALS = 5  # so many workers can lease bites at the same instant, and each still finds messages

Completion = Callable[[str, uuid.UUID, Mapping[str, str]], dict[str, str]]
"""Completes stored values by event and subject: adds what no outbox may hold, such as a secret."""

Obsolete = Callable[[Session, str, uuid.UUID, uuid.UUID | None, str], str | None]
"""Returns a code for an obsolete message, else None; takes event, subject, organisation and recipient."""

TOO_LATE = "too_late"

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class DeliveryReport:
    """The messages that a round delivered, put back for later, gave up and dropped as too late.

    `overtaken`: another worker had taken the message over before this one was done with it.
    """

    delivered: int = 0
    retried: int = 0
    failed: int = 0
    expired: int = 0
    overtaken: int = 0

    @property
    def total(self) -> int:
        """Return the sum; zero when nothing was due."""
        return self.delivered + self.retried + self.failed + self.expired + self.overtaken

    def plus(self, other: "DeliveryReport") -> "DeliveryReport":
        """Return the sum of two rounds."""
        return DeliveryReport(**{name: number + getattr(other, name) for name, number in vars(self).items()})


def deliver_due(
    session_factory: sessionmaker[Session],
    clock: Clock,
    channels: Mapping[str, AnyChannel],
    *,
    limit: int = 50,
    lease_seconds: int = 120,
    rng: random.Random | None = None,
    policy: Policy = DEFAULT_POLICY,
    complete: Completion = lambda _event, _subject_id, values: dict(values),
    obsolete: Obsolete = lambda _session, _event, _subject_id, _organisation_id, _recipient: None,
    breakers: Mapping[str, Breaker] | None = None,
) -> DeliveryReport:
    """Send at most `limit` due messages, oldest first and each organisation in turn.

    The order is fixed at the start; after `LONGEST_RANKING` the rest waits for the next call. Nothing is due
    when the total of the report is zero. Messages for a channel that is not among `channels`, or whose
    breaker is open, stay until they expire. A message that is `obsolete` just before sending expires with
    that reason. On SQLite the factory's transactions must begin IMMEDIATE. An unexpected error of a channel
    goes on to the caller, after the messages not yet begun were released.
    """
    courier = _Courier(
        session_factory=session_factory,
        clock=clock,
        channels=channels,
        lease=timedelta(seconds=lease_seconds),
        rng=rng or random.SystemRandom(),
        policy=policy,
        complete=complete,
        obsolete=obsolete,
        breakers=breakers or {},
    )
    return courier.deliver(limit)


_Result = Sent | DeliveryFailure


@dataclass(kw_only=True)
class _Courier:
    session_factory: sessionmaker[Session]
    clock: Clock
    channels: Mapping[str, AnyChannel]
    lease: timedelta
    rng: random.Random
    policy: Policy
    complete: Completion = field(repr=False)
    obsolete: Obsolete = field(repr=False)
    breakers: Mapping[str, Breaker]
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
                self._update_breaker(current.channel, result, self.clock.now())
                current = self._step((current, result))
        finally:
            self._release()

    def _rank(self, limit: int) -> None:
        with self.session_factory.begin() as session:
            feedback.judge(session, self.clock, rng=self.rng, policy=self.policy)  # also when nothing is due
            self.ranked.extend(session.scalars(leasing.in_turn(self._due(), limit + RIVALS * BITE)))

    def _lease_due(self, most: int) -> int:
        """Lease the next messages; return how many left the order, settled ones included."""
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
        """Return whether to lease a message; settle it otherwise."""
        if message.state is MessageState.SENDING:
            session.add(DeliveryAttempt(**_attempt_values(message.id, now, INTERRUPTED)))
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
        """Record the result of one message and mark the next one as being sent, in one transaction."""
        if finished is None:
            with self.session_factory.begin() as session:
                return self._begin_next(session)
        counted = self.tally.copy()
        try:
            with self.session_factory.begin() as session:
                self._record(session, *finished)
                return self._begin_next(session)
        except Exception:
            # The next message may have failed: record the sent one all the same, or it goes out twice.
            self.tally = counted
            with self.session_factory.begin() as session:
                self._record(session, *finished)
            raise

    def _begin_next(self, session: Session) -> Lease | None:
        while self.waiting:
            lease, now = self.waiting.popleft(), self.clock.now()
            if not self._allows(lease.channel, now):
                leasing.change(session, leasing.leased(lease, MessageState.QUEUED), leased_until=None)
                continue
            if self._is_obsolete(session, lease, now):
                continue
            begun = replace(lease, tries=lease.tries + 1, until=now + self.lease, begun_at=now)
            if leasing.change(
                session,
                leasing.leased(lease, MessageState.QUEUED),
                state=MessageState.SENDING,
                tries=begun.tries,
                leased_until=begun.until,
            ):
                return begun
            self._overtaken(lease)
        return None

    def _allows(self, channel: str, now: datetime) -> bool:
        return channel not in self.breakers or self.breakers[channel].allows(now)

    def _is_obsolete(self, session: Session, lease: Lease, now: datetime) -> bool:
        about = lease.event, lease.subject_id, lease.organisation_id, lease.recipient
        reason = self.obsolete(session, *about)
        if reason is None:
            return False
        expired = {"state": MessageState.EXPIRED, "reason": reason[:40], "settled_at": now}
        done = leasing.change(
            session, leasing.leased(lease, MessageState.QUEUED), leased_until=None, **expired
        )
        self._count(done, "expired", lease)
        return True

    def _send(self, lease: Lease) -> _Result:
        channel = self.channels[lease.channel]
        try:
            if isinstance(channel, SystemChannel):
                return channel.pass_on(lease)
            return channel.send(self._compose(lease))
        except DeliveryFailure as failure:
            return failure

    def _compose(self, lease: Lease) -> Outgoing:
        assert lease.begun_at is not None
        values = self.complete(lease.event, lease.subject_id, lease.values)
        # A completed value is a secret of one recipient: keep only what all recipients get.
        fill = render_once if values == lease.values else render
        rendered = fill(lease.event, lease.language, values)
        return Outgoing(
            id=lease.id,
            recipient=lease.recipient,
            language=lease.language,
            at=lease.begun_at,
            **vars(rendered),
        )

    def _record(self, session: Session, lease: Lease, result: _Result) -> None:
        now = self.clock.now()
        problem = None if isinstance(result, Sent) else result.problem
        if isinstance(result, Sent):
            recorded = self._record_delivered(session, lease, result, now)
        else:
            recorded = self._record_failure(session, lease, result, now)
        # Locked: a transaction that withdraws the message at this moment also deletes its attempts.
        if recorded or session.get(OutboxMessage, lease.id, with_for_update=True) is not None:
            session.connection().execute(_NEW_ATTEMPT, _attempt_values(lease.id, now, problem))

    def _update_breaker(self, channel: str, result: _Result, now: datetime) -> None:
        breaker = self.breakers.get(channel)
        if breaker is None:
            return
        was_open = breaker.open_until is not None
        if isinstance(result, DeliveryFailure) and is_about_provider(result):
            breaker.failed(result, now)
        elif isinstance(result, Sent) or result.problem.startswith(("smtp_", "twilio_")):
            breaker.succeeded()  # a refusal of one message is an answer too
        if was_open is not (breaker.open_until is not None):
            event = "outbox.channel_works_again" if was_open else "outbox.channel_fails"
            log.warning(event, channel=channel, reason=breaker.problem)

    def _record_delivered(self, session: Session, lease: Lease, sent: Sent, now: datetime) -> bool:
        # The message arrived, under any lease: this stops a repeat that has not begun.
        undelivered = Target(id=lease.id, state=MessageState.DELIVERED)
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
            session, leasing.leased(lease, MessageState.SENDING), leased_until=None, **changes
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
        # The lease ended too soon, so another worker sends the message too.
        log.warning("outbox.overtaken", message_id=str(lease.id), lease_seconds=self.lease.total_seconds())

    def _release(self) -> None:
        """Release the leased messages that were not begun; they need not wait for the end of the lease."""
        if not self.waiting:
            return
        with self.session_factory.begin() as session:
            for lease in self.waiting:
                leasing.change(session, leasing.leased(lease, MessageState.QUEUED), leased_until=None)


def _attempt_values(message_id: uuid.UUID, at: datetime, problem: str | None) -> dict[str, Any]:
    return {
        "id": uuid.uuid4(),
        "message_id": message_id,
        "at": at,
        "delivered": problem is None,
        "problem": problem,
    }


_NEW_ATTEMPT = cast(Table, DeliveryAttempt.__table__).insert()
