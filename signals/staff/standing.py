"""Tell whether a team has activated accounts, somebody who can approve, and a privacy officer.

An invitation that nobody activated does not count. A disabled account does count for whether there is a team:
otherwise disabling a whole team would open the way in.
"""

import uuid
from typing import Final

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from signals.models import StaffMember
from signals.models.staff import NOT_ACTIVATED
from signals.vocabulary import Role

APPROVERS: Final = (Role.LEAD, Role.PRIVACY_OFFICER)


def is_live(session: Session, organisation_id: uuid.UUID | None) -> bool:
    """Tell whether an organisation has, or ever had, an activated account."""
    return _any(session, StaffMember.organisation_id == organisation_id, _activated())


def has_approver(session: Session, organisation_id: uuid.UUID | None, *, besides: str = "") -> bool:
    """Tell whether a lead or privacy officer without the address `besides` can decide a request."""
    return _any(
        session,
        StaffMember.organisation_id == organisation_id,
        StaffMember.role.in_(APPROVERS),
        StaffMember.email != besides,
        StaffMember.disabled_at.is_(None),
        _activated(),
    )


def has_lead(session: Session, organisation_id: uuid.UUID | None) -> bool:
    """Tell whether a lead of this organisation activated an account; without one it does not go live."""
    return _any(
        session,
        StaffMember.organisation_id == organisation_id,
        StaffMember.role == Role.LEAD,
        StaffMember.disabled_at.is_(None),
        _activated(),
    )


def has_officer(session: Session, organisation_id: uuid.UUID | None) -> bool:
    """Tell whether a privacy officer oversees this organisation; then no lead decides who does."""
    return _any(
        session,
        StaffMember.organisation_id == organisation_id,
        StaffMember.role == Role.PRIVACY_OFFICER,
        StaffMember.disabled_at.is_(None),
        _activated(),
    )


def _any(session: Session, *conditions: ColumnElement[bool]) -> bool:
    return bool(session.scalar(select(exists().where(*conditions))))


def _activated() -> ColumnElement[bool]:
    return StaffMember.totp_last_step.is_distinct_from(NOT_ACTIVATED)
