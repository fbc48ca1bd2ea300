"""Bring stored reports to the desk side in batches; each report arrives once.

A batch is one transaction of the database. The keystore commits the case keys before it. After a kill in
between, those keys are orphans for the sweep, and the next run takes the batch again.
"""

import random
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, cast

from sqlalchemy import Connection, Table, func, or_, select
from sqlalchemy.orm import Session, sessionmaker
from structlog import get_logger

from notifications.events import Event
from notifications.outbox import NewMessage, enqueue, random_delay
from privacy.bulk import Columns, insert_many
from privacy.keystore import Keystore
from privacy.sealing import SCHEMA_VERSION
from signals.arrival.desk_lane import admit
from signals.arrival.envelopes import REPORTS, ArrivalChecks, Case, Waiting, open_each, take
from signals.arrival.receivers import Receivers
from signals.arrival.repeats import Probe, Prober
from signals.audit.grounds import Ground
from signals.audit.log import SYSTEM, AuditEvent, AuditLog
from signals.clock import Clock, today
from signals.comparisons.draws import Arrived, draw_each
from signals.comparisons.plan import NEVER_DRAWN
from signals.db import is_sqlite
from signals.lifecycle.case_numbers import new_reference
from signals.lifecycle.telling_systems import connections_of, event_of
from signals.lifecycle.transitions import ARRIVES_AS
from signals.models import AddressLink, Signal
from signals.models.base import new_id
from signals.models.connection import SystemKind
from signals.organisations.addressing import EMAIL_ONLY, not_disturbing
from signals.vocabulary import AuditAction

NOTICE_EXPIRES_DAYS = 28
BATCHES_REMEMBERED = 10
"""Batches after which a worker looks organisations and keys up again; in a long run about a second."""

log = get_logger(__name__)

_SIGNALS: Final = cast(Table, Signal.__table__)
_LINKS: Final = cast(Table, AddressLink.__table__)
_LOCK_ALL = "SELECT pg_advisory_xact_lock(number) FROM unnest(%b::bigint[]) AS number"
_OF_A_NEW_SIGNAL = {
    "state": ARRIVES_AS,
    "version": 1,
    "repeat": False,
    "urgent": False,
    "schema_version": SCHEMA_VERSION,
}


