"""Take away again, after a restore, every right that was taken away since the copy."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete

from signals.clock import Clock
from signals.models import AccountLink, Challenge, Connection, IdentityProvider, Passkey, StaffMember
from signals.models.sealed import Keep, Revoked
from signals.operation import Operation
from signals.retention.journal import DeletionJournal, Revocation
from signals.staff.accounts import set_role, shut
from signals.staff.change_messages import AccountSettings
from signals.staff.recovery import recover
from signals.staff.sessions import revoke_where
from signals.vocabulary import Role


def keep_in(journal_file: Path, clock: Clock) -> Keep:
    """Return what writes revocations to a journal, before the transaction commits."""

    def keep(revoked: Sequence[Revoked]) -> None:
        now = clock.now()
        DeletionJournal(journal_file).append([Revocation(revoked=one, at=now) for one in revoked])

    return keep


def revoke_again(
    operation: Operation, *, settings: AccountSettings, revocations: Iterable[Revocation]
) -> int:
    """End all sessions, tokens and links, and repeat the revocations; return how many accounts changed.

    The last line about an account tells its role, and whether it is disabled; nothing enables one. Somebody
    with a newer password or authenticator than the copy has gets a mailed link, and the old ones are void.
    """
    session = operation.session
    revoke_where(session, operation.clock)
    session.execute(delete(AccountLink))
    session.execute(delete(Challenge))
    by_row: dict[tuple[str, UUID], list[Revocation]] = {}
    for one in sorted(revocations, key=lambda one: one.at):
        by_row.setdefault((one.revoked.table, one.revoked.id), []).append(one)
    changed = 0
    for (table, row_id), lines in by_row.items():
        for model in (Passkey, Connection, IdentityProvider):
            if table == model.__tablename__ and (row := session.get(model, row_id)):
                session.delete(row)
        if table == StaffMember.__tablename__ and (member := session.get(StaffMember, row_id)):
            changed += _repeat(operation, settings, member, [one.revoked for one in lines])
    session.flush()
    return changed


def _repeat(
    operation: Operation, settings: AccountSettings, member: StaffMember, lines: Sequence[Revoked]
) -> bool:
    last, version = lines[-1], member.version
    steps = []
    if member.role != last.role:
        steps.append(partial(set_role, operation, member, Role(last.role)))
    if last.disabled and member.disabled_at is None:
        steps.append(partial(shut, operation, member))
    elif member.disabled_at is None and any(one.credentials and one.version > version for one in lines):
        steps.append(partial(recover, operation, settings=settings, member=member))
    for step in steps:
        step()
    return bool(steps)
