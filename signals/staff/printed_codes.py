"""Sign in with a printed code, of which two people keep a half each, when the provider does not answer.

One account of a team has such a code: that of the lead who printed it last. The team gets a mail of each use.
"""

import hashlib
import secrets
from base64 import b32encode

from sqlalchemy import select

from notifications.events import Event
from signals.audit.grounds import Ground
from signals.audit.log import require_role
from signals.errors import SignInFailed
from signals.models import StaffMember, StaffSession
from signals.operation import Operation
from signals.staff.accounts import record_change
from signals.staff.change_messages import notify
from signals.staff.sign_in import SignedIn, lock_account, lock_member, open_for, record_failure
from signals.vocabulary import Role

Halves = tuple[str, str]


def print_code(operation: Operation, *, staff_session: StaffSession) -> Halves:
    """Return a new code of the lead's own account in two halves; every earlier one of the team ends."""
    require_role(operation.actor, Role.LEAD)
    member = lock_account(operation.session, staff_session)
    code = b32encode(secrets.token_bytes(20)).decode()
    for one in _team_of(operation, member):
        one.printed_hash = None
    operation.session.flush()
    member.printed_hash = _hash_of(code)
    record_change(operation, member, Ground.PRINTED_CODE)
    _tell(operation, member)
    return code[:16], code[16:]


def sign_in_with_halves(operation: Operation, *, halves: Halves, absolute_hours: int) -> SignedIn:
    """Open a session by both halves, and mail all the team. Raises `SignInFailed`, as a password does."""
    query = select(StaffMember.id).where(StaffMember.printed_hash == _hash_of("".join(halves)))
    found = operation.session.scalar(query)
    member = lock_member(operation.session, found) if found else None
    if member is None or member.disabled_at is not None or member.role is not Role.LEAD:
        record_failure(operation, member, Ground.PRINTED_CODE)
        raise SignInFailed
    _tell(operation, member)
    return open_for(operation, member, kind="page", absolute_hours=absolute_hours, ground=Ground.PRINTED_CODE)


def _tell(operation: Operation, member: StaffMember) -> None:
    people = [one for one in _team_of(operation, member) if one.disabled_at is None]
    notify(operation, people, member.organisation_id, "/desk/account", event=Event.PRINTED_CODE)


def _team_of(operation: Operation, member: StaffMember) -> list[StaffMember]:
    query = select(StaffMember).where(StaffMember.organisation_id == member.organisation_id)
    return list(operation.session.scalars(query.order_by(StaffMember.email)))


def _hash_of(typed: str) -> bytes:
    return hashlib.sha256("".join(typed.split()).upper().encode("utf-8", "replace")).digest()