@dataclass(frozen=True, kw_only=True)
class ArrivalDesk:
    """The sessions, keys and settings that arrival uses; each worker has one."""

    sessions: sessionmaker[Session]
    keystore: Keystore = field(repr=False)
    audit: AuditLog = field(repr=False)
    checks: ArrivalChecks
    desk_url: str
    delay_minutes: int = 30
    channels: Collection[str] = EMAIL_ONLY
    batch_size: int = 500
    rng: random.Random = field(default_factory=random.SystemRandom)

    def arrive(self, clock: Clock) -> int:
        """Bring in everything that waits; return how many reports arrived."""
        total, taken, done = 0, self.batch_size, 0
        receivers = self._receivers()
        while taken == self.batch_size:
            if done == BATCHES_REMEMBERED:
                receivers, done = self._receivers(), 0
            waiting, arrived = self._arrive_batch(clock, receivers)
            taken, total, done = len(waiting), total + arrived, done + 1
        return total

    def retry(self, clock: Clock) -> int:
        """Try each refused report once more, for its key may be back; return how many arrived."""
        total, after = 0, uuid.UUID(int=0)
        while True:
            waiting, arrived = self._arrive_batch(clock, self._receivers(), after)
            if not waiting:
                return total
            total, after = total + arrived, waiting[-1].signal_id

    def _receivers(self) -> Receivers:
        return Receivers(self.keystore, self.channels)

    def _arrive_batch(
        self, clock: Clock, receivers: Receivers, refused_after: uuid.UUID | None = None
    ) -> tuple[list[Waiting], int]:
        """Return the reports that one transaction took, and how many of them arrived."""
        with self.sessions.begin() as session:
            connection = session.connection()
            waiting = take(connection, self.batch_size, refused_after)
            if not waiting:
                return [], 0
            receivers.fetch(session, waiting, also={self.checks.desk_id(row) for row in waiting})
            opened = open_each(session, waiting, receivers.mailboxes, receivers.teams, self.checks)
            opened = admit(session, opened, today(clock), self.checks.unproven_per_day)
            cases, probes = _linkable(opened, receivers.prober, today(clock))
            if cases:
                self._store(session, clock, cases, probes, receivers)
            _reject(connection, waiting, cases, today(clock))
        return waiting, len(cases)

    def _store(
        self,
        session: Session,
        clock: Clock,
        cases: Sequence[Case],
        probes: Sequence[Probe],
        receivers: Receivers,
    ) -> None:
        on, connection = today(clock), session.connection()
        _insert_signals(connection, cases, receivers, on)
        connection.execute(REPORTS.delete().where(REPORTS.c.signal_id.in_(_ids(cases))))
        _insert_links(connection, cases, probes)
        of = [(case.row.organisation_id, case.row.signal_id) for case in cases]
        self.audit.record_each(session, clock, _arrived(on), of)
        repeats = _mark_repeats(connection, cases, probes)
        draw_each(session, self.keystore, [_drawable(case, repeats) for case in cases], on)
        enqueue(session, [*self._messages(clock, cases, receivers), *self._events(session, clock, cases)])
        self.keystore.store_case_keys({case.key_id: case.key for case in cases}, created_on=on)

    def _messages(self, clock: Clock, cases: Sequence[Case], receivers: Receivers) -> Iterator[NewMessage]:
        """Yield one message for each organisation and recipient, after one random delay a team."""
        for organisation_id, first in _first_begun(cases, today(clock)).items():
            delay = random_delay(self.delay_minutes, self.rng)
            due = not_disturbing(receivers.teams[organisation_id], clock.now() + delay)
            claim_by = receivers.deadlines(organisation_id, first).claim_by
            subject = new_id()
            for contact in receivers.recipients[organisation_id]:
                yield NewMessage(
                    event=Event.NEW_SIGNAL,
                    subject_id=subject,
                    organisation_id=organisation_id,
                    channel=contact.channel,
                    recipient=contact.recipient,
                    language=contact.language,
                    values={"link": self.desk_url, "claim_by": claim_by.isoformat()},
                    not_before=due,
                    expires_at=due + timedelta(days=NOTICE_EXPIRES_DAYS),
                )

    def _events(self, session: Session, clock: Clock, cases: Sequence[Case]) -> Iterator[NewMessage]:
        """Yield the event of each new signal, after a random delay of its own."""
        systems = connections_of(session, {case.row.organisation_id for case in cases})
        for row in (case.row for case in cases):
            for one in systems.get(row.organisation_id, ()):
                if one.kind is SystemKind.WEBHOOK:
                    due = clock.now() + random_delay(self.delay_minutes, self.rng)
                    yield event_of(one, row.signal_id, 1, ARRIVES_AS, self.desk_url, due)


def _linkable(opened: Sequence[Case], prober: Prober, on: date) -> tuple[Sequence[Case], Sequence[Probe]]:
    """Return the cases that can get a link, with their probes; a damaged key holds up its own team only."""
    probes = prober.probes([(case.row.organisation_id, case.address) for case in opened], on)
    if all(probe.has_own for probe in probes):
        return opened, probes
    found = [(case, probe) for case, probe in zip(opened, probes, strict=True) if probe.has_own]
    log.error("arrival.pseudonym_key_damaged", reports=len(opened) - len(found))
    return [case for case, _ in found], [probe for _, probe in found]


def _ids(cases: Sequence[Case]) -> list[uuid.UUID]:
    return [case.row.signal_id for case in cases]


def _insert_signals(connection: Connection, cases: Sequence[Case], receivers: Receivers, on: date) -> None:
    rows = [case.row for case in cases]
    deadlines = [receivers.deadlines(row.organisation_id, _begun_on(row, on)) for row in rows]
    claim_by = [each.claim_by for each in deadlines]
    columns: Columns = {
        "id": [row.signal_id for row in rows],
        "organisation_id": [row.organisation_id for row in rows],
        "reference": [new_reference() for _ in rows],
        "received_on": [row.received_on for row in rows],
        "unrouted": [row.unrouted for row in rows],
        "outside_area": [case.outside_area for case in cases],
        "receipt_hash": [row.receipt_hash for row in rows],
        "team_notified": [bool(receivers.recipients[row.organisation_id]) for row in rows],
        "case_key_id": [case.key_id for case in cases],
        "content": [case.content for case in cases],
        "summary": [case.summary for case in cases],
        "claim_by": claim_by,
        "contact_by": [each.contact_by for each in deadlines],
        "conclude_by": [each.conclude_by for each in deadlines],
        "due_on": claim_by,
    }
    insert_many(connection, _SIGNALS, columns, _OF_A_NEW_SIGNAL)


