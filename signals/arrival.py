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
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Table, select, text
from sqlalchemy.orm import Session, sessionmaker
from structlog import get_logger

from notifications.events import Event
from notifications.outbox import NewMessage, enqueue, random_delay
from privacy.bulk import Columns, among, array_of_numbers, fetch_all, insert_many, pipelined
from privacy.keystore import Keystore
from privacy.sealing import SCHEMA_VERSION, MailboxPrivateKey, SealingError
from signals.audit import SYSTEM, AuditEvent, AuditLog
from signals.clock import Clock, today
from signals.contents import context_of, seal_what_came
from signals.db import is_sqlite
from signals.deadlines import Deadlines, deadlines_for
from signals.followup import ARRIVES_AS
from signals.models import AddressLink, Organisation, Recipient, SealedReport, Signal
from signals.models.base import new_id
from signals.models.signal import WAITING
from signals.postcodes import Address
from signals.reach import EMAIL_ONLY, Reach, coordinators, not_disturbing, way_to
from signals.repeats import Probe, probes_for
from signals.vocabulary import AuditAction

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [one + other for one in CROCKFORD for other in CROCKFORD]
NOTICE_EXPIRES_DAYS = 28
PART = 250
"""So many signals of a batch go to the database at once."""

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
        mailboxes = _Mailboxes(self.keystore)
        total = 0
        while True:
            taken, arrived = self._arrive_batch(clock, mailboxes)
            total += arrived
            if taken < self.batch_size:
                return total

    def _arrive_batch(self, clock: Clock, mailboxes: "_Mailboxes") -> tuple[int, int]:
        """(reports taken up, reports arrived) of one batch, one transaction."""
        with self.sessions.begin() as session:
            waiting = _take(session.connection(), self.batch_size)
            if not waiting:
                return 0, 0
            receivers = _receivers(session, {row.organisation_id for row in waiting}, self.channels)
            mailboxes.fetch({row.mailbox_key_id for row in waiting})
            cases = self._store_signals(session.connection(), waiting, mailboxes, receivers)
            _set_aside(session.connection(), waiting, cases, today(clock))
            if cases:
                self._finish(session, clock, cases, receivers)
        return len(waiting), len(cases)

    def _store_signals(
        self,
        connection: Connection,
        waiting: Sequence["_Waiting"],
        mailboxes: "_Mailboxes",
        receivers: "_Receivers",
    ) -> list["_Case"]:
        """PostgreSQL stores one part while the next is opened and sealed here."""
        cases: list[_Case] = []
        with pipelined(connection):
            _drop_envelopes(connection, waiting)
            for start in range(0, len(waiting), PART):
                part = _opened(waiting[start : start + PART], mailboxes, receivers)
                _insert_signals(connection, part, receivers)
                cases += part
        return cases

    def _finish(
        self, session: Session, clock: Clock, cases: Sequence["_Case"], receivers: "_Receivers"
    ) -> None:
        on, connection = today(clock), session.connection()
        addresses = [(case.row.organisation_id, case.address) for case in cases]
        probes = probes_for(self.keystore, addresses, on)
        repeats = _repeats(connection, probes)
        with pipelined(connection):
            _mark_repeats(connection, cases, repeats)
            _insert_links(connection, cases, probes)
            of = [(case.row.organisation_id, case.row.signal_id) for case in cases]
            self.audit.record_each(session, clock, _arrived(on), of)
            enqueue(session, list(self._messages(clock, cases, receivers)))
            self.keystore.store_case_keys({case.key_id: case.key for case in cases}, created_on=on)

    def _messages(
        self, clock: Clock, cases: Sequence["_Case"], receivers: "_Receivers"
    ) -> Iterator[NewMessage]:
        """One for each organisation and verified recipient, of all that came in, after one delay a team."""
        for organisation_id, first in _first_received(cases).items():
            delay = random_delay(self.delay_minutes, self.rng)
            due = not_disturbing(receivers.found[organisation_id], clock.now() + delay)
            claim_by = receivers.deadlines(organisation_id, first).claim_by
            subject = new_id()
            for reach in receivers.recipients[organisation_id]:
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


class _Mailboxes:
    """The mailboxes' private keys, parsed; for one run only, for a destroyed key must not live on."""

    def __init__(self, keystore: Keystore) -> None:
        self._keystore = keystore
        self.keys: dict[uuid.UUID, MailboxPrivateKey] = {}

    def fetch(self, key_ids: set[uuid.UUID]) -> None:
        """Ask for those that are not here yet; what was destroyed stays away."""
        found = self._keystore.mailbox_private_keys(key_ids - self.keys.keys())
        self.keys |= {key_id: MailboxPrivateKey.from_bytes(raw) for key_id, raw in found.items()}


