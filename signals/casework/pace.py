"""Stop an account that opens many signals in an hour, until a lead or privacy officer lets it go on."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from notifications.events import Event
from signals.audit.grounds import Ground
from signals.audit.log import require_role
from signals.casework.access import organisation_of, staff_id_of
from signals.db import is_sqlite
from signals.errors import Forbidden, NotFound
from signals.models import StaffMember, StoppedAccount
from signals.operation import Operation
from signals.staff.change_messages import notify_team
from signals.staff.standing import APPROVERS
from signals.vocabulary import AuditAction


def stop_account(operation: Operation) -> None:
    """Stop the actor's account and notify leads and privacy officers, once; two requests at once are safe."""
    session, now = operation.session, operation.now
    own, staff_id = organisation_of(operation.actor), staff_id_of(operation.actor)
    insert = (sqlite if is_sqlite(session) else postgresql).insert(StoppedAccount)
    row = insert.values(staff_member_id=staff_id, organisation_id=own, stopped_at=now, released_at=None)
    again = row.on_conflict_do_update(
        index_elements=["staff_member_id"],
        set_={"stopped_at": now, "released_at": None},
        where=StoppedAccount.released_at.is_not(None),
    )
    if session.scalar(again.returning(StoppedAccount.staff_member_id)) is None:
        return
    operation.record(AuditAction.STAFF_CHANGED, subject_id=staff_id, ground=Ground.OPENINGS_STOPPED)
    notify_team(operation, own, besides=staff_id, event=Event.OPENINGS_STOPPED)


def stopped_accounts(
    session: Session, organisation_id: uuid.UUID
) -> Sequence[tuple[StaffMember, StoppedAccount]]:
    """Return the accounts of an organisation that wait, the latest first."""
    query = (
        select(StaffMember, StoppedAccount)
        .join(StoppedAccount, StoppedAccount.staff_member_id == StaffMember.id)
        .where(StoppedAccount.organisation_id == organisation_id, StoppedAccount.released_at.is_(None))
    )
    return [(row[0], row[1]) for row in session.execute(query.order_by(StoppedAccount.stopped_at.desc()))]


def let_go_on(operation: Operation, *, staff_id: uuid.UUID) -> None:
    """Let a stopped account open signals again; change nothing for one that goes on already.

    Raises `Forbidden` for the own account and for another role, `NotFound` for one that never stopped.
    """
    require_role(operation.actor, *APPROVERS)
    if operation.actor.id == staff_id:
        raise Forbidden
    own = StoppedAccount.organisation_id == organisation_of(operation.actor)
    mine = select(StoppedAccount.staff_member_id).where(own, StoppedAccount.staff_member_id == staff_id)
    if operation.session.scalar(mine) is None:
        raise NotFound
    resume(operation, staff_id=staff_id)


def resume(operation: Operation, *, staff_id: uuid.UUID) -> None:
    """End the stop of an account, if there is one; the server's command does so where nobody else can."""
    query = select(StoppedAccount).where(StoppedAccount.staff_member_id == staff_id)
    row = operation.session.scalar(query.where(StoppedAccount.released_at.is_(None)).with_for_update())
    if row is not None:
        row.released_at = operation.now
        operation.record(AuditAction.STAFF_CHANGED, subject_id=staff_id, ground=Ground.OPENINGS_RESUMED)