def _reject(connection: Connection, waiting: Sequence[Waiting], cases: Sequence[Case], on: date) -> None:
    """Mark reports that did not open or found no place: they stop nobody, and each night tries them again."""
    refused = {row.signal_id for row in waiting} - set(_ids(cases))
    if refused:
        since = func.coalesce(REPORTS.c.refused_on, on)
        connection.execute(REPORTS.update().where(REPORTS.c.signal_id.in_(refused)).values(refused_on=since))


def _drawable(case: Case, repeats: Collection[uuid.UUID]) -> Arrived:
    signal_id = case.row.signal_id
    drawable = signal_id not in repeats and NEVER_DRAWN.isdisjoint(case.concern_types)
    return Arrived(signal_id, case.row.organisation_id, drawable)


def _mark_repeats(
    connection: Connection, cases: Sequence[Case], probes: Sequence[Probe]
) -> Collection[uuid.UUID]:
    """Mark signals at an address where their organisation had one before, in this batch too; return them.

    Two workers with the same address at once wait for one another: the second sees the first's links.
    """
    _lock_addresses(connection, probes)
    known = _known_exact(connection, probes, besides=_ids(cases))
    repeats = []
    for signal_id, probe in zip(_ids(cases), probes, strict=True):
        if not known.isdisjoint(probe.exact):
            repeats.append(signal_id)
        known.add(probe.own[0])
    if repeats:
        connection.execute(_SIGNALS.update().where(_SIGNALS.c.id.in_(repeats)).values(repeat=True))
    return repeats


def _lock_addresses(connection: Connection, probes: Sequence[Probe]) -> None:
    """Lock the houses until the transaction ends, in one order so that no two workers deadlock.

    SQLite needs no lock: its writers queue already.
    """
    if not is_sqlite(connection):
        numbers = sorted({int.from_bytes(probe.house[0][:8], signed=True) for probe in probes})
        connection.exec_driver_sql(_LOCK_ALL, (numbers,))


def _known_exact(
    connection: Connection, probes: Sequence[Probe], *, besides: Collection[uuid.UUID]
) -> set[bytes]:
    """Return the pseudonyms known in these houses, without the links of these signals."""
    houses = {house for probe in probes for house in probe.house}
    # A link outlives its signal: then it names none.
    others = or_(_LINKS.c.signal_id.is_(None), _LINKS.c.signal_id.not_in(besides))
    query = select(_LINKS.c.pseudonym).where(_LINKS.c.house_pseudonym.in_(houses), others)
    return set(connection.scalars(query))


def _insert_links(connection: Connection, cases: Sequence[Case], probes: Sequence[Probe]) -> None:
    columns: Columns = {
        "id": [new_id() for _ in cases],
        "organisation_id": [probe.organisation_id for probe in probes],
        "pseudonym": [probe.own[0] for probe in probes],
        "house_pseudonym": [probe.own[1] for probe in probes],
        "received_on": [case.row.received_on for case in cases],
        "signal_id": _ids(cases),
    }
    insert_many(connection, _LINKS, columns, {"quarter": probes[0].quarter})


def _arrived(on: date) -> AuditEvent:
    return AuditEvent(
        actor=SYSTEM,
        action=AuditAction.SIGNAL_ARRIVED,
        ground=Ground.ARRIVAL,
        at=datetime.combine(on, time(), UTC),
    )


def _begun_on(row: Waiting, on: date) -> date:
    """Return the day on which the deadlines begin: of a report that was refused, the day that it arrives."""
    return row.received_on if row.refused_on is None else on


def _first_begun(cases: Sequence[Case], on: date) -> Mapping[uuid.UUID, date]:
    """Return the earliest beginning by organisation: its deadline comes first."""
    first: dict[uuid.UUID, date] = {}
    for row in (case.row for case in cases):
        first[row.organisation_id] = min(_begun_on(row, on), first.get(row.organisation_id, date.max))
    return first