class _Waiting(NamedTuple):
    """What arrival reads of a row at the door."""

    idempotency_hash: bytes
    receipt_hash: bytes
    signal_id: uuid.UUID
    organisation_id: uuid.UUID
    mailbox_key_id: uuid.UUID
    schema_version: int
    received_on: date
    unrouted: bool
    envelope: bytes


@dataclass(slots=True)
class _Case:
    """A report that opened: its row, its address, and all that it says, sealed under a key of its own."""

    row: _Waiting
    key_id: uuid.UUID
    key: bytes = field(repr=False)
    address: Address = field(repr=False)
    content: bytes
    summary: bytes


@dataclass(frozen=True, kw_only=True)
class _Receivers:
    """The organisations of one batch, and the ways to their verified recipients."""

    found: Mapping[uuid.UUID, Any]
    recipients: Mapping[uuid.UUID, Sequence[Reach]] = field(repr=False)
    _deadlines: dict[tuple[uuid.UUID, date], Deadlines] = field(default_factory=dict, repr=False)

    def deadlines(self, organisation_id: uuid.UUID, received_on: date) -> Deadlines:
        """Those of this organisation, counted once for each day of receipt."""
        known = self._deadlines.get((organisation_id, received_on))
        if known is None:
            organisation = self.found[organisation_id]
            known = self._deadlines[organisation_id, received_on] = deadlines_for(
                received_on,
                claim_days=organisation.claim_working_days,
                contact_days=organisation.contact_working_days,
                conclude_calendar_days=organisation.conclude_calendar_days,
            )
        return known


_reports = cast(Table, SealedReport.__table__)
_signals = cast(Table, Signal.__table__)
_links = cast(Table, AddressLink.__table__)

_TAKEN = (
    select(*(_reports.c[name] for name in _Waiting._fields))
    .where(text(WAITING))
    .order_by(_reports.c.signal_id)
    .with_for_update(skip_locked=True)
)
_LOCK_ALL = "SELECT pg_advisory_xact_lock(number) FROM unnest(%b::bigint[]) AS number"
_ORGANISATIONS = select(
    Organisation.id,
    Organisation.language,
    Organisation.claim_working_days,
    Organisation.contact_working_days,
    Organisation.conclude_calendar_days,
    Organisation.opens_at,
    Organisation.quiet_from,
    Organisation.quiet_until,
    Organisation.working_days,
)
_RECIPIENTS = select(
    Recipient.organisation_id,
    Recipient.address,
    Recipient.verified_on,
    Recipient.channel,
    Recipient.phone,
    Recipient.phone_verified_on,
).order_by(Recipient.organisation_id, Recipient.position)
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


def _receivers(session: Session, ids: set[uuid.UUID], channels: Collection[str]) -> _Receivers:
    connection = session.connection()
    those = among(Organisation.__table__.c.id, ids, connection)
    found = {row.id: row for row in connection.execute(_ORGANISATIONS.where(those))}
    recipients: dict[uuid.UUID, list[Reach]] = {organisation_id: [] for organisation_id in ids}
    kept_out = coordinators(session)
    theirs = among(Recipient.__table__.c.organisation_id, ids, connection)
    for row in connection.execute(_RECIPIENTS.where(theirs)):
        reach = way_to(row, found[row.organisation_id].language, channels)
        if reach is not None and row.address.lower() not in kept_out:  # whatever the channel
            recipients[row.organisation_id].append(reach)
    return _Receivers(found=found, recipients=recipients)


def _drop_envelopes(connection: Connection, waiting: Sequence[_Waiting]) -> None:
    """They leave the rows at the door; those that do not open are put back."""
    taken = among(_reports.c.idempotency_hash, [row.idempotency_hash for row in waiting], connection)
    connection.execute(_reports.update().where(taken).values(envelope=None))


def _opened(waiting: Sequence[_Waiting], mailboxes: _Mailboxes, receivers: _Receivers) -> list[_Case]:
    """Those that open and have a receiver, sealed anew; one after the other, for a processor's caches."""
    known = [row for row in waiting if row.organisation_id in receivers.found]
    texts = [_open(row, mailboxes.keys.get(row.mailbox_key_id)) for row in known]
    cases = [_case_of(row, text) for row, text in zip(known, texts, strict=True) if text is not None]
    return [case for case in cases if case is not None]


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
    except (SealingError, AttributeError, KeyError, TypeError, ValueError) as error:
        # Whoever can write to the database can seal nonsense: the public keys lie beside it.
        log.error("arrival.content_refused", signal_id=str(row.signal_id), error=type(error).__name__)
    return None


