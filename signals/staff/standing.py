"""Who of a team counts: who ever took the account up, who can approve, and whether somebody oversees it.

An invitation that nobody took up is nobody: it makes no team, approves nothing and oversees nothing. Whoever
was shut out does count for whether there is a team: else shutting a team out would open the way in.
"""

import uuid
from typing import Final

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from signals.models import StaffMember
from signals.models.staff import NOT_TAKEN_UP
from signals.vocabulary import Role

APPROVERS: Final = (Role.LEAD, Role.PRIVACY_OFFICER)


def is_live(session: Session, organisation_id: uuid.UUID | None) -> bool:
    """Whether an organisation has, or ever had, somebody who took the account up."""
    return _any(session, StaffMember.organisation_id == organisation_id, _taken_up())


def has_approver(session: Session, organisation_id: uuid.UUID | None, *, besides: str = "") -> bool:
    """Whether a lead or privacy officer can answer a request; `besides`: the address whom it is about."""
    return _any(
        session,
        StaffMember.organisation_id == organisation_id,
        StaffMember.role.in_(APPROVERS),
        StaffMember.email != besides,
        StaffMember.disabled_at.is_(None),
        _taken_up(),
    )


def has_officer(session: Session, organisation_id: uuid.UUID | None) -> bool:
    """Whether a privacy officer oversees this organisation: from then on no lead decides who does."""
    return _any(
        session,
        StaffMember.organisation_id == organisation_id,
        StaffMember.role == Role.PRIVACY_OFFICER,
        StaffMember.disabled_at.is_(None),
        _taken_up(),
    )


def _any(session: Session, *conditions: ColumnElement[bool]) -> bool:
    return bool(session.scalar(select(exists().where(*conditions))))


def _taken_up() -> ColumnElement[bool]:
    return StaffMember.totp_last_step.is_distinct_from(NOT_TAKEN_UP)
