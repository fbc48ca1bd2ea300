"""The mailbox keys of each organisation, made some weeks ahead; private halves stay in the keystore."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, Final, cast

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session
from structlog import get_logger

from privacy.bulk import insert_many
from privacy.keystore import Keystore
from privacy.keystore.mailboxes import MailboxPublicKey as PublicHalf
from privacy.sealing import week_start
from signals.models import MailboxPublicKey, Organisation
from signals.operation import Operation
from signals.routing.snapshot import is_signed_by, routing_changed

WEEKS_AHEAD: Final = 4

log = get_logger(__name__)


def mailbox_keys_are_whole(operation: Operation) -> bool:
    """Return whether `provision_mailbox_keys` has nothing to do; write nothing."""
    missing, lost = _missing_and_lost(operation)
    return not missing and not lost


def provision_mailbox_keys(operation: Operation) -> int:
    """Make the mailbox keys of this week and the next four for every organisation; return how many are new.

    The signed public halves go where the front reads them. A public half whose private half is gone (the
    keystore was restored from an older copy) is replaced: nobody can read reports that are sealed to it.
    """
    session = operation.session
    missing, lost = _missing_and_lost(operation)
    if lost:
        log.error("mailbox_keys.private_half_gone", count=len(lost))
        session.execute(delete(MailboxPublicKey).where(MailboxPublicKey.key_id.in_(lost)))
    new = _publish(session, operation.keystore.make_mailbox_keys(sorted(missing)) if missing else [])
    if new or lost:
        routing_changed(session)
    return new


def _publish(session: Session, halves: Sequence[PublicHalf]) -> int:
    """Write public halves; another worker may have written the same ones, so return how many are new."""
    if not halves:
        return 0
    names = ("key_id", "organisation_id", "week", "public_key", "signature")
    columns = {name: [getattr(half, name) for half in halves] for name in names}
    return insert_many(session.connection(), cast(Table, MailboxPublicKey.__table__), columns, unless=())


def _missing_and_lost(operation: Operation) -> tuple[set[tuple[uuid.UUID, date]], set[uuid.UUID]]:
    """Return each (organisation, week) without a key, and the ids of public halves without a private one."""
    session, on = operation.session, operation.today
    # Past weeks do not count: a sweep may be removing their keys.
    ahead = select(MailboxPublicKey.__table__).where(MailboxPublicKey.week >= week_start(on))
    rows = session.execute(ahead).all()
    # After the rows were read: a private half exists before its public one.
    lost = _lost(rows, operation.keystore)
    present = {(row.organisation_id, row.week) for row in rows if row.key_id not in lost}
    return set(_wanted(session, on)) - present, lost


def _lost(rows: Sequence[Any], keystore: Keystore) -> set[uuid.UUID]:
    """Return the keys that this keystore's root signed and that the keystore lacks.

    Keys that another root signed stay: this may be the wrong keystore, and the front refuses them anyway.
    """
    kept = {half.key_id for half in keystore.list_mailbox_keys()}
    root = keystore.root_public_key()
    return {row.key_id for row in rows if row.key_id not in kept and is_signed_by(root, row)}


def _wanted(session: Session, on: date) -> Iterable[tuple[uuid.UUID, date]]:
    weeks = [week_start(on) + timedelta(weeks=ahead) for ahead in range(WEEKS_AHEAD + 1)]
    return [(found, week) for found in session.scalars(select(Organisation.id)) for week in weeks]
