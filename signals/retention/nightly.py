"""Run the nightly purge and the ordered deletions, and repeat both after a restore."""

import gc
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from time import monotonic, sleep
from typing import Any, Final, TypeVar, cast

from sqlalchemy import ColumnElement, Table, delete, exists, func, select, update
from sqlalchemy.orm import Session, sessionmaker
from structlog import get_logger

from privacy.bulk import among
from privacy.keystore import Keystore
from privacy.sealing import SealingError
from signals.arrival.repeats import oldest_kept
from signals.audit.admission import Admission
from signals.audit.grounds import Ground
from signals.audit.log import SYSTEM, AuditLog
from signals.clock import Clock, today
from signals.clock_guard import require_right_clock
from signals.db import set_local
from signals.errors import ClockApart, SignalsError
from signals.models import DeletionOrder, DeletionRecord, Referral, SealedReport, Signal
from signals.operation import Operation
from signals.retention.expiry import Expiry, forget_links, forget_remains, renew_links
from signals.retention.journal import Deletion, DeletionJournal
from signals.retention.periods import Due, due_signals, still_due
from signals.retention.purging import BATCH, Locate, purge
from signals.vocabulary import AuditAction, DeletionReason

log = get_logger(__name__)

REST_PERCENT = 100
"""Rest after each batch, in percent of its duration, so that the public side gets the databases."""

MOST_UNASKED: Final = 50
"""So many signals a night purges without a person; more only up to a fifth of all live ones."""

_RECORDED: Final = select(
    DeletionRecord.case_key_id, DeletionRecord.deleted_on, DeletionRecord.reason, DeletionRecord.signal_id
)
_Item = TypeVar("_Item")
_Done = TypeVar("_Done")
_OF_ONE = (ArithmeticError, AttributeError, LookupError, SealingError, TypeError, ValueError)
"""Errors that one bad row can cause; an unreachable database or keystore raises none of these."""
_signals: Final = cast(Table, Signal.__table__).c
_records: Final = cast(Table, DeletionRecord.__table__).c
_referrals: Final = cast(Table, Referral.__table__).c
_reports: Final = cast(Table, SealedReport.__table__).c


