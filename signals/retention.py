"""Forgetting on time: periods, the nightly purge, and replaying deletions after a restore.

A purge deletes the rows, leaves a deletion record and a fact in the same transaction, and then
destroys the case key, after which no backup of the database can be read. Killed anywhere, it is
done again: a record without a confirmed key destruction is taken up by the next run.
"""

import json
import os
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, and_, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, selectinload, sessionmaker

from notifications.models import OutboxMessage
from privacy.keystore import Keystore
from signals.audit import SYSTEM, AuditEvent, AuditLog
from signals.clock import AMSTERDAM, Clock, today
from signals.contents import Report, open_reports
from signals.db import is_sqlite, set_local
from signals.models import (
    AddressLink,
    DeletionOrder,
    DeletionRecord,
    Organisation,
    Receipt,
    Referral,
    RetentionPeriod,
    Signal,
    SignalFact,
)
from signals.postcodes import Address
from signals.repeats import oldest_kept
from signals.statistics import fact_of
from signals.vocabulary import AuditAction, DeletionReason, Outcome, RetentionRule, SignalState

BATCH = 500
_shuffle = random.SystemRandom()
RECORDS_KEPT_DAYS = 730
RECEIPTS_KEPT_DAYS = 365
LINKS_KEPT_DAYS = 365

Locate = Callable[[Address, date], str | None]
"""The municipality code of an address on a date; None when it lies nowhere."""


@dataclass(frozen=True, kw_only=True)
class Period:
    """How long, in days, and on which ground."""

    days: int
    legal_basis: str


DEFAULT_PERIODS: Mapping[RetentionRule, Period] = {
    RetentionRule.CONCLUDED: Period(
        days=28, legal_basis="Art. 5 lid 1 onder e AVG: na afronding alleen nog nodig voor navragen."
    ),
    RetentionRule.UNATTENDED: Period(
        days=28,
        legal_basis="Art. 14 lid 3 AVG: zonder opvolging of bericht binnen een maand vervalt het doel.",
    ),
    RetentionRule.HARD_LIMIT: Period(
        days=365, legal_basis="Art. 5 lid 1 onder e AVG: uiterste termijn, wat ook de stand is."
    ),
}
"""What holds where an organisation has set nothing of its own."""