def _insert_signals(connection: Connection, cases: Sequence[_Case], receivers: _Receivers) -> None:
    rows = [case.row for case in cases]
    organisations = [row.organisation_id for row in rows]
    deadlines = [receivers.deadlines(row.organisation_id, row.received_on) for row in rows]
    claim_by = [each.claim_by for each in deadlines]
    columns: Columns = {
        "id": [row.signal_id for row in rows],
        "organisation_id": organisations,
        "reference": [new_reference() for _ in rows],
        "received_on": [row.received_on for row in rows],
        "unrouted": [row.unrouted for row in rows],
        "receipt_hash": [row.receipt_hash for row in rows],
        "team_told": [bool(receivers.recipients[organisation_id]) for organisation_id in organisations],
        "case_key_id": [case.key_id for case in cases],
        "content": [case.content for case in cases],
        "summary": [case.summary for case in cases],
        "claim_by": claim_by,
        "contact_by": [each.contact_by for each in deadlines],
        "conclude_by": [each.conclude_by for each in deadlines],
        "due_on": claim_by,
    }
    insert_many(connection, _signals, columns, _OF_A_NEW_SIGNAL)


def new_reference() -> str:
    """`K7P4-QX2M`: 40 random bits that people can read out; unique by constraint."""
    bits = secrets.randbits(40)
    return f"{_PAIRS[bits >> 30]}{_PAIRS[bits >> 20 & 1023]}-{_PAIRS[bits >> 10 & 1023]}{_PAIRS[bits & 1023]}"


def _set_aside(connection: Connection, waiting: Sequence[_Waiting], cases: Sequence[_Case], on: date) -> None:
    """What does not open must not stop the rest, nor be lost: it waits, marked, for the administrator."""
    if len(cases) == len(waiting):
        return
    arrived = {case.row.signal_id for case in cases}
    for row in waiting:
        if row.signal_id not in arrived:
            this = _reports.c.idempotency_hash == row.idempotency_hash
            connection.execute(_reports.update().where(this).values(envelope=row.envelope, refused_on=on))


def _repeats(connection: Connection, probes: Sequence[Probe]) -> list[bool]:
    """For each report whether the organisation had a signal at the same address before, this batch included.

    Two workers with the same address at once wait for one another here.
    """
    _lock_addresses(connection, probes)
    known = _known_exact(connection, probes)
    repeats = []
    for probe in probes:
        repeats.append(not known.isdisjoint(probe.exact))
        known.add(probe.exact[0])
    return repeats


def _lock_addresses(connection: Connection, probes: Sequence[Probe]) -> None:
    """Until the end of the transaction, in one order so that nobody deadlocks.

    SQLite needs none: its writers stand in line already.
    """
    if is_sqlite(connection):
        return
    numbers = sorted({probe.house[0][:8] for probe in probes})
    connection.exec_driver_sql(_LOCK_ALL, (array_of_numbers(connection, numbers),))


def _known_exact(connection: Connection, probes: Sequence[Probe]) -> set[bytes]:
    houses = {house for probe in probes for house in probe.house}
    found = among(_links.c.house_pseudonym, houses, connection)
    return set(connection.scalars(select(_links.c.pseudonym).where(found)))


def _mark_repeats(connection: Connection, cases: Sequence[_Case], repeats: Sequence[bool]) -> None:
    ids = [case.row.signal_id for case, is_repeat in zip(cases, repeats, strict=True) if is_repeat]
    if ids:
        connection.execute(_signals.update().where(among(_signals.c.id, ids, connection)).values(repeat=True))


def _insert_links(connection: Connection, cases: Sequence[_Case], probes: Sequence[Probe]) -> None:
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
        ground="arrival",
        at=datetime.combine(on, time(), UTC),
    )


def _first_received(cases: Sequence[_Case]) -> Mapping[uuid.UUID, date]:
    """By organisation the earliest day of receipt: its deadline comes first."""
    first: dict[uuid.UUID, date] = {}
    for row in (case.row for case in cases):
        first[row.organisation_id] = min(row.received_on, first.get(row.organisation_id, date.max))
    return first
