"""Arrival: open what waits in the mailboxes, on the desk side, in batches; each report arrives once.

A batch is one transaction of the database. The case keys are written to the keystore before it
commits: killed in between, the keys are orphans to be swept and the batch is done again.
"""

import random
import secrets
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, cast

from sqlalchemy import Connection, Integer, Table, literal_column, or_, select
from sqlalchemy.orm import Session, sessionmaker
from structlog import get_logger

from notifications.events import Event
from notifications.outbox import NewMessage, enqueue, random_delay
from privacy.bulk import Columns, among, array_of_numbers, fetch_all, insert_many, pipelined
from privacy.keystore import Keystore
from privacy.sealing import SCHEMA_VERSION, MailboxPrivateKey, SealingError
from signals.arrival.repeats import Probe, Prober
from signals.audit.grounds import Ground
from signals.audit.log import SYSTEM, AuditEvent, AuditLog
from signals.clock import Clock, today
from signals.db import is_sqlite
from signals.intake.content import context_of, seal_what_came
from signals.lifecycle.case_numbers import new_reference
from signals.lifecycle.deadlines import Deadlines, deadlines_for
from signals.lifecycle.transitions import ARRIVES_AS
from signals.models import AddressLink, IdempotencyKey, Organisation, Recipient, SealedReport, Signal
from signals.models.base import new_id
from signals.organisations.addressing import EMAIL_ONLY, ContactPoint, coordinators, not_disturbing, way_to
from signals.routing.postcodes import Address
from signals.vocabulary import AuditAction

NOTICE_EXPIRES_DAYS = 28
PART = 250
"""So many signals of a batch go to the database at once."""
BATCHES_REMEMBERED = 10
"""After so many a worker asks again who receives what and under which keys: in a long run, each second."""

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class ArrivalDesk:
    """What arrival works with; one per worker."""

    sessions: sessionmaker[Session]
    keystore: Keystore = field(repr=False)
    audit: AuditLog = field(repr=False)
    desk_url: str
    delay_minutes: int = 30
    channels: Collection[str] = EMAIL_ONLY
    batch_size: int = 500
    rng: random.Random = field(default_factory=random.SystemRandom)

    def arrive(self, clock: Clock) -> int:
        """Bring in everything that waits; returns how many reports arrived."""
        total, taken, done = 0, self.batch_size, 0
        known = self._nothing_known()
        while taken == self.batch_size:
            if done == BATCHES_REMEMBERED:
                known, done = self._nothing_known(), 0
            taken, arrived = self._arrive_batch(clock, known)
            total, done = total + arrived, done + 1
        return total

    def _nothing_known(self) -> "_Known":
        return _Known(self.keystore, self.channels)

    def _arrive_batch(self, clock: Clock, known: "_Known") -> tuple[int, int]:
        """(reports taken up, reports arrived) of one batch, one transaction."""
        with self.sessions.begin() as session:
            connection = session.connection()
            waiting = _take(connection, self.batch_size)
            if not waiting:
                return 0, 0
            known.fetch(session, waiting)
            cases, probes = self._store(session, clock, waiting, known)
            _set_aside(connection, waiting, cases, today(clock))
            _mark_repeats(connection, cases, probes)
        return len(waiting), len(cases)

    def _store(
        self, session: Session, clock: Clock, waiting: Sequence["_Waiting"], known: "_Known"
    ) -> tuple[list["_Case"], list[Probe]]:
        """PostgreSQL stores one part while the next is opened here, and the keystore meanwhile as well."""
        cases: list[_Case] = []
        probes: list[Probe] = []
        on, connection = today(clock), session.connection()
        with pipelined(connection):
            for start in range(0, len(waiting), PART):
                part = _opened(waiting[start : start + PART], known)
                _insert_signals(connection, part, known)
                _take_out(connection, part)
                found = known.prober.probes([(c.row.organisation_id, c.address) for c in part], on)
                _insert_links(connection, part, found)
                of = [(case.row.organisation_id, case.row.signal_id) for case in part]
                self.audit.record_each(session, clock, _arrived(on), of)
                cases += part
                probes += found
            with self.keystore.storing_case_keys({case.key_id: case.key for case in cases}, created_on=on):
                enqueue(session, list(self._messages(clock, cases, known)))
        return cases, probes

    def _messages(self, clock: Clock, cases: Sequence["_Case"], known: "_Known") -> Iterator[NewMessage]:
        """One for each organisation and verified recipient, of all that came in, after one delay a team."""
        for organisation_id, first in _first_received(cases).items():
            delay = random_delay(self.delay_minutes, self.rng)
            due = not_disturbing(known.teams[organisation_id], clock.now() + delay)
            claim_by = known.deadlines(organisation_id, first).claim_by
            subject = new_id()
            for reach in known.recipients[organisation_id]:
                yield NewMessage(
                    event=Event.NEW_SIGNAL,
                    subject_id=subject,
                    organisation_id=organisation_id,
                    channel=reach.channel,
                    recipient=reach.recipient,
                    language=reach.language,
                    values={"link": self.desk_url, "claim_by": claim_by.isoformat()},
                    not_before=due,
                    expires_at=due + timedelta(days=NOTICE_EXPIRES_DAYS),
                )


