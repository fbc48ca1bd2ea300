"""Arrival: open what waits in the mailboxes, on the desk side, in batches; each report arrives once.

A batch is one transaction of the database. The case keys are written to the keystore before it
commits: killed in between, the keys are orphans to be swept and the batch is done again.
"""

import base64
import random
import secrets
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast

from sqlalchemy import Connection, Table, select, text, update
from sqlalchemy.orm import Session, sessionmaker
from structlog import get_logger

from notifications.events import Event
from notifications.outbox import NewMessage, enqueue, random_delay
from privacy.bulk import Columns, among, insert_many
from privacy.keystore import Keystore
from privacy.sealing import SCHEMA_VERSION, MailboxPrivateKey, SealingError, open_from_mailbox
from signals.audit import SYSTEM, AuditEvent, AuditLog
from signals.clock import Clock, today
from signals.contents import Report, context_of, report_from_plain, seal_for_case
from signals.db import is_sqlite
from signals.deadlines import Deadlines, deadlines_for
from signals.followup import TRANSITIONS, arrival_change
from signals.models import AddressLink, Organisation, Receipt, Recipient, SealedReport, Signal, StatusChange
from signals.models.base import new_id
from signals.models.signal import WAITING
from signals.postcodes import Address
from signals.reach import EMAIL_ONLY, Reach, coordinators, not_disturbing, way_to
from signals.repeats import Probe, probes_for
from signals.vocabulary import Action, AuditAction, ReceiptState

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", CROCKFORD.encode())
NOTICE_EXPIRES_DAYS = 28

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
    batch_size: int = 300
    rng: random.Random = field(default_factory=random.SystemRandom)

    def arrive(self, clock: Clock) -> int:
        """Bring in everything that waits; returns how many reports arrived."""
        total = 0
        while True:
            taken, arrived = self._arrive_batch(clock)
            total += arrived
            if taken < self.batch_size:
                return total

    def _arrive_batch(self, clock: Clock) -> tuple[int, int]:
        """(reports taken up, reports arrived) of one batch, one transaction."""
        with self.sessions.begin() as session:
            waiting = _take(session, self.batch_size)
            if not waiting:
                return 0, 0
            ids = {row.organisation_id for row in waiting}
            receivers = _receivers(session, ids, self.channels)
            opened, refused = self._open(waiting, receivers)
            _set_aside(session, refused, today(clock))
            if opened:
                self._bring_in(session, clock, opened, receivers)
        return len(waiting), len(opened)

    def _open(self, waiting: Sequence[Any], receivers: "_Receivers") -> tuple[list["_Opened"], list[Any]]:
        found = self.keystore.mailbox_private_keys({row.mailbox_key_id for row in waiting})
        keys = {key_id: MailboxPrivateKey.from_bytes(raw) for key_id, raw in found.items()}
        opened: list[_Opened] = []
        refused: list[Any] = []
        for row in waiting:
            report = _open_one(row, keys.get(row.mailbox_key_id))
            if report is None or row.organisation_id not in receivers.found:
                refused.append(row)
            else:
                opened.append(_opened(row, report))
        return opened, refused

    def _bring_in(
        self, session: Session, clock: Clock, opened: Sequence["_Opened"], receivers: "_Receivers"
    ) -> None:
        on = today(clock)
        connection = session.connection()
        probes = probes_for(self.keystore, [(o.organisation_id, o.report.address) for o in opened], on)
        cases = [_case_of(o) for o in opened]
        repeats = _link(connection, probes)
        given = _given_receipts(connection, [o.receipt_hash for o in opened])
        self.keystore.store_case_keys({case.key_id: case.key for case in cases}, created_on=on)
        deadlines = [receivers.deadlines(o.organisation_id, o.received_on) for o in opened]
        _store_receipts(connection, [o for o in opened if o.receipt_hash not in given])
        _store_signals(connection, opened, cases, deadlines, repeats, given)
        _store_changes(connection, opened, on)
        _store_links(connection, opened, probes)
        _drop_envelopes(connection, [o.idempotency_hash for o in opened])
        self.audit.record_many(session, clock, [_audit_event(o, on) for o in opened])
        enqueue(session, list(self._messages(clock, opened, deadlines, receivers)))

    def _messages(
        self,
        clock: Clock,
        opened: Sequence["_Opened"],
        deadlines: Sequence[Deadlines],
        receivers: "_Receivers",
    ) -> Iterable[NewMessage]:
        """One message for each signal and verified recipient, after a random delay that is one for all."""
        now = clock.now()
        for each, dates in zip(opened, deadlines, strict=True):
            organisation = receivers.found[each.organisation_id]
            due = not_disturbing(organisation, now + random_delay(self.delay_minutes, self.rng))
            for reach in receivers.recipients[each.organisation_id]:
                yield NewMessage(
                    event=Event.NEW_SIGNAL,
                    subject_id=each.signal_id,
                    organisation_id=each.organisation_id,
                    channel=reach.channel,
                    recipient=reach.recipient,
                    language=reach.language,
                    values={"link": self.desk_url, "claim_by": dates.claim_by.isoformat()},
                    not_before=due,
                    expires_at=due + timedelta(days=NOTICE_EXPIRES_DAYS),
                )


