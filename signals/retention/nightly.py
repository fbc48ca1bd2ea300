"""The nightly purge, deletions that were ordered, and replaying both after a restore."""

import gc
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from time import monotonic, sleep
from typing import Any, Final, TypeVar, cast

from sqlalchemy import ColumnElement, Table, delete, select, update
from sqlalchemy.orm import Session, sessionmaker
from structlog import get_logger

from privacy.bulk import among
from privacy.keystore import Keystore
from privacy.sealing import SealingError
from signals.arrival.repeats import oldest_kept
from signals.audit.grounds import Ground
from signals.audit.log import SYSTEM, AuditLog
from signals.clock import Clock, today
from signals.db import set_local
from signals.models import DeletionOrder, DeletionRecord, Referral, SealedReport, Signal
from signals.retention.ends import Ends, forget_links, forget_remains, renew_links
from signals.retention.journal import Deletion, DeletionJournal
from signals.retention.periods import Due, due_signals, still_due
from signals.retention.purging import BATCH, Locate, purge
from signals.statistics.pool import forget_pool_keys, move_facts
from signals.vocabulary import AuditAction, DeletionReason

log = get_logger(__name__)

FACTS_TOGETHER = 20
"""Facts that are written to the statistics at once, so that none can be told to belong to a record."""

REST_PERCENT = 100
"""Rest after each batch, in percent of what it took: so long the databases belong to the public side."""

_RECORDED: Final = select(
    DeletionRecord.case_key_id, DeletionRecord.deleted_on, DeletionRecord.reason, DeletionRecord.signal_id
)
_Item = TypeVar("_Item")
_Done = TypeVar("_Done")
_OF_ONE = (ArithmeticError, AttributeError, LookupError, SealingError, TypeError, ValueError)
"""What something in one row can set off; a database or keystore that is away is none of these."""
_signals: Final = cast(Table, Signal.__table__).c
_records: Final = cast(Table, DeletionRecord.__table__).c
_referrals: Final = cast(Table, Referral.__table__).c
_reports: Final = cast(Table, SealedReport.__table__).c


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
    journal: DeletionJournal
    ends: Ends = field(default_factory=Ends)
    facts_together: int = FACTS_TOGETHER
    batch_size: int = BATCH
    rest_percent: int = REST_PERCENT

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
            check = still_due(session, clock)
        purged: Counter[DeletionReason] = Counter()
        destroyed = 0
        for batch in _batches(found, self.batch_size):
            with _uncollected(), _resting_after(self.rest_percent):
                for done in _apart(batch, lambda some: self._purge_batch(clock, some, check)):
                    purged.update(done)
                destroyed += self.confirm_destroyed(clock)
        return RetentionReport(purged=purged, keys_destroyed=destroyed, links_deleted=self._forget(clock))

    def carry_out_orders(self, clock: Clock) -> int:
        """Purge what erasures ordered and what was not purged at once; returns how many signals."""
        with self.sessions() as session:
            orders = session.execute(select(DeletionOrder.signal_id, DeletionOrder.reason)).all()
        by_reason: dict[DeletionReason, list[uuid.UUID]] = {}
        for order in orders:
            by_reason.setdefault(order.reason, []).append(order.signal_id)
        done = sum(self._carry_out(clock, ids, reason) for reason, ids in by_reason.items())
        with self.sessions.begin() as session:
            alive = select(Signal.id)
            session.execute(delete(DeletionOrder).where(DeletionOrder.signal_id.not_in(alive)))
        return done

    def _carry_out(self, clock: Clock, signal_ids: Sequence[uuid.UUID], reason: DeletionReason) -> int:
        return sum(_apart(signal_ids, lambda some: self.purge_now(clock, some, reason)))

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
        self._forget_journal(clock)  # a desk's own journal has no nightly run
        return len(done)

    def confirm_destroyed(self, clock: Clock) -> int:
        """Destroy the keys of what was purged or referred, note it in the journal, and confirm it.

        Returns how many: not those that another worker destroyed since we looked.
        """
        with self.sessions() as session:
            deleted, referred = list(_unconfirmed_deletions(session)), list(_unconfirmed_referrals(session))
        keys = [*dict.fromkeys([*(deletion.case_key_id for deletion in deleted), *referred])]
        if not keys:
            return 0
        self.journal.append(deleted)
        return self._destroy(clock, keys)

    def _destroy(self, clock: Clock, keys: Sequence[uuid.UUID]) -> int:
        """Destroy keys whose deletions are in the journal, and confirm it; returns how many were there."""
        destroyed = self.keystore.destroy_case_keys(keys)
        for batch in _batches(keys, BATCH):
            with self.sessions.begin() as session:
                _confirm(session, batch, today(clock))
        return destroyed

    def replay(self, clock: Clock, journal: Iterable[Deletion]) -> RetentionReport:
        """After a restore: forget again what was forgotten before, on the same day and for the same reason.

        Takes the journal and the database's own records, so that neither a restored database nor a restored
        keystore brings anything back. This machine's journal has lines of all of it afterwards: an older copy
        may be restored after this one, and the journal that was lost is in no later copy.
        """
        with self.sessions() as session:
            known = {deletion.case_key_id: deletion for deletion in _deletions(session)}
            referred = set(session.scalars(select(Referral.old_case_key_id)))
        known |= {deletion.case_key_id: deletion for deletion in journal}
        oldest = self._oldest_in_journal(clock)
        self.journal.append_missing(deletion for deletion in known.values() if deletion.on >= oldest)
        purged: Counter[DeletionReason] = Counter()
        for batch in _batches(sorted(known), BATCH):
            deletions = [known[key] for key in batch]
            for done in _apart(deletions, lambda some: self._purge_again(clock, some)):
                purged.update(done)
            self._keep_from_arriving(clock, deletions)
        destroyed = self._destroy(clock, [*(referred | known.keys())])
        return RetentionReport(purged=purged, keys_destroyed=destroyed)

    def _purge_again(self, clock: Clock, deletions: Sequence[Deletion]) -> Counter[DeletionReason]:
        by_key = {deletion.case_key_id: deletion for deletion in deletions}
        with self.sessions.begin() as session:
            mine = among(_signals.case_key_id, list(by_key), session.connection())
            rows = session.execute(select(Signal.id, Signal.case_key_id).where(mine)).all()
            before = {row.id: by_key[row.case_key_id] for row in rows}
            # The restored figures lack the facts of what was purged since: they are written again, so that
            # a quarter that was published in between comes out the same.
            done = purge(
                session,
                clock,
                reasons={signal_id: deletion.reason for signal_id, deletion in before.items()},
                days={signal_id: deletion.on for signal_id, deletion in before.items()},
                keystore=self.keystore,
                audit=self.audit,
                locate=self.locate,
            )
        return Counter(done.values())

    def _keep_from_arriving(self, clock: Clock, deletions: Sequence[Deletion]) -> None:
        """In a copy made before it arrived, the report of a deleted signal still waits in its mailbox."""
        reasons = {each.signal_id: each.reason for each in deletions if each.signal_id is not None}
        with self.sessions.begin() as session:
            theirs = among(_reports.signal_id, list(reasons), session.connection())
            gone = session.scalars(delete(SealedReport).where(theirs).returning(SealedReport.signal_id)).all()
            for signal_id in gone:
                self.audit.record(
                    session,
                    clock,
                    actor=SYSTEM,
                    action=AuditAction.SIGNAL_PURGED,
                    subject_id=signal_id,
                    ground=Ground.RETENTION.of(reasons[signal_id]),
                )

    def _purge_batch(
        self, clock: Clock, batch: Sequence[Due], check: Callable[[Any], bool]
    ) -> Counter[DeletionReason]:
        with self.sessions.begin() as session:
            done = purge(
                session,
                clock,
                reasons={entry.signal_id: entry.reason for entry in batch},
                keystore=self.keystore,
                audit=self.audit,
                locate=self.locate,
                still_due=check,
            )
        return Counter(done.values())

    def _forget(self, clock: Clock) -> int:
        """What has an end of its own goes, with the keys under which links could be matched."""
        with self.sessions.begin() as session:
            renew_links(session, clock, keystore=self.keystore)
            links = forget_links(session, clock)
            forget_remains(session, clock, self.ends)
        with self.sessions.begin() as session:
            move_facts(session, keys=self.keystore, at_least=self.facts_together)
        with self.sessions() as session:
            forget_pool_keys(session, keys=self.keystore, on=today(clock))
        self.keystore.destroy_pseudonym_keys(oldest_kept(today(clock)))
        self._forget_journal(clock)
        return links

    def _forget_journal(self, clock: Clock) -> None:
        self.journal.forget(before=self._oldest_in_journal(clock))

    def _oldest_in_journal(self, clock: Clock) -> date:
        return today(clock) - timedelta(days=self.ends.journal)


