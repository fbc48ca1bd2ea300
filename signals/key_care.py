"""Care for keys that nothing needs any more: destroying them is what makes old copies unreadable."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from uuid import UUID

from sqlalchemy import ScalarResult, delete, select
from sqlalchemy.orm import Session, sessionmaker

from privacy.keystore import Keystore
from signals.audit import SYSTEM, AuditLog
from signals.clock import Clock, today
from signals.db import reading, reading_session
from signals.models import MailboxPublicKey, SealedReport, Signal
from signals.routing import routing_changed
from signals.vocabulary import AuditAction

ORPHAN_DAYS = 1
"""A case key is written before its signal is; after a day without one it has none to come."""

_WEEK_OVER_AFTER = timedelta(days=8)
# One day more than the week: a front that stored just before midnight may still be committing.
_PAGE = 500


@dataclass(frozen=True, kw_only=True)
class Swept:
    """How many keys were destroyed."""

    case_keys: int
    mailbox_keys: int


def sweep_keys(
    sessions: sessionmaker[Session], clock: Clock, *, keystore: Keystore, audit: AuditLog
) -> Swept:
    """Destroy orphaned case keys, and mailbox keys whose week is over and for which no report waits.

    Runs in transactions of its own; safe to run twice, in two places and after being killed.
    """
    swept = Swept(
        case_keys=_sweep_case_keys(sessions, clock, keystore),
        mailbox_keys=_sweep_mailbox_keys(sessions, clock, keystore),
    )
    if swept.case_keys or swept.mailbox_keys:
        with sessions.begin() as session:
            audit.record(session, clock, actor=SYSTEM, action=AuditAction.KEYS_CHANGED, ground="swept")
    return swept


def _sweep_case_keys(sessions: sessionmaker[Session], clock: Clock, keystore: Keystore) -> int:
    """One look through all signals beside all keys, both in order of id, however many there are.

    Destroying is for good, so what was found is asked for once more: a database that sorts ids in another
    way than we compare them must cost time, never a key.
    """
    keys = keystore.case_key_ids(older_than=today(clock) - timedelta(days=ORPHAN_DAYS))
    destroyed = 0
    with (
        reading_session(sessions, reading(sessions.kw["bind"])) as session,
        closing(_used_case_keys(session)) as used,
    ):
        for page in _pages(_missing_from(iter(used), keys)):
            wanted = select(Signal.case_key_id).where(Signal.case_key_id.in_(page))
            destroyed += keystore.destroy_case_keys(set(page) - set(session.scalars(wanted)))
    return destroyed


def _used_case_keys(session: Session) -> ScalarResult[UUID]:
    in_order = select(Signal.case_key_id).order_by(Signal.case_key_id)
    return session.scalars(in_order, execution_options={"yield_per": _PAGE})


def _missing_from(used: Iterator[UUID], ids: Iterable[UUID]) -> Iterator[UUID]:
    """Those of `ids` that are not among `used`; both ascend, and neither is held in memory."""
    nearest = next(used, None)
    for one in ids:
        while nearest is not None and nearest < one:
            nearest = next(used, None)
        if one != nearest:
            yield one


def _sweep_mailbox_keys(sessions: sessionmaker[Session], clock: Clock, keystore: Keystore) -> int:
    """First the public halves go, so that nobody seals to them; then the private ones nothing waits for."""
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
    """Keys of envelopes that are still there, refused ones among them."""
    return set(session.scalars(select(SealedReport.mailbox_key_id).distinct()))


def _pages(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    iterator = iter(ids)
    while page := list(islice(iterator, _PAGE)):
        yield page