OUTCOME_GROUPS: Mapping[Outcome, str] = {
    Outcome.NO_CONCERN: "no_concern",
    Outcome.TALK_SUFFICED: "helped",
    Outcome.HELP_ACCEPTED: "helped",
    Outcome.REFERRED: "helped",
    Outcome.ESCALATED: "helped",
    Outcome.ALREADY_KNOWN: "known",
    Outcome.HELP_DECLINED: "declined",
    Outcome.NOT_REACHED: "not_reached",
    Outcome.DUPLICATE: "void",
    Outcome.WRONG_ADDRESS: "void",
    Outcome.MISUSE: "void",
}
"""All that an address link keeps of an outcome."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """A signal whose period is over, and which one."""

    signal_id: uuid.UUID
    organisation_id: uuid.UUID
    reason: DeletionReason


@dataclass(frozen=True, kw_only=True)
class RetentionReport:
    """What a run deleted (or would delete), by reason; and what else it cleared away."""

    purged: Mapping[DeletionReason, int]
    keys_destroyed: int = 0
    links_deleted: int = 0

    @property
    def total(self) -> int:
        return sum(self.purged.values())


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What the nightly job works with."""

    sessions: sessionmaker[Session]
    keystore: Keystore = field(repr=False)
    audit: AuditLog = field(repr=False)
    locate: Locate
    journal: "DeletionJournal"
    batch_size: int = BATCH

    def preview(self, clock: Clock) -> RetentionReport:
        """What a run would purge now; changes nothing."""
        with self.sessions() as session:
            found = list(due_signals(session, clock))
        return RetentionReport(purged=Counter(entry.reason for entry in found))

    def run(self, clock: Clock) -> RetentionReport:
        """Purge what is due, in batches of one transaction each; safe to run twice and in two places."""
        self.confirm_destroyed(clock)
        self.carry_out_orders(clock)
        with self.sessions() as session:
            found = list(due_signals(session, clock))
        purged: Counter[DeletionReason] = Counter()
        destroyed = 0
        for start in range(0, len(found), self.batch_size):
            batch = found[start : start + self.batch_size]
            purged.update(self._purge_batch(clock, batch))
            destroyed += self.confirm_destroyed(clock)
        return RetentionReport(
            purged=purged, keys_destroyed=destroyed, links_deleted=self._forget_links(clock)
        )

    def carry_out_orders(self, clock: Clock) -> int:
        """Purge what erasures ordered and what was not purged at once; returns how many signals."""
        with self.sessions() as session:
            orders = session.execute(select(DeletionOrder.signal_id, DeletionOrder.reason)).all()
        by_reason: dict[DeletionReason, list[uuid.UUID]] = {}
        for order in orders:
            by_reason.setdefault(order.reason, []).append(order.signal_id)
        done = sum(self.purge_now(clock, ids, reason) for reason, ids in by_reason.items())
        with self.sessions.begin() as session:
            alive = select(Signal.id)
            session.execute(delete(DeletionOrder).where(DeletionOrder.signal_id.not_in(alive)))
        return done

    def purge_now(self, clock: Clock, signal_ids: Sequence[uuid.UUID], reason: DeletionReason) -> int:
        """Purge these signals at once (erasure, objection); returns how many were still there."""
        with self.sessions.begin() as session:
            set_local(session, subject=",".join(map(str, signal_ids)))  # also what was referred on
            done = purge(
                session,
                clock,
                reasons=dict.fromkeys(signal_ids, reason),
                keystore=self.keystore,
                audit=self.audit,
                locate=self.locate,
            )
        self.confirm_destroyed(clock)
        return len(done)

    def confirm_destroyed(self, clock: Clock) -> int:
        """Destroy the keys of what was purged or referred, note it in the journal, and confirm it."""
        with self.sessions() as session:
            waiting = list(_unconfirmed(session))
        for start in range(0, len(waiting), BATCH):
            keys = waiting[start : start + BATCH]
            with self.sessions() as session:
                deleted = list(_deleted(session, keys))
            self.journal.append(deleted, today(clock))
            self.keystore.destroy_case_keys(keys)
            with self.sessions.begin() as session:
                _confirm(session, keys, today(clock))
        return len(waiting)

    def replay(self, clock: Clock, case_key_ids: Iterable[uuid.UUID]) -> RetentionReport:
        """After a restore: forget again what was forgotten before, named by its case keys.

        Takes the ids of the journal and of the database's own records, so that neither a restored
        database nor a restored keystore brings anything back.
        """
        with self.sessions() as session:
            recorded = set(session.scalars(select(DeletionRecord.case_key_id)))
            recorded |= set(session.scalars(select(Referral.old_case_key_id)))
        keys = sorted(recorded | set(case_key_ids))
        purged = sum(self._purge_by_keys(clock, keys[i : i + BATCH]) for i in range(0, len(keys), BATCH))
        destroyed = self.keystore.destroy_case_keys(keys)
        return RetentionReport(purged={DeletionReason.CONCLUDED: purged}, keys_destroyed=destroyed)

    def _purge_by_keys(self, clock: Clock, keys: Sequence[uuid.UUID]) -> int:
        with self.sessions.begin() as session:
            rows = session.scalars(select(Signal.id).where(Signal.case_key_id.in_(keys)))
            reasons = dict.fromkeys(rows, DeletionReason.CONCLUDED)
            # Counted before the restore already: no second fact.
            done = purge(session, clock, reasons=reasons, keystore=None, audit=self.audit, locate=None)
        return len(done)

    def _purge_batch(self, clock: Clock, batch: Sequence[Due]) -> Counter[DeletionReason]:
        with self.sessions.begin() as session:
            done = purge(
                session,
                clock,
                reasons={entry.signal_id: entry.reason for entry in batch},
                keystore=self.keystore,
                audit=self.audit,
                locate=self.locate,
                still_due=_still_due(session, clock),
            )
        return Counter(done.values())

    def _forget_links(self, clock: Clock) -> int:
        """Links older than twelve months go, with the keys under which they could be matched."""
        oldest = oldest_kept(today(clock))
        on = today(clock)
        with self.sessions.begin() as session:
            too_old = AddressLink.received_on < on - timedelta(days=LINKS_KEPT_DAYS)
            done = session.execute(delete(AddressLink).where(or_(AddressLink.quarter < oldest, too_old)))
            session.execute(
                delete(Receipt).where(Receipt.changed_on < on - timedelta(days=RECEIPTS_KEPT_DAYS))
            )
            session.execute(
                delete(DeletionRecord).where(
                    DeletionRecord.deleted_on < on - timedelta(days=RECORDS_KEPT_DAYS),
                    DeletionRecord.key_destroyed_on.is_not(None),
                )
            )
        self.keystore.destroy_pseudonym_keys(oldest)
        return cast("CursorResult[Any]", done).rowcount