def _apart(items: Sequence[_Item], act: Callable[[Sequence[_Item]], _Done]) -> Iterator[_Done]:
    """Act on all; where one of them makes that fail, on halves, so that it holds up nothing but itself."""
    try:
        yield act(items)
    except _OF_ONE as error:
        if len(items) == 1:
            log.error("retention.signal_failed", signal_id=_signal_of(items[0]), exc_info=error)
            return
        middle = len(items) // 2
        yield from _apart(items[:middle], act)
        yield from _apart(items[middle:], act)


def _signal_of(item: object) -> str:
    return str(getattr(item, "signal_id", item))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Thousands of rows at once set off searches of the whole process for cycles; a batch makes none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _resting_after(percent: int) -> Iterator[None]:
    """Nobody waits for a purge: what others need meanwhile makes the batch longer, and the rest with it."""
    began = monotonic()
    yield
    sleep((monotonic() - began) * percent / 100)


def _batches(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _unconfirmed_deletions(session: Session) -> Iterator[Deletion]:
    yield from _deletions(session, DeletionRecord.key_destroyed_on.is_(None))


def _unconfirmed_referrals(session: Session) -> Iterator[uuid.UUID]:
    """Not for the journal: the signal lives on, and no backup of it is to be purged for that."""
    yield from session.scalars(select(Referral.old_case_key_id).where(Referral.key_destroyed_on.is_(None)))


def _deletions(session: Session, *which: ColumnElement[bool]) -> Iterator[Deletion]:
    """The keys of deleted signals, and those that the same signals had before a referral."""
    yield from _as_deletions(session, _RECORDED.where(*which))
    earlier = select(
        Referral.old_case_key_id, DeletionRecord.deleted_on, DeletionRecord.reason, DeletionRecord.signal_id
    )
    earlier = earlier.join(DeletionRecord, DeletionRecord.signal_id == Referral.signal_id)
    yield from _as_deletions(session, earlier.where(*which))


def _as_deletions(session: Session, query: Any) -> Iterator[Deletion]:
    for key, on, reason, signal_id in session.execute(query).all():
        yield Deletion(case_key_id=key, on=on, reason=reason, signal_id=signal_id)


def _confirm(session: Session, keys: Sequence[uuid.UUID], on: date) -> None:
    connection = session.connection()
    for table, key in ((DeletionRecord, _records.case_key_id), (Referral, _referrals.old_case_key_id)):
        waiting = among(key, keys, connection), table.key_destroyed_on.is_(None)
        connection.execute(update(table).where(*waiting).values(key_destroyed_on=on))
