"""Invite a person: add an account that nobody can enter yet, and mail its owner a link to set it up."""

import uuid
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.orm import Session

from privacy.passwords import PasswordHasherSettings, unusable_password
from privacy.totp import new_totp_secret
from signals.audit.log import SYSTEM
from signals.errors import Forbidden
from signals.models import Approval, StaffMember
from signals.models.staff import NOT_ACTIVATED
from signals.operation import Operation
from signals.staff.accounts import add_staff
from signals.staff.change_messages import AccountSettings
from signals.staff.recovery import approves, mail_link
from signals.staff.standing import has_officer, is_live
from signals.vocabulary import ApprovalAction, Role

INVITED_BY_LEADS: Final = frozenset({Role.WORKER, Role.LEAD, Role.PRIVACY_OFFICER})

_NO_WORK: Final = PasswordHasherSettings(memory_kib=8, time_cost=1)
"""Cost of a hash that is replaced at once."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """A person to invite; `organisation_id` is None for a coordinator or an administrator."""

    organisation_id: uuid.UUID | None
    role: Role
    name: str
    email: str = field(repr=False)
    language: str = "nl"


def invite(
    operation: Operation, *, settings: AccountSettings, person: Person, approval: Approval | None = None
) -> StaffMember:
    """Add an account and mail its owner a link.

    A lead invites workers, leads and the first privacy officer of the own organisation. An administrator
    invites coordinators, and the first lead of an organisation without activated accounts. Anybody else needs
    an `approval` for this role and address: of the organisation, or of a second administrator.
    Raises `Forbidden`, and `Invalid` as `add_staff` does.
    """
    if not _may_invite(operation, person, approval):
        raise Forbidden
    member = add_staff(
        operation,
        organisation_id=person.organisation_id,
        role=person.role,
        name=person.name,
        email=person.email,
        password=new_totp_secret(),  # long enough for the check; the next lines replace its hash
        language=person.language,
        hasher=_NO_WORK,
    ).member
    member.password_hash = unusable_password(settings.hasher)
    member.totp_last_step = NOT_ACTIVATED
    mail_link(operation, settings, member, "invitation")
    return member


def _may_invite(operation: Operation, person: Person, approval: Approval | None) -> bool:
    session, actor = operation.session, operation.actor
    own = person.organisation_id is not None and person.organisation_id == actor.organisation_id
    return (
        actor == SYSTEM
        or approves(
            approval,
            ApprovalAction.GRANT,
            ApprovalAction.ROLE,
            organisation_id=person.organisation_id,
            email=person.email,
            role=person.role,
        )
        or (actor.role == Role.LEAD and own and _is_for_leads(session, person))
        or (actor.role == Role.ADMINISTRATOR and _is_for_administrators(session, person))
    )


def _is_for_administrators(session: Session, person: Person) -> bool:
    if person.organisation_id is None:
        return person.role is Role.COORDINATOR
    return person.role is Role.LEAD and not is_live(session, person.organisation_id)


def _is_for_leads(session: Session, person: Person) -> bool:
    """Tell whether a lead may invite this person; an overseen team has another rule (art. 38(3) AVG)."""
    overseen = person.role is Role.PRIVACY_OFFICER and has_officer(session, person.organisation_id)
    return person.role in INVITED_BY_LEADS and not overseen