class DeletionJournal:
    """An append-only file of destroyed case keys, kept apart from the database and backed up often.

    It holds random ids and dates only. With it a restore from any night's backups forgets again what
    was forgotten since.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, case_key_ids: Sequence[uuid.UUID], on: date) -> None:
        """Write the ids durably, before their keys are destroyed. Raises OSError when the disk is full."""
        if not case_key_ids:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(f"{json.dumps({'key': str(key), 'on': on.isoformat()})}\n" for key in case_key_ids)
        with open(self._path, "a", encoding="ascii", opener=_private) as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

    def case_key_ids(self) -> Iterator[uuid.UUID]:
        """All ids of the journal; a line cut off by a crash is passed over."""
        if not self._path.exists():
            return
        for line in self._path.read_text(encoding="ascii").splitlines():
            if line.startswith("{") and line.endswith("}"):
                yield uuid.UUID(json.loads(line)["key"])


_ERASED = (DeletionReason.ERASURE, DeletionReason.OBJECTION)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def order_deletion(
    session: Session,
    clock: Clock,
    *,
    organisation_id: uuid.UUID,
    signal_ids: Sequence[uuid.UUID],
    reason: DeletionReason,
) -> None:
    """Leave the worker the order to delete these signals; one that was given before stays as it is."""
    on = today(clock)
    rows = [
        {"signal_id": signal_id, "organisation_id": organisation_id, "reason": reason, "ordered_on": on}
        for signal_id in dict.fromkeys(signal_ids)
    ]
    if rows:
        dialect = sqlite if is_sqlite(session) else postgresql
        session.execute(dialect.insert(DeletionOrder).on_conflict_do_nothing(), rows)


def due_signals(session: Session, clock: Clock) -> Iterator[Due]:
    """Every signal whose period is over; what is restricted (art. 18 AVG) waits until that is lifted."""
    on = today(clock)
    for organisation_ids, periods in _periods_in_force(session):
        over = _over(periods, on)
        query = select(
            Signal.id, Signal.organisation_id, *(rule.label(reason) for reason, rule in over.items())
        )
        query = query.where(or_(*over.values()), Signal.restricted_on.is_(None))
        query = query.where(Signal.organisation_id.in_(organisation_ids))
        for row in session.execute(query):
            reason = next(reason for reason in over if getattr(row, reason))
            yield Due(signal_id=row.id, organisation_id=row.organisation_id, reason=reason)


def purge(
    session: Session,
    clock: Clock,
    *,
    reasons: Mapping[uuid.UUID, DeletionReason],
    keystore: Keystore | None,
    audit: AuditLog,
    locate: Locate | None,
    still_due: Callable[[Signal], bool] = lambda _signal: True,
) -> dict[uuid.UUID, DeletionReason]:
    """Delete signals with all that hangs on them; leaves records, facts and links without the signal's id.

    Returns what was deleted: rows that another worker holds, or that changed meanwhile, are left to the
    next run. Without `keystore` and `locate` no facts are written (a replay). The keys are destroyed
    after the commit, by `Retention.confirm_destroyed`.
    """
    signals = [signal for signal in _locked(session, list(reasons)) if still_due(signal)]
    if not signals:
        return {}
    on = today(clock)
    if keystore is not None and locate is not None:
        _write_facts(session, signals, open_reports(keystore, signals), locate, on)
    _write_records(session, [_record(signal, reasons[signal.id], on) for signal in signals])
    _settle_links(session, signals, reasons)
    audit.record_many(session, clock, [_audit_event(signal, reasons[signal.id]) for signal in signals])
    _delete_rows(session, [signal.id for signal in signals])
    return {signal.id: reasons[signal.id] for signal in signals}


def periods_of(session: Session, organisation_id: uuid.UUID) -> dict[RetentionRule, Period]:
    """The periods of one organisation, its own before the defaults."""
    own = session.scalars(select(RetentionPeriod).where(RetentionPeriod.organisation_id == organisation_id))
    chosen = {row.rule: Period(days=row.days, legal_basis=row.legal_basis) for row in own}
    return {**DEFAULT_PERIODS, **chosen}


def _periods_in_force(
    session: Session,
) -> Iterator[tuple[list[uuid.UUID], dict[RetentionRule, Period]]]:
    """Organisations with the same periods together: nearly always all of them under the defaults."""
    own: dict[uuid.UUID, dict[RetentionRule, int]] = {}
    for row in session.scalars(select(RetentionPeriod)):
        own.setdefault(row.organisation_id, {})[row.rule] = row.days
    groups: dict[tuple[int, ...], list[uuid.UUID]] = {}
    for organisation_id in session.scalars(select(Organisation.id)):
        days = {rule: period.days for rule, period in DEFAULT_PERIODS.items()} | own.get(organisation_id, {})
        groups.setdefault(tuple(days[rule] for rule in RetentionRule), []).append(organisation_id)
    for days_of_rules, organisation_ids in groups.items():
        yield (
            organisation_ids,
            {
                rule: Period(days=days, legal_basis="")
                for rule, days in zip(RetentionRule, days_of_rules, strict=True)
            },
        )


def _over(periods: Mapping[RetentionRule, Period], on: date) -> dict[DeletionReason, ColumnElement[bool]]:
    """For each reason the condition that its period is over on a date."""
    concluded = _midnight(on - timedelta(days=periods[RetentionRule.CONCLUDED].days - 1))
    return {
        DeletionReason.CONCLUDED: and_(
            Signal.state == SignalState.CONCLUDED, Signal.concluded_at < concluded
        ),
        DeletionReason.UNATTENDED: and_(
            Signal.state == SignalState.NEW,
            Signal.received_on <= on - timedelta(days=periods[RetentionRule.UNATTENDED].days),
            Signal.notified_on.is_(None),
            Signal.deferred_because.is_(None),
        ),
        DeletionReason.HARD_LIMIT: Signal.received_on
        <= on - timedelta(days=periods[RetentionRule.HARD_LIMIT].days),
    }


def _still_due(session: Session, clock: Clock) -> Callable[[Signal], bool]:
    """The same rules on a locked row: it may have been claimed or reopened since it was listed."""
    on = today(clock)
    days: dict[uuid.UUID, dict[RetentionRule, Period]] = {}

    def check(signal: Signal) -> bool:
        periods = days.get(signal.organisation_id) or periods_of(session, signal.organisation_id)
        days[signal.organisation_id] = periods
        return signal.restricted_on is None and _is_over(signal, periods, on)

    return check


def _is_over(signal: Signal, periods: Mapping[RetentionRule, Period], on: date) -> bool:
    age = (on - signal.received_on).days
    if age >= periods[RetentionRule.HARD_LIMIT].days:
        return True
    if signal.state is SignalState.CONCLUDED and signal.concluded_at is not None:
        since = (on - signal.concluded_at.astimezone(AMSTERDAM).date()).days
        return since >= periods[RetentionRule.CONCLUDED].days
    informed = signal.notified_on is not None or signal.deferred_because is not None
    return signal.state is SignalState.NEW and not informed and age >= periods[RetentionRule.UNATTENDED].days


def _locked(session: Session, signal_ids: Sequence[uuid.UUID]) -> Sequence[Signal]:
    query = (
        select(Signal)
        .where(Signal.id.in_(signal_ids))
        .options(selectinload(Signal.attempts), selectinload(Signal.history))
        .with_for_update(skip_locked=True, of=Signal)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


def _write_facts(
    session: Session,
    signals: Sequence[Signal],
    reports: Mapping[uuid.UUID, Report],
    locate: Locate,
    on: date,
) -> None:
    """Facts name the municipality of today: one that merged since is counted with its successor."""
    facts = []
    for signal in signals:
        report = reports.get(signal.id)
        if not signal.is_drill:
            place = locate(report.address, on) if report else None
            facts.append(fact_of(signal, report, place))
    _shuffle.shuffle(facts)  # not in the order of the records: rows side by side could be told to be a pair
    if facts:
        session.execute(insert(SignalFact), facts)


def _record(signal: Signal, reason: DeletionReason, on: date) -> dict[str, Any]:
    return {
        "signal_id": signal.id,
        "organisation_id": signal.organisation_id,
        "reference": signal.reference,
        "case_key_id": signal.case_key_id,
        "deleted_on": on,
        "reason": reason,
    }


def _write_records(session: Session, records: Sequence[Mapping[str, Any]]) -> None:
    """A replay may find the record of the first deletion in place: that one stays."""
    dialect = sqlite if is_sqlite(session) else postgresql
    session.execute(dialect.insert(DeletionRecord).on_conflict_do_nothing(), list(records))


def _settle_links(
    session: Session, signals: Sequence[Signal], reasons: Mapping[uuid.UUID, DeletionReason]
) -> None:
    """The links of what was erased go, everywhere; any other stays for a repeat to be seen.

    Of the signal it keeps the outcome's group only.

    An organisation that referred the signal keeps "referred": how it ended elsewhere is not its business.
    """
    erased = [signal.id for signal in signals if reasons[signal.id] in _ERASED]
    if erased:
        session.execute(delete(AddressLink).where(AddressLink.signal_id.in_(erased)))
    by_group: dict[str | None, list[uuid.UUID]] = {}
    for signal in signals:
        group = OUTCOME_GROUPS[signal.outcome] if signal.outcome else None
        by_group.setdefault(group, []).append(signal.id)
    for group, ids in by_group.items():
        mine = AddressLink.signal_id.in_(ids), AddressLink.outcome_group.is_(None)
        session.execute(update(AddressLink).where(*mine).values(outcome_group=group))
    everywhere = AddressLink.signal_id.in_([signal.id for signal in signals])
    session.execute(update(AddressLink).where(everywhere).values(signal_id=None))


def _audit_event(signal: Signal, reason: DeletionReason) -> AuditEvent:
    return AuditEvent(
        actor=SYSTEM,
        action=AuditAction.SIGNAL_PURGED,
        subject_id=signal.id,
        organisation_id=signal.organisation_id,
        ground=f"retention:{reason.value}",
    )


def _delete_rows(session: Session, signal_ids: Sequence[uuid.UUID]) -> None:
    session.expunge_all()  # the database deletes attempts, notes and history along
    session.execute(delete(OutboxMessage).where(OutboxMessage.subject_id.in_(signal_ids)))
    session.execute(delete(Signal).where(Signal.id.in_(signal_ids)))


def _unconfirmed(session: Session) -> Iterator[uuid.UUID]:
    yield from session.scalars(
        select(DeletionRecord.case_key_id).where(DeletionRecord.key_destroyed_on.is_(None))
    )
    yield from session.scalars(select(Referral.old_case_key_id).where(Referral.key_destroyed_on.is_(None)))


def _deleted(session: Session, keys: Sequence[uuid.UUID]) -> Iterator[uuid.UUID]:
    """Of these keys those of deleted signals, and the keys that the same signals had before a referral.

    A signal that was only referred lives on: a backup from before the referral must not be purged for it.
    """
    gone = DeletionRecord.case_key_id.in_(keys)
    yield from session.scalars(select(DeletionRecord.case_key_id).where(gone))
    same = Referral.signal_id.in_(select(DeletionRecord.signal_id).where(gone))
    yield from session.scalars(select(Referral.old_case_key_id).where(same))


def _confirm(session: Session, keys: Sequence[uuid.UUID], on: date) -> None:
    session.execute(
        update(DeletionRecord).where(DeletionRecord.case_key_id.in_(keys)).values(key_destroyed_on=on)
    )
    session.execute(update(Referral).where(Referral.old_case_key_id.in_(keys)).values(key_destroyed_on=on))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), AMSTERDAM).astimezone(UTC)