class _Waiting(NamedTuple):
    """What arrival reads of a sealed report."""

    receipt_hash: bytes
    signal_id: uuid.UUID
    organisation_id: uuid.UUID
    mailbox_key_id: uuid.UUID
    schema_version: int
    received_on: date
    unrouted: bool
    envelope: bytes
    has_key: int | None
    is_signal: int | None


class _Team(NamedTuple):
    """What arrival reads of an organisation."""

    id: uuid.UUID
    language: str
    claim_working_days: int
    contact_working_days: int
    conclude_calendar_days: int
    opens_at: int
    quiet_from: int | None
    quiet_until: int | None
    working_days: str | None


class _Listed(NamedTuple):
    """What arrival reads of a recipient."""

    organisation_id: uuid.UUID
    address: str
    verified_on: date | None
    channel: str | None
    phone: str | None
    phone_verified_on: date | None


@dataclass(slots=True)
class _Case:
    """A report that opened: its row, its address, and all that it says, sealed under a key of its own."""

    row: _Waiting
    key_id: uuid.UUID
    key: bytes = field(repr=False)
    address: Address = field(repr=False)
    content: bytes
    summary: bytes


class _Known:
    """What was looked up for some batches: keys of mailboxes, organisations, the ways to their recipients.

    Private keys are parsed once; nothing is kept for longer, for a destroyed key must not live on.
    """

    def __init__(self, keystore: Keystore, channels: Collection[str]) -> None:
        self._keystore = keystore
        self._channels = channels
        self.prober = Prober(keystore)
        self.mailboxes: dict[uuid.UUID, MailboxPrivateKey] = {}
        self.teams: dict[uuid.UUID, _Team] = {}
        self.recipients: dict[uuid.UUID, list[ContactPoint]] = {}
        self._deadlines: dict[tuple[uuid.UUID, date], Deadlines] = {}

    def fetch(self, session: Session, waiting: Sequence[_Waiting]) -> None:
        """Ask for what these need and is not here yet; a key that was destroyed stays away."""
        key_ids = {row.mailbox_key_id for row in waiting} - self.mailboxes.keys()
        found = self._keystore.mailbox_private_keys(key_ids)
        self.mailboxes |= {key_id: MailboxPrivateKey.from_bytes(raw) for key_id, raw in found.items()}
        new = {row.organisation_id for row in waiting} - self.recipients.keys()
        if new:
            self._fetch_teams(session, new)

    def deadlines(self, organisation_id: uuid.UUID, received_on: date) -> Deadlines:
        """Those of this organisation, counted once for each day of receipt."""
        known = self._deadlines.get((organisation_id, received_on))
        if known is None:
            team = self.teams[organisation_id]
            known = self._deadlines[organisation_id, received_on] = deadlines_for(
                received_on,
                claim_days=team.claim_working_days,
                contact_days=team.contact_working_days,
                conclude_calendar_days=team.conclude_calendar_days,
            )
        return known

    def _fetch_teams(self, session: Session, ids: set[uuid.UUID]) -> None:
        connection = session.connection()
        those = among(Organisation.__table__.c.id, ids, connection)
        for team in map(_Team._make, fetch_all(connection, _ORGANISATIONS.where(those))):
            self.teams[team.id] = team
        self.recipients |= {organisation_id: [] for organisation_id in ids}
        kept_out = coordinators(session)
        theirs = among(Recipient.__table__.c.organisation_id, ids, connection)
        for row in map(_Listed._make, fetch_all(connection, _RECIPIENTS.where(theirs))):
            reach = way_to(row, self.teams[row.organisation_id].language, self._channels)
            if reach is not None and row.address.lower() not in kept_out:  # whatever the channel
                self.recipients[row.organisation_id].append(reach)


