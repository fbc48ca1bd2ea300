"""Tell whether a team has activated accounts, somebody who can approve, and a privacy officer.

An invitation that nobody activated does not count. A disabled account does count for whether there is a team:
otherwise disabling a whole team would open the way in.
"""

import uuid
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.models import StaffMember
from signals.vocabulary import Role

APPROVERS: Final = (Role.LEAD, Role.PRIVACY_OFFICER)


def is_live(session: Session, organisation_id: uuid.UUID | None) -> bool:
    """Tell whether an organisation has, or ever had, an activated account."""
    return any(_activated(session, organisation_id))


def has_approver(session: Session, organisation_id: uuid.UUID | None, *, besides: str = "") -> bool:
    """Tell whether a lead or privacy officer without the address `besides` can decide a request."""
    active = _active(session, organisation_id)
    return any(member.role in APPROVERS and member.email != besides for member in active)


def has_lead(session: Session, organisation_id: uuid.UUID | None) -> bool:
    """Tell whether a lead of this organisation activated an account; without one it does not go live."""
    return any(member.role is Role.LEAD for member in _active(session, organisation_id))


def has_officer(session: Session, organisation_id: uuid.UUID | None) -> bool:
    """Tell whether a privacy officer oversees this organisation; then no lead decides who does."""
    return any(member.role is Role.PRIVACY_OFFICER for member in _active(session, organisation_id))


def _active(session: Session, organisation_id: uuid.UUID | None) -> list[StaffMember]:
    return [member for member in _activated(session, organisation_id) if member.disabled_at is None]


def _activated(session: Session, organisation_id: uuid.UUID | None) -> list[StaffMember]:
    """Load whole rows, because only those prove their seal: rights depend on the answer."""
    of_team = session.scalars(select(StaffMember).where(StaffMember.organisation_id == organisation_id))
    return [member for member in of_team if not member.invited]