@dataclass(frozen=True, kw_only=True)
class RetentionReport:
    """Count what a run deleted (or would delete), by reason, and what else it removed.

    `waiting`: signals that are due, and so many that a person must confirm the purge. `failed`: signals that
    could not be purged; the log names them.
    """

    purged: Mapping[DeletionReason, int]
    keys_destroyed: int = 0
    links_deleted: int = 0
    waiting: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """Return the number of purged signals."""
        return sum(self.purged.values())


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Hold what the nightly job needs; every method is safe to run twice and in two places."""

    sessions: sessionmaker[Session]
    keystore: Keystore = field(repr=False)
    audit: AuditLog = field(repr=False)
    locate: Locate
    journal: DeletionJournal
    expiry: Expiry = field(default_factory=Expiry)
    batch_size: int = BATCH
    rest_percent: int = REST_PERCENT

    def preview(self, clock: Clock) -> RetentionReport:
        """Report what a run would purge now; change nothing."""
        with self.sessions() as session:
            found = list(due_signals(session, clock))
        return RetentionReport(purged=Counter(entry.reason for entry in found))

    def run(self, clock: Clock, *, confirmed: bool = False) -> RetentionReport:
        """Purge what is due, in batches of one transaction each.

        A wrong clock or period makes nearly everything due. So without `confirmed` this purges nothing when
        `needs_a_person`: it says so in its log and in the report, and deletes nothing else either.
        """
        self.confirm_destroyed(clock)
        self.carry_out_orders(clock)
        with self.sessions() as session:
            found = list(due_signals(session, clock))
            check = still_due(session, clock)
            unasked = [due for due in found if due.reason is not DeletionReason.FLOOD]  # a lead set it aside
            waits = not confirmed and needs_a_person(session, len(unasked))
        if waits:
            log.error("retention.waits_for_a_person", due=len(found))
            return RetentionReport(purged={}, waiting=len(found))
        purged: Counter[DeletionReason] = Counter()
        destroyed, failed = 0, list[str]()
        for batch in _batches(found, self.batch_size):
            with _uncollected(), _resting_after(self.rest_percent):
                for done in _apart(batch, lambda some: self._purge_batch(clock, some, check), failed):
                    purged.update(done)
                destroyed += self.confirm_destroyed(clock)
        links = self._forget(clock)
        return RetentionReport(
            purged=purged, keys_destroyed=destroyed, links_deleted=links, failed=len(failed)
        )

    def carry_out_orders(self, clock: Clock) -> int:
        """Purge what erasures ordered; return how many signals."""
        with self.sessions() as session:
            orders = session.execute(select(DeletionOrder.signal_id, DeletionOrder.reason)).all()
        by_reason: dict[DeletionReason, list[uuid.UUID]] = {}
        for order in orders:
            by_reason.setdefault(order.reason, []).append(order.signal_id)
        done = sum(self._carry_out(clock, ids, reason) for reason, ids in by_reason.items())
        with self.sessions.begin() as session:
            lives = exists().where(Signal.id == DeletionOrder.signal_id)
            session.execute(delete(DeletionOrder).where(~lives))
        return done

    def _carry_out(self, clock: Clock, signal_ids: Sequence[uuid.UUID], reason: DeletionReason) -> int:
        return sum(_apart(signal_ids, lambda some: self.purge_now(clock, some, reason), []))

    def purge_now(
        self,
        clock: Clock,
        signal_ids: Sequence[uuid.UUID],
        reason: DeletionReason,
        admission: Admission | None = None,
    ) -> int:
        """Purge these signals at once (erasure, objection); return how many were still there.

        A process of people passes the `admission` of its entries, for the facts of the statistics.
        """
        with self.sessions.begin() as session:
            set_local(session, subject=",".join(map(str, signal_ids)))  # opens referred signals too
            reasons = dict.fromkeys(signal_ids, reason)
            begun = replace(self._operation(session, clock), admission=admission)
            done = purge(begun, reasons=reasons, locate=self.locate)
        self.confirm_destroyed(clock)
        with suppress(ClockApart):  # a desk's own journal has no nightly run
            require_right_clock(self.sessions.kw["bind"], clock)
            self._forget_journal(clock)
        return len(done)

    def confirm_destroyed(self, clock: Clock) -> int:
        """Destroy the keys of purged and referred signals, write the journal, and confirm it.

        Returns how many keys this call destroyed; another worker may destroy some of them meanwhile.
        """
        with self.sessions() as session:
            deleted, referred = list(_unconfirmed_deletions(session)), list(_unconfirmed_referrals(session))
        keys = [*dict.fromkeys([*(deletion.case_key_id for deletion in deleted), *referred])]
        if not keys:
            return 0
        self.journal.append(deleted)
        return self._destroy(clock, keys)

    def _destroy(self, clock: Clock, keys: Sequence[uuid.UUID]) -> int:
        """Destroy keys whose deletions are in the journal, and confirm it; return how many there were."""
        destroyed = self.keystore.destroy_case_keys(keys)
        with self.sessions() as session:
            waiting = {deletion.case_key_id for deletion in _unconfirmed_deletions(session)}
            waiting.update(_unconfirmed_referrals(session))
        for batch in _batches([key for key in keys if key in waiting], BATCH):
            with self.sessions.begin() as session:
                _confirm(session, batch, today(clock))
        return destroyed

    def replay(self, clock: Clock, journal: Iterable[Deletion]) -> RetentionReport:
        """Repeat after a restore every earlier deletion, with its day and its reason.

        This takes the journal and the database's own records, so that neither a restored database nor a
        restored keystore brings anything back. Afterwards the journal of this machine has all lines, for the
        restore of an even older copy.
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
            for done in _apart(deletions, lambda some: self._purge_again(clock, some), []):
                purged.update(done)
            self._keep_from_arriving(clock, deletions)
        destroyed = self._destroy(clock, [*(referred | known.keys())])
        return RetentionReport(purged=purged, keys_destroyed=destroyed)

    def _purge_again(self, clock: Clock, deletions: Sequence[Deletion]) -> Counter[DeletionReason]:
        by_key = {deletion.case_key_id: deletion for deletion in deletions}
        with self.sessions.begin() as session:
            mine = among(session.connection(), _signals.case_key_id, by_key)
            rows = session.execute(select(Signal.id, Signal.case_key_id).where(mine)).all()
            before = {row.id: by_key[row.case_key_id] for row in rows}
            # The restored figures lack the facts of these signals. Written again, they give the same
            # figures for a quarter that was published in between.
            done = purge(
                self._operation(session, clock),
                reasons={signal_id: deletion.reason for signal_id, deletion in before.items()},
                days={signal_id: deletion.on for signal_id, deletion in before.items()},
                locate=self.locate,
            )
        return Counter(done.values())

    def _keep_from_arriving(self, clock: Clock, deletions: Sequence[Deletion]) -> None:
        """Delete reports of deleted signals that still wait in the mailbox of an older copy."""
        reasons = {each.signal_id: each.reason for each in deletions if each.signal_id is not None}
        with self.sessions.begin() as session:
            theirs = among(session.connection(), _reports.signal_id, reasons)
            gone = session.scalars(delete(SealedReport).where(theirs).returning(SealedReport.signal_id)).all()
            for signal_id in gone:
                ground = Ground.RETENTION.of(reasons[signal_id])
                self._operation(session, clock).record(
                    AuditAction.SIGNAL_PURGED, subject_id=signal_id, ground=ground
                )

    def _purge_batch(
        self, clock: Clock, batch: Sequence[Due], check: Callable[[Any], bool]
    ) -> Counter[DeletionReason]:
        with self.sessions.begin() as session:
            reasons = {entry.signal_id: entry.reason for entry in batch}
            begun = self._operation(session, clock)
            done = purge(begun, reasons=reasons, locate=self.locate, still_due=check)
        return Counter(done.values())

    def _forget(self, clock: Clock) -> int:
        """Delete what expired, with the keys that could match old links; return how many links."""
        with self.sessions.begin() as session:
            renew_links(session, clock, keystore=self.keystore)
            links = forget_links(session, clock)
            forget_remains(session, clock, self.expiry)
        self.keystore.destroy_pseudonym_keys(oldest_kept(today(clock)))
        self._forget_journal(clock)
        return links

    def _operation(self, session: Session, clock: Clock) -> Operation:
        return Operation(session=session, clock=clock, actor=SYSTEM, audit=self.audit, keystore=self.keystore)

    def _forget_journal(self, clock: Clock) -> None:
        self.journal.forget(before=self._oldest_in_journal(clock))

    def _oldest_in_journal(self, clock: Clock) -> date:
        return today(clock) - timedelta(days=self.expiry.journal)