_reports = cast(Table, SealedReport.__table__)
_signals = cast(Table, Signal.__table__)
_links = cast(Table, AddressLink.__table__)

# Not EXISTS: for that PostgreSQL may read all signals into a table of its own. As values they are looked up.
_ONE = select(literal_column("1", Integer))
_HAS_KEY = _ONE.where(IdempotencyKey.receipt_hash == _reports.c.receipt_hash).scalar_subquery()
_IS_SIGNAL = _ONE.where(Signal.id == _reports.c.signal_id).scalar_subquery()
_TAKEN = (
    select(*(_reports.c[name] for name in _Waiting._fields[:-2]), _HAS_KEY, _IS_SIGNAL)
    .where(_reports.c.refused_on.is_(None))
    .order_by(_reports.c.signal_id)
    .with_for_update(skip_locked=True, of=_reports)
)
"""The front writes a report's key with it. Whoever writes an envelope alone, as its database role can, is not
counted by the day's limit; whoever writes one again must not stop what comes behind it."""
_LOCK_ALL = "SELECT pg_advisory_xact_lock(number) FROM unnest(%b::bigint[]) AS number"
_ORGANISATIONS = select(*(Organisation.__table__.c[name] for name in _Team._fields))
_RECIPIENTS = select(*(Recipient.__table__.c[name] for name in _Listed._fields)).order_by(
    Recipient.organisation_id, Recipient.position
)
_OF_A_NEW_SIGNAL = {
    "state": ARRIVES_AS,
    "version": 1,
    "is_drill": False,
    "repeat": False,
    "schema_version": SCHEMA_VERSION,
}


def _take(connection: Connection, limit: int) -> list[_Waiting]:
    """A batch that no other worker has, by random ids: the order of arrival is nobody's business."""
    return [*map(_Waiting._make, fetch_all(connection, _TAKEN.limit(limit)))]


def _opened(waiting: Sequence[_Waiting], known: _Known) -> list[_Case]:
    """Those that open and have a receiver, sealed anew; one after the other, for a processor's caches."""
    received = [row for row in waiting if _came_by_the_door(row) and row.organisation_id in known.teams]
    texts = [_open(row, known.mailboxes.get(row.mailbox_key_id)) for row in received]
    cases = [_case_of(row, text) for row, text in zip(received, texts, strict=True) if text is not None]
    return [case for case in cases if case is not None]


def _came_by_the_door(row: _Waiting) -> bool:
    if row.has_key and not row.is_signal:
        return True
    event = "arrival.came_twice" if row.is_signal else "arrival.came_without_key"
    log.error(event, signal_id=str(row.signal_id))
    return False


def _open(row: _Waiting, mailbox: MailboxPrivateKey | None) -> bytes | None:
    """What an envelope holds; None when it was swapped or damaged, or its key is gone."""
    if mailbox is None:
        log.error("arrival.mailbox_key_gone", signal_id=str(row.signal_id), key_id=str(row.mailbox_key_id))
        return None
    context = context_of(row.signal_id, row.organisation_id, row.mailbox_key_id, row.schema_version)
    try:
        return mailbox.open(row.envelope, context)
    except SealingError as error:
        log.error("arrival.envelope_refused", signal_id=str(row.signal_id), error=type(error).__name__)
    return None


def _case_of(row: _Waiting, text: bytes) -> _Case | None:
    """The report under a key of its own; None when it is none."""
    key_id, key = new_id(), secrets.token_bytes(32)
    context = context_of(row.signal_id, row.organisation_id, key_id)
    try:
        return _Case(row, key_id, key, *seal_what_came(text, key, context))
    except SealingError as error:
        # Whoever can write to the database can seal nonsense: the public keys lie beside it.
        log.error("arrival.content_refused", signal_id=str(row.signal_id), error=type(error).__name__)
    return None