@dataclass(slots=True)
class _Opened:
    """A row of the mailbox and what its envelope said."""

    idempotency_hash: bytes
    receipt_hash: bytes
    signal_id: uuid.UUID
    organisation_id: uuid.UUID
    received_on: date
    unrouted: bool
    report: Report = field(repr=False)


@dataclass(slots=True)
class _Case:
    """A new case: its key, and what is sealed under it."""

    key_id: uuid.UUID
    key: bytes = field(repr=False)
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
_receipts = cast(Table, Receipt.__table__)
_signals = cast(Table, Signal.__table__)
_changes = cast(Table, StatusChange.__table__)
_links = cast(Table, AddressLink.__table__)

_LOCK_ALL = "SELECT pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number"
_ORGANISATIONS = select(
    Organisation.id,
    Organisation.language,
    Organisation.claim_working_days,
    Organisation.contact_working_days,
    Organisation.conclude_calendar_days,
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
    "state": TRANSITIONS[None, Action.ARRIVE],
    "version": 1,
    "is_drill": False,
    "team_told": False,
    "schema_version": SCHEMA_VERSION,
}


def _take(session: Session, limit: int) -> Sequence[Any]:
    """A batch that no other worker has, by random ids: the order of arrival is nobody's business."""
    query = select(_reports).where(text(WAITING)).order_by(SealedReport.signal_id).limit(limit)
    return session.execute(query.with_for_update(skip_locked=True)).all()


def _open_one(row: Any, key: MailboxPrivateKey | None) -> Report | None:
    """The report in an envelope; None when it was swapped or damaged, or its key is gone."""
    if key is None:
        log.error("arrival.mailbox_key_gone", signal_id=str(row.signal_id), key_id=str(row.mailbox_key_id))
        return None
    context = context_of(row.signal_id, row.organisation_id, row.mailbox_key_id, row.schema_version)
    try:
        return _checked(report_from_plain(open_from_mailbox(row.envelope, key, context)))
    except SealingError as error:
        log.error("arrival.envelope_refused", signal_id=str(row.signal_id), error=type(error).__name__)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # Whoever can write to the database can seal nonsense: the public keys lie beside it.
        log.error("arrival.content_refused", signal_id=str(row.signal_id), error=type(error).__name__)
    return None


def _checked(report: Report) -> Report:
    """The report when its address is one; raises `InvalidAddressPart`, a `ValueError`."""
    address = report.address
    Address.parse(postcode=address.postcode, number=address.number, addition=address.addition)
    return report


def _set_aside(session: Session, refused: Sequence[Any], on: date) -> None:
    """What does not open must not stop the rest, nor be lost: it waits, marked, for the administrator."""
    hashes = [row.idempotency_hash for row in refused]
    if hashes:
        session.execute(
            update(SealedReport).where(SealedReport.idempotency_hash.in_(hashes)).values(refused_on=on)
        )


def _opened(row: Any, report: Report) -> _Opened:
    return _Opened(
        row.idempotency_hash,
        row.receipt_hash,
        row.signal_id,
        row.organisation_id,
        row.received_on,
        row.unrouted,
        report,
    )


def _case_of(opened: _Opened) -> _Case:
    key_id, key = new_id(), secrets.token_bytes(32)
    context = context_of(opened.signal_id, opened.organisation_id, key_id)
    return _Case(key_id, key, *seal_for_case(opened.report, key, context))


def _link(connection: Connection, probes: Sequence[Probe]) -> list[bool]:
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
    """Advisory locks until the end of the transaction, in one order so that nobody deadlocks.

    SQLite needs none: its writers stand in line already.
    """
    if is_sqlite(connection):
        return
    numbers = sorted({int.from_bytes(probe.house[0][:8], "big", signed=True) for probe in probes})
    connection.exec_driver_sql(_LOCK_ALL, (numbers,))