class PurgeIncomplete(SignalsError):
    """Some signals could not be purged; the log names them."""

    code = "purge_incomplete"


def needs_a_person(session: Session, due: int) -> bool:
    """Return whether a purge of so many signals waits until a person confirms it."""
    if due <= MOST_UNASKED:
        return False
    enough = select(Signal.id).limit(due * 5).subquery()
    return due * 5 > (session.scalar(select(func.count()).select_from(enough)) or 0)


def _apart(
    items: Sequence[_Item], act: Callable[[Sequence[_Item]], _Done], failed: list[str]
) -> Iterator[_Done]:
    """Act on all items; after a failure act on halves, so that one bad item holds up only itself.

    Adds the ids of those to `failed`.
    """
    try:
        yield act(items)
    except _OF_ONE as error:
        if len(items) == 1:
            failed.append(str(getattr(items[0], "signal_id", items[0])))
            log.error("retention.signal_failed", signal_id=failed[-1], exc_info=error)
            return
        middle = len(items) // 2
        yield from _apart(items[:middle], act, failed)
        yield from _apart(items[middle:], act, failed)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Turn garbage collection off: thousands of rows would trigger it, and a batch makes no cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _resting_after(percent: int) -> Iterator[None]:
    """Rest after a batch in proportion to its duration: other work makes both longer."""
    began = monotonic()
    yield
    sleep((monotonic() - began) * percent / 100)


def _batches(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _unconfirmed_deletions(session: Session) -> Iterator[Deletion]:
    yield from _deletions(session, DeletionRecord.key_destroyed_on.is_(None))


def _unconfirmed_referrals(session: Session) -> Iterator[uuid.UUID]:
    """Yield the old keys of referrals; the journal leaves them out, because the signals still exist."""
    yield from session.scalars(select(Referral.old_case_key_id).where(Referral.key_destroyed_on.is_(None)))


def _deletions(session: Session, *which: ColumnElement[bool]) -> Iterator[Deletion]:
    """Yield the keys of deleted signals, and those that the same signals had before a referral."""
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
        waiting = among(connection, key, keys), table.key_destroyed_on.is_(None)
        connection.execute(update(table).where(*waiting).values(key_destroyed_on=on))
