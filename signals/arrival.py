"""Arrival: open what waits in the mailboxes, on the desk side, in batches; each report arrives once.

A batch is one transaction of the database. The case keys are written to the keystore before it
commits: killed in between, the keys are orphans to be swept and the batch is done again.
"""

import random
import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session, joinedload, sessionmaker
from structlog import get_logger

from notifications.events import Event
from notifications.outbox import NewMessage, enqueue, random_delay
from privacy.keystore import Keystore
from privacy.sealing import SCHEMA_VERSION, MailboxPrivateKey, SealingError, open_from_mailbox
from signals.audit import SYSTEM, AuditEvent, AuditLog
from signals.clock import Clock, today
from signals.contents import Report, context_of, report_from_plain, seal_for_case
from signals.db import is_sqlite
from signals.deadlines import deadlines_for
from signals.followup import TRANSITIONS, arrival_change
from signals.models import AddressLink, Organisation, Receipt, SealedReport, Signal, StatusChange
from signals.models.base import new_id
from signals.models.signal import WAITING
from signals.postcodes import Address
from signals.repeats import Probe, probes_for
from signals.vocabulary import Action, AuditAction, ReceiptState

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
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
    batch_size: int = 100
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
            organisations = _organisations(session, {row.organisation_id for row in waiting})
            opened, refused = self._open(waiting, organisations)
            _set_aside(session, refused, today(clock))
            if opened:
                self._bring_in(session, clock, opened, organisations)
        return len(waiting), len(opened)

    def _open(
        self, waiting: Sequence[Any], organisations: Mapping[uuid.UUID, Organisation]
    ) -> tuple[list["_Opened"], list[Any]]:
        found = self.keystore.mailbox_private_keys({row.mailbox_key_id for row in waiting})
        keys = {key_id: MailboxPrivateKey.from_bytes(raw) for key_id, raw in found.items()}
        opened: list[_Opened] = []
        refused: list[Any] = []
        for row in waiting:
            report = _open_one(row, keys.get(row.mailbox_key_id))
            if report is None or row.organisation_id not in organisations:
                refused.append(row)
            else:
                opened.append(_Opened(row=row, report=report))
        return opened, refused

    def _bring_in(
        self,
        session: Session,
        clock: Clock,
        opened: Sequence["_Opened"],
        organisations: Mapping[uuid.UUID, Organisation],
    ) -> None:
        on = today(clock)
        probes = probes_for(self.keystore, [(o.row.organisation_id, o.report.address) for o in opened], on)
        repeats = _link(session, opened, probes)
        given = _given_receipts(session, opened)
        case_keys = {new_id(): secrets.token_bytes(32) for _ in opened}
        rows = [
            _signal_row(o, key_id, key, organisations[o.row.organisation_id], repeat=repeat, given=given)
            for o, (key_id, key), repeat in zip(opened, case_keys.items(), repeats, strict=True)
        ]
        self.keystore.store_case_keys(case_keys, created_on=on)
        receipts = [_receipt_row(o.row) for o in opened if o.row.receipt_hash not in given]
        _insert_many(session, _receipts, receipts)
        _insert_many(session, _signals, rows)
        _insert_many(session, _changes, [_change_row(o, on) for o in opened])
        _insert_many(session, _links, [_link_row(o, p) for o, p in zip(opened, probes, strict=True)])
        _drop_envelopes(session, [o.row.idempotency_hash for o in opened])
        self.audit.record_many(session, clock, [_audit_event(o, on) for o in opened])
        enqueue(session, list(self._messages(clock, rows, organisations)))

    def _messages(
        self,
        clock: Clock,
        rows: Iterable[Mapping[str, Any]],
        organisations: Mapping[uuid.UUID, Organisation],
    ) -> Iterable[NewMessage]:
        """One message for each signal and verified recipient, after a random delay that is the same for all."""
        for row in rows:
            organisation = organisations[row["organisation_id"]]
            due = clock.now() + random_delay(self.delay_minutes, self.rng)
            for recipient in organisation.recipients:
                if recipient.verified_on is not None:
                    yield NewMessage(
                        event=Event.NEW_SIGNAL,
                        subject_id=row["id"],
                        organisation_id=organisation.id,
                        channel="email",
                        recipient=recipient.address,
                        language=organisation.language,
                        values={"link": self.desk_url, "claim_by": row["claim_by"].isoformat()},
                        not_before=due,
                        expires_at=due + timedelta(days=NOTICE_EXPIRES_DAYS),
                    )


@dataclass(frozen=True, kw_only=True)
class _Opened:
    row: Any
    report: Report = field(repr=False)


_reports = SealedReport.__table__
_receipts = Receipt.__table__
_signals = Signal.__table__
_changes = StatusChange.__table__
_links = AddressLink.__table__


def _take(session: Session, limit: int) -> Sequence[Any]:
    """A batch that no other worker has, in the order of random ids: the order of arrival is nobody's business."""
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


def _link(session: Session, opened: Sequence[_Opened], probes: Sequence[Probe]) -> list[bool]:
    """For each report whether the organisation had a signal at the same address before, this batch included.

    Two workers with the same address at once wait for one another here.
    """
    _lock_addresses(session, probes)
    known = _known_exact(session, probes)
    repeats = []
    for probe in probes:
        repeats.append(any(exact in known for exact in probe.exact))
        known.add(probe.exact[0])
    return repeats