def _insert_signals(connection: Connection, cases: Sequence[_Case], known: _Known) -> None:
    rows = [case.row for case in cases]
    organisations = [row.organisation_id for row in rows]
    deadlines = [known.deadlines(row.organisation_id, row.received_on) for row in rows]
    claim_by = [each.claim_by for each in deadlines]
    columns: Columns = {
        "id": [row.signal_id for row in rows],
        "organisation_id": organisations,
        "reference": [new_reference() for _ in rows],
        "received_on": [row.received_on for row in rows],
        "unrouted": [row.unrouted for row in rows],
        "receipt_hash": [row.receipt_hash for row in rows],
        "team_told": [bool(known.recipients[organisation_id]) for organisation_id in organisations],
        "case_key_id": [case.key_id for case in cases],
        "content": [case.content for case in cases],
        "summary": [case.summary for case in cases],
        "claim_by": claim_by,
        "contact_by": [each.contact_by for each in deadlines],
        "conclude_by": [each.conclude_by for each in deadlines],
        "due_on": claim_by,
    }
    insert_many(connection, _signals, columns, _OF_A_NEW_SIGNAL)


def _take_out(connection: Connection, cases: Sequence[_Case]) -> None:
    """What has become a signal leaves its mailbox."""
    arrived = among(_reports.c.signal_id, [case.row.signal_id for case in cases], connection)
    connection.execute(_reports.delete().where(arrived))


def _set_aside(connection: Connection, waiting: Sequence[_Waiting], cases: Sequence[_Case], on: date) -> None:
    """What does not open must not stop the rest, nor be lost: it waits, marked, for the administrator."""
    if len(cases) == len(waiting):
        return
    refused = {row.signal_id for row in waiting} - {case.row.signal_id for case in cases}
    these = among(_reports.c.signal_id, refused, connection)
    connection.execute(_reports.update().where(these).values(refused_on=on))


def _mark_repeats(connection: Connection, cases: Sequence[_Case], probes: Sequence[Probe]) -> None:
    """Those whose organisation had a signal at the same address before, in this batch included.

    Two workers with the same address at once wait for one another here: the second sees the first's links.
    """
    if not cases:
        return
    _lock_addresses(connection, probes)
    own = [case.row.signal_id for case in cases]
    known = _known_exact(connection, probes, besides=own)
    repeats = []
    for signal_id, probe in zip(own, probes, strict=True):
        if not known.isdisjoint(probe.exact):
            repeats.append(signal_id)
        known.add(probe.exact[0])
    if repeats:
        those = among(_signals.c.id, repeats, connection)
        connection.execute(_signals.update().where(those).values(repeat=True))


def _lock_addresses(connection: Connection, probes: Sequence[Probe]) -> None:
    """Until the end of the transaction, in one order so that nobody deadlocks.

    SQLite needs none: its writers stand in line already.
    """
    if is_sqlite(connection):
        return
    numbers = sorted({probe.house[0][:8] for probe in probes})
    connection.exec_driver_sql(_LOCK_ALL, (array_of_numbers(connection, numbers),))


def _known_exact(
    connection: Connection, probes: Sequence[Probe], *, besides: Collection[uuid.UUID]
) -> set[bytes]:
    """The pseudonyms in these houses, but for the links of these signals."""
    houses = {house for probe in probes for house in probe.house}
    found = among(_links.c.house_pseudonym, houses, connection)
    # A link outlives its signal: then it names none.
    others = or_(_links.c.signal_id.is_(None), ~among(_links.c.signal_id, besides, connection))
    return set(connection.scalars(select(_links.c.pseudonym).where(found, others)))


def _insert_links(connection: Connection, cases: Sequence[_Case], probes: Sequence[Probe]) -> None:
    if not cases:
        return
    columns: Columns = {
        "id": [new_id() for _ in cases],
        "organisation_id": [probe.organisation_id for probe in probes],
        "pseudonym": [probe.exact[0] for probe in probes],
        "house_pseudonym": [probe.house[0] for probe in probes],
        "received_on": [case.row.received_on for case in cases],
        "signal_id": [case.row.signal_id for case in cases],
    }
    insert_many(connection, _links, columns, {"quarter": probes[0].quarter})


def _arrived(on: date) -> AuditEvent:
    return AuditEvent(
        actor=SYSTEM,
        action=AuditAction.SIGNAL_ARRIVED,
        ground=Ground.ARRIVAL,
        at=datetime.combine(on, time(), UTC),
    )


def _first_received(cases: Sequence[_Case]) -> Mapping[uuid.UUID, date]:
    """By organisation the earliest day of receipt: its deadline comes first."""
    first: dict[uuid.UUID, date] = {}
    for row in (case.row for case in cases):
        first[row.organisation_id] = min(row.received_on, first.get(row.organisation_id, date.max))
    return first
