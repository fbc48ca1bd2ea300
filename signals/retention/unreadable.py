"""Find the signals that nobody can read, and let the privacy officer give one up.

A copy of the keystore from before the damage may still have the key, for 14 days.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, select, update
from sqlalchemy.orm import Session, sessionmaker
from structlog import get_logger

from privacy.keystore import Keystore
from signals.audit.grounds import Ground
from signals.audit.log import require_role
from signals.casework.access import find_signal, open_for_job, organisation_of
from signals.clock import Clock, today
from signals.errors import Conflict
from signals.models import Signal
from signals.operation import Operation
from signals.retention.orders import order_deletion
from signals.vocabulary import AuditAction, DeletionReason, Role

TRIED_AT_ONCE: Final = 20_000
"""The most signals of one night, so that its work has a bound."""
PAGE: Final = 500

log = get_logger(__name__)

_signals: Final = cast(Table, Signal.__table__).c
_READ: Final = select(
    _signals.id, _signals.organisation_id, _signals.case_key_id, _signals.schema_version, _signals.content,
    _signals.summary, _signals.unreadable_on,
).order_by(_signals.id).limit(PAGE)  # fmt: skip


def try_signals(
    sessions: sessionmaker[Session], clock: Clock, *, keystore: Keystore, rng: random.Random
) -> int:
    """Open signals for nobody, and note which are unreadable, or readable again; return how many changed.

    It begins at a random id: where there are more than `TRIED_AT_ONCE`, each has its turn in some night.
    """
    start = UUID(int=rng.getrandbits(128))
    changed = tried = 0
    for part in (_signals.id >= start, _signals.id < start):
        for page in _pages(sessions, part):
            changed += _note(sessions, clock, keystore, page)
            tried += len(page)
            if tried >= TRIED_AT_ONCE:
                return changed
    return changed


def _pages(sessions: sessionmaker[Session], part: ColumnElement[bool]) -> Iterator[Sequence[Any]]:
    after: ColumnElement[bool] = part
    while True:
        with sessions() as session:
            rows = session.execute(_READ.where(part, after)).all()
        if not rows:
            return
        yield rows
        after = _signals.id > rows[-1].id


def _note(sessions: sessionmaker[Session], clock: Clock, keystore: Keystore, page: Sequence[Any]) -> int:
    opened = open_for_job(keystore, page)
    changed = [row for row in page if (row.id in opened) == (row.unreadable_on is not None)]
    if changed:
        with sessions.begin() as session:
            for row in changed:
                on = None if row.id in opened else today(clock)
                # A handover may have sealed it anew meanwhile.
                same = Signal.id == row.id, Signal.case_key_id == row.case_key_id
                session.execute(update(Signal).where(*same).values(unreadable_on=on))
        log.error("retention.readability_changed", count=len(changed))
    return len(changed)


def unreadable_signals(session: Session, *of: ColumnElement[bool]) -> Sequence[Signal]:
    """Return the signals that nobody can read, those longest so first."""
    query = select(Signal).where(_signals.unreadable_on.is_not(None), *of)
    return session.scalars(query.order_by(Signal.unreadable_on, Signal.id)).all()


def give_up(operation: Operation, *, signal_id: UUID) -> None:
    """Order the deletion of an unreadable signal of the officer's own organisation.

    Raises `NotFound`, and `Conflict` when it can be read again.
    """
    require_role(operation.actor, Role.PRIVACY_OFFICER)
    own = organisation_of(operation.actor)
    signal = find_signal(operation.session, organisation_id=own, signal_id=signal_id, for_update=True)
    if signal.unreadable_on is None:
        raise Conflict
    reason = DeletionReason.UNREADABLE
    order_deletion(
        operation.session, operation.clock, organisation_id=own, signal_ids=[signal_id], reason=reason
    )
    operation.record(AuditAction.SIGNAL_ERASED, subject_id=signal_id, ground=Ground.RETENTION.of(reason))
