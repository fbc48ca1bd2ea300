"""Destroy keys that nothing needs any more, so that old copies of the data become unreadable.

Only the absence of rows tells that nothing needs a key. A wrong database has no rows either, such as a new
one before its restore. So a sweep never destroys most of the keys without an explicit wish.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, islice
from uuid import UUID

from sqlalchemy import ScalarResult, delete, select
from sqlalchemy.orm import Session, sessionmaker
from structlog import get_logger

from privacy.bulk import among
from privacy.keystore import Keystore
from signals.audit.grounds import Ground
from signals.clock import Clock, today
from signals.db import reading, reading_session
from signals.models import MailboxPublicKey, SealedReport, Signal
from signals.operation import Parts, open_operation
from signals.routing.snapshot import routing_changed
from signals.vocabulary import AuditAction

ORPHAN_DAYS = 1
"""A case key is written before its signal; after a day without a signal none will come."""
YOUNG_DAYS = 14
"""A killed arrival leaves orphans. A sweep of young keys finds them in one of so many nights."""

_WEEK_OVER_AFTER = timedelta(days=8)
# One day more than the week: a front may still commit what it stored just before midnight.
_PAGE = 500
_SAMPLE = 1000

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Swept:
    """Return the number of destroyed keys."""

    case_keys: int
    mailbox_keys: int


class SweepRefused(Exception):
    """Most case keys belong to no signal here: this may not be the database of this keystore."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


def sweep_keys(
    sessions: sessionmaker[Session], parts: Parts, *, even_most: bool = False, young: bool = False
) -> Swept:
    """Destroy orphaned case keys, and mailbox keys of past weeks for which no report waits.

    Raises `SweepRefused` and destroys nothing when more than half of the case keys are orphans, unless
    `even_most`. `young`: of the case keys it looks only at those of the last `YOUNG_DAYS`, and at a sample.
    Runs in transactions of its own. It may run twice, in two places, and again after a crash.
    """
    clock, keystore = parts.clock, parts.keystore
    if young:
        case_keys = _sweep_young(sessions, clock, keystore)
    else:
        case_keys = _sweep_case_keys(sessions, clock, keystore, even_most=even_most)
    swept = Swept(
        case_keys=case_keys,
        mailbox_keys=_sweep_mailbox_keys(sessions, clock, keystore),
    )
    if swept.case_keys or swept.mailbox_keys:
        with sessions.begin() as session:
            open_operation(parts, session).record(AuditAction.KEYS_CHANGED, ground=Ground.SWEPT)
    return swept


def most_are_orphans(sessions: sessionmaker[Session], clock: Clock, *, keystore: Keystore) -> bool:
    """Tell whether a sweep would probably be refused, by keys at random: the ids of keys are random."""
    some = list(islice(keystore.case_key_ids(older_than=_made_before(clock)), _SAMPLE))
    with reading_session(sessions, reading(sessions.kw["bind"])) as session:
        return len(list(_unused(session, some))) > len(some) // 2


def _sweep_young(sessions: sessionmaker[Session], clock: Clock, keystore: Keystore) -> int:
    """Destroy the orphans among young keys; the work is that of some days, however many keys there are."""
    if most_are_orphans(sessions, clock, keystore=keystore):
        log.error("key_sweep.refused", sample=_SAMPLE)
        raise SweepRefused
    before = _made_before(clock)
    young = keystore.case_keys_made(since=before - timedelta(days=YOUNG_DAYS), before=before)
    with reading_session(sessions, reading(sessions.kw["bind"])) as session:
        return sum(map(keystore.destroy_case_keys, _pages(_unused(session, young))))


def _sweep_case_keys(
    sessions: sessionmaker[Session], clock: Clock, keystore: Keystore, *, even_most: bool
) -> int:
    keys = keystore.count_case_keys(_made_before(clock))
    with _orphans(sessions, clock, keystore) as orphans:
        first = [] if even_most else list(islice(orphans, keys // 2 + 1))
        if len(first) > keys // 2:
            log.error("key_sweep.refused", case_keys=keys)
            raise SweepRefused
        return sum(map(keystore.destroy_case_keys, _pages(chain(first, orphans))))


def _made_before(clock: Clock) -> date:
    return today(clock) - timedelta(days=ORPHAN_DAYS)


@contextmanager
def _orphans(sessions: sessionmaker[Session], clock: Clock, keystore: Keystore) -> Iterator[Iterator[UUID]]:
    """Yield the orphans by one pass over all signals and all keys in order of id, however many there are.

    Destroying cannot be undone, so each orphan is checked again. A database that sorts ids in another way
    than this code then costs time, and never a key.
    """
    keys = keystore.case_key_ids(older_than=_made_before(clock))
    with (
        reading_session(sessions, reading(sessions.kw["bind"])) as session,
        closing(_used_case_keys(session)) as used,
    ):
        yield _unused(session, _missing_from(iter(used), keys))


def _unused(session: Session, missing: Iterable[UUID]) -> Iterator[UUID]:
    for page in _pages(missing):
        mine = among(session.connection(), Signal.__table__.c.case_key_id, page)
        wanted = select(Signal.case_key_id).where(mine)
        yield from set(page) - set(session.scalars(wanted))


def _used_case_keys(session: Session) -> ScalarResult[UUID]:
    in_order = select(Signal.case_key_id).order_by(Signal.case_key_id)
    return session.scalars(in_order, execution_options={"yield_per": _PAGE})


def _missing_from(used: Iterator[UUID], ids: Iterable[UUID]) -> Iterator[UUID]:
    """Yield those of `ids` that are not in `used`; both ascend, and neither is held in memory."""
    nearest = next(used, None)
    for one in ids:
        while nearest is not None and nearest < one:
            nearest = next(used, None)
        if one != nearest:
            yield one


def _sweep_mailbox_keys(sessions: sessionmaker[Session], clock: Clock, keystore: Keystore) -> int:
    """Delete the public halves first, so that nobody seals to them; then destroy unused private ones."""
    over = [
        half.key_id for half in keystore.list_mailbox_keys() if half.week + _WEEK_OVER_AFTER <= today(clock)
    ]
    with sessions.begin() as session:
        unused = set(over) - _waited_for(session)
        gone = delete(MailboxPublicKey).where(MailboxPublicKey.key_id.in_(unused))
        if session.execute(gone.returning(MailboxPublicKey.key_id)).all():
            routing_changed(session)
    with sessions() as session:
        unused -= _waited_for(session)
    return keystore.destroy_mailbox_keys(unused)


def _waited_for(session: Session) -> set[UUID]:
    """Return the keys of envelopes that still exist, refused ones included."""
    return set(session.scalars(select(SealedReport.mailbox_key_id).distinct()))


def _pages(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    iterator = iter(ids)
    while page := list(islice(iterator, _PAGE)):
        yield page