def _lock_addresses(session: Session, probes: Sequence[Probe]) -> None:
    """Advisory locks until the end of the transaction, in one order so that nobody deadlocks.

    SQLite needs none: its writers stand in line already.
    """
    if is_sqlite(session):
        return
    numbers = sorted({int.from_bytes(probe.house[0][:8], "big", signed=True) for probe in probes})
    ordered = select(func.unnest(numbers).label("number")).order_by("number").subquery()
    session.execute(select(func.pg_advisory_xact_lock(ordered.c.number))).all()


def _known_exact(session: Session, probes: Sequence[Probe]) -> set[bytes]:
    houses = {house for probe in probes for house in probe.house}
    return set(session.scalars(select(AddressLink.pseudonym).where(AddressLink.house_pseudonym.in_(houses))))


def _given_receipts(session: Session, opened: Sequence[_Opened]) -> set[bytes]:
    """The receipts of these reports that an earlier signal has: sent again after the retries were forgotten."""
    hashes = [o.row.receipt_hash for o in opened]
    return set(session.scalars(select(Receipt.receipt_hash).where(Receipt.receipt_hash.in_(hashes))))


def _organisations(session: Session, ids: set[uuid.UUID]) -> dict[uuid.UUID, Organisation]:
    query = select(Organisation).where(Organisation.id.in_(ids)).options(joinedload(Organisation.recipients))
    return {organisation.id: organisation for organisation in session.scalars(query).unique()}


def _signal_row(
    opened: _Opened,
    key_id: uuid.UUID,
    key: bytes,
    organisation: Organisation,
    *,
    repeat: bool,
    given: set[bytes],
) -> dict[str, Any]:
    row = opened.row
    content, summary = seal_for_case(opened.report, key, context_of(row.signal_id, organisation.id, key_id))
    deadlines = deadlines_for(
        row.received_on,
        claim_days=organisation.claim_working_days,
        contact_days=organisation.contact_working_days,
        conclude_calendar_days=organisation.conclude_calendar_days,
    )
    return {
        "id": row.signal_id,
        "organisation_id": organisation.id,
        "reference": new_reference(),
        "state": TRANSITIONS[None, Action.ARRIVE],
        "version": 1,
        "received_on": row.received_on,
        "unrouted": row.unrouted,
        "repeat": repeat,
        "is_drill": False,
        "receipt_hash": None if row.receipt_hash in given else row.receipt_hash,
        "case_key_id": key_id,
        "schema_version": SCHEMA_VERSION,
        "content": content,
        "summary": summary,
        "claim_by": deadlines.claim_by,
        "contact_by": deadlines.contact_by,
        "conclude_by": deadlines.conclude_by,
        "due_on": deadlines.claim_by,
    }


def new_reference() -> str:
    """`K7P4-QX2M`: 40 random bits that people can read out; unique by constraint."""
    letters = "".join(secrets.choice(CROCKFORD) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def _receipt_row(row: Any) -> dict[str, Any]:
    return {
        "receipt_hash": row.receipt_hash,
        "state": ReceiptState.RECEIVED,
        "state_before": ReceiptState.RECEIVED,
        "changed_on": row.received_on,
    }


def _link_row(opened: _Opened, probe: Probe) -> dict[str, Any]:
    return {
        "id": new_id(),
        "organisation_id": probe.organisation_id,
        "quarter": probe.quarter,
        "pseudonym": probe.exact[0],
        "house_pseudonym": probe.house[0],
        "received_on": opened.row.received_on,
        "signal_id": opened.row.signal_id,
        "outcome_group": None,
    }


def _change_row(opened: _Opened, on: date) -> dict[str, Any]:
    """Keyed by columns, where `arrival_change` has the names of attributes."""
    attributes = StatusChange.__mapper__.columns
    return {attributes[name].name: value for name, value in arrival_change(opened.row.signal_id, on).items()}


def _insert_many(session: Session, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of the same columns; on PostgreSQL as one statement over arrays."""
    if not rows:
        return
    connection = session.connection()
    if is_sqlite(session):
        connection.execute(insert(table), rows)
    else:
        arrays = tuple([row[column] for row in rows] for column in rows[0])
        connection.exec_driver_sql(_insert_from_arrays(table, tuple(rows[0])), arrays)


@lru_cache
def _insert_from_arrays(table: Any, columns: tuple[str, ...]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    names = ", ".join(dialect.identifier_preparer.quote(column) for column in columns)
    arrays = ", ".join(f"%s::{table.c[column].type.compile(dialect)}[]" for column in columns)
    return f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608 - our own names


def _drop_envelopes(session: Session, hashes: Sequence[bytes]) -> None:
    """The mailbox envelope and the receipt's hash leave: the signal holds them now."""
    session.execute(
        update(SealedReport)
        .where(SealedReport.idempotency_hash.in_(hashes))
        .values(envelope=None, receipt_hash=None)
    )


def _audit_event(opened: _Opened, on: date) -> AuditEvent:
    return AuditEvent(
        actor=SYSTEM,
        action=AuditAction.SIGNAL_ARRIVED,
        subject_id=opened.row.signal_id,
        organisation_id=opened.row.organisation_id,
        ground="arrival",
        at=datetime.combine(on, time(), UTC),
    )