def _known_exact(connection: Connection, probes: Sequence[Probe]) -> set[bytes]:
    houses = {house for probe in probes for house in probe.house}
    found = among(_links.c.house_pseudonym, houses, connection)
    return set(connection.scalars(select(_links.c.pseudonym).where(found)))


def _given_receipts(connection: Connection, hashes: Sequence[bytes]) -> set[bytes]:
    """Receipts that an earlier signal has: of reports sent again after the retries were forgotten."""
    found = among(_receipts.c.receipt_hash, hashes, connection)
    return set(connection.scalars(select(_receipts.c.receipt_hash).where(found)))


def _receivers(session: Session, ids: set[uuid.UUID], channels: Collection[str]) -> _Receivers:
    connection = session.connection()
    those = among(Organisation.__table__.c.id, ids, connection)
    found = {row.id: row for row in connection.execute(_ORGANISATIONS.where(those))}
    recipients: dict[uuid.UUID, list[Reach]] = {organisation_id: [] for organisation_id in ids}
    kept_out = coordinators(session)
    theirs = among(Recipient.__table__.c.organisation_id, ids, connection)
    for row in connection.execute(_RECIPIENTS.where(theirs)):
        reach = way_to(row, found[row.organisation_id].language, channels)
        if reach is not None and reach.recipient.lower() not in kept_out:
            recipients[row.organisation_id].append(reach)
    return _Receivers(found=found, recipients=recipients)


def _store_receipts(connection: Connection, opened: Sequence[_Opened]) -> None:
    columns: Columns = {
        "receipt_hash": [o.receipt_hash for o in opened],
        "changed_on": [o.received_on for o in opened],
    }
    same = {"state": ReceiptState.RECEIVED, "state_before": ReceiptState.RECEIVED}
    insert_many(connection, _receipts, columns, same)


def _store_signals(
    connection: Connection,
    opened: Sequence[_Opened],
    cases: Sequence[_Case],
    deadlines: Sequence[Deadlines],
    repeats: Sequence[bool],
    given: set[bytes],
) -> None:
    claim_by = [each.claim_by for each in deadlines]
    columns: Columns = {
        "id": [o.signal_id for o in opened],
        "organisation_id": [o.organisation_id for o in opened],
        "reference": [new_reference() for _ in opened],
        "received_on": [o.received_on for o in opened],
        "unrouted": [o.unrouted for o in opened],
        "repeat": repeats,
        "receipt_hash": [None if o.receipt_hash in given else o.receipt_hash for o in opened],
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
    letters = base64.b32encode(secrets.token_bytes(5)).translate(_CROCKFORD).decode()
    return f"{letters[:4]}-{letters[4:]}"


def _store_changes(connection: Connection, opened: Sequence[_Opened], on: date) -> None:
    """Keyed by columns, where `arrival_change` has the names of attributes."""
    columns: Columns = {"id": [new_id() for _ in opened], "signal_id": [o.signal_id for o in opened]}
    attributes = StatusChange.__mapper__.columns
    values = {attributes[name].name: value for name, value in arrival_change(opened[0].signal_id, on).items()}
    same = {name: value for name, value in values.items() if name not in columns and value is not None}
    insert_many(connection, _changes, columns, same)


def _store_links(connection: Connection, opened: Sequence[_Opened], probes: Sequence[Probe]) -> None:
    columns: Columns = {
        "id": [new_id() for _ in opened],
        "organisation_id": [probe.organisation_id for probe in probes],
        "pseudonym": [probe.exact[0] for probe in probes],
        "house_pseudonym": [probe.house[0] for probe in probes],
        "received_on": [o.received_on for o in opened],
        "signal_id": [o.signal_id for o in opened],
    }
    insert_many(connection, _links, columns, {"quarter": probes[0].quarter})


def _drop_envelopes(connection: Connection, hashes: Sequence[bytes]) -> None:
    """The mailbox envelope and the receipt's hash leave: the signal holds them now."""
    arrived = among(_reports.c.idempotency_hash, hashes, connection)
    connection.execute(_reports.update().where(arrived).values(envelope=None, receipt_hash=None))


def _audit_event(opened: _Opened, on: date) -> AuditEvent:
    return AuditEvent(
        actor=SYSTEM,
        action=AuditAction.SIGNAL_ARRIVED,
        subject_id=opened.signal_id,
        organisation_id=opened.organisation_id,
        ground="arrival",
        at=datetime.combine(on, time(), UTC),
    )
