"""Invite, recover and shut out members of a team, at once or by a request for approval.

An administrator invites the first lead of an organisation in which nobody activated an account. After that,
an administrator's grant or reset waits for the team's lead or privacy officer, and both are notified. A lead
of a team with a privacy officer only asks for another officer, for another role of the officer, and to shut
the officer out. The officer decides (art. 38(3) AVG).
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, time, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.audit.log import require_role
from signals.clock import AMSTERDAM
from signals.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from signals.lifecycle.deadlines import working_days_before
from signals.models import Approval, AuditEntry, Organisation, StaffMember
from signals.models.staff import NOT_ACTIVATED
from signals.operation import Operation
from signals.staff import accounts
from signals.staff.approvals import ask, refuse_wrong_person
from signals.staff.change_messages import AccountSettings, notify_administrators, notify_team
from signals.staff.identity import normal_email
from signals.staff.invitations import INVITED_BY_LEADS, Person, invite
from signals.staff.recovery import open_again, recover
from signals.staff.standing import APPROVERS, has_officer, is_live
from signals.vocabulary import ApprovalAction, AuditAction, Role

SHUT_OUT_DAYS: Final = 3
"""Working days between shutting out two leads or officers of one team."""


class ShutOutTooSoon(Conflict):
    """The same person shut out another lead or privacy officer of this team in the last working days."""

    code = "shut_out_too_soon"


def members(session: Session, *, organisation_id: uuid.UUID | None) -> Sequence[StaffMember]:
    """Return everybody of an organisation (None: of no organisation), disabled accounts last."""
    query = (
        select(StaffMember)
        .where(StaffMember.organisation_id == organisation_id)
        .order_by(StaffMember.disabled_at.is_not(None), StaffMember.name, StaffMember.id)
    )
    return session.scalars(query).all()


def grant(operation: Operation, *, settings: AccountSettings, person: Person) -> StaffMember | Approval:
    """Invite a person, or ask for approval.

    The lead of the team invites at once, and so does an administrator where there is no team yet. An
    administrator asks a live team, and a lead asks the privacy officer for another one.
    Raises `Forbidden` for a role that the actor cannot give, `Invalid` for a wrong or taken address, and
    `NobodyToApprove`.
    """
    session, actor = operation.session, operation.actor
    if actor.role == Role.ADMINISTRATOR and person.organisation_id is not None:
        return _grant_to_team(operation, settings, person)
    if actor.role == Role.ADMINISTRATOR and person.role is Role.ADMINISTRATOR:
        refuse_wrong_person(operation, person)
        return ask(operation, person=person, action=ApprovalAction.GRANT)
    own = person.organisation_id is not None and person.organisation_id == actor.organisation_id
    if actor.role == Role.LEAD and own and _needs_officer(session, person.organisation_id, person.role):
        _lock_organisation(session, person.organisation_id)
        refuse_wrong_person(operation, person)
        return ask(operation, person=person, action=ApprovalAction.ROLE)
    return invite(operation, settings=settings, person=person)


def reset(operation: Operation, *, settings: AccountSettings, member_id: uuid.UUID) -> StaffMember | Approval:
    """Recover the account of somebody who lost password or phone, or ask for approval.

    The lead of the same team recovers at once, but not the own account. An administrator asks the team, or
    recovers at once where nobody activated an account. Raises `Forbidden` and `NobodyToApprove`.
    """
    member = find_member(operation, member_id)
    if member.id == operation.actor.id or member.disabled_at is not None:
        raise Forbidden
    of_live_team = member.organisation_id is not None and is_live(operation.session, member.organisation_id)
    if operation.actor.role == Role.ADMINISTRATOR and of_live_team:
        return ask(operation, person=_person(member), action=ApprovalAction.RESET)
    recover(operation, settings=settings, member=member)
    if member.role is Role.ADMINISTRATOR:
        notify_administrators(operation, None)
    return member


def disable(operation: Operation, *, member_id: uuid.UUID) -> StaffMember | Approval:
    """Shut somebody out at once, as lead of the team or as administrator, and notify the team.

    A lead asks the privacy officer to shut the privacy officer out. Raises `ShutOutTooSoon`: one person does
    not take all approvers of a team away at once.
    """
    member = find_member(operation, member_id)
    if member.id == operation.actor.id:
        raise Forbidden
    asks = operation.actor.role == Role.LEAD and member.disabled_at is None
    if asks and _needs_officer(operation.session, member.organisation_id, member.role):
        return ask(operation, person=_person(member), action=ApprovalAction.DISABLE)
    _refuse_both_approvers(operation, member)
    accounts.disable(operation, member)
    notify_team(operation, member.organisation_id, besides=operation.actor.id)
    if member.role is Role.ADMINISTRATOR:
        notify_administrators(operation, None)
    return member


def reopen(
    operation: Operation, *, settings: AccountSettings, member_id: uuid.UUID
) -> StaffMember | Approval:
    """Enable a disabled account of the lead's team again, by a mailed link, and notify the team.

    For a privacy officer beside another one the lead asks. The earlier password, authenticator and passkeys
    stay useless, and released signals stay with the team. Raises `Forbidden`, also for an emptied account.
    """
    require_role(operation.actor, Role.LEAD)
    member = find_member(operation, member_id)
    if member.id == operation.actor.id or not member.password_hash:
        raise Forbidden
    if member.disabled_at is None:
        return member
    if _needs_officer(operation.session, member.organisation_id, member.role):
        return ask(operation, person=_person(member), action=ApprovalAction.ROLE)
    open_again(operation, settings=settings, member=member)
    notify_team(operation, member.organisation_id, besides=operation.actor.id)
    return member


def change_role(operation: Operation, *, member_id: uuid.UUID, role: Role) -> StaffMember | Approval:
    """Give a member of the lead's team another role, end all sessions, and notify the team.

    A lead cannot change the own role, so a team keeps a lead. Where an officer oversees the team, the lead
    asks for a role change from or to privacy officer. A role without signals releases the person's signals.
    Raises `Forbidden`, also for a disabled account, and `Invalid` for a role that no lead gives.
    """
    require_role(operation.actor, Role.LEAD)
    member = find_member(operation, member_id)
    if member.id == operation.actor.id or member.disabled_at is not None:
        raise Forbidden
    if role not in INVITED_BY_LEADS:
        raise Invalid(FieldProblem(field="role", code="not_a_choice"))
    if member.role is role:
        return member
    if _needs_officer(operation.session, member.organisation_id, role, member.role):
        person = _person(member, role)
        return ask(operation, person=person, action=ApprovalAction.ROLE)
    accounts.set_role(operation, member, role)
    notify_team(operation, member.organisation_id, besides=operation.actor.id)
    return member


def rescue(operation: Operation, *, settings: AccountSettings, member: StaffMember) -> None:
    """Mail somebody a link to set the account up again, as operator, also for a disabled account.

    This is for a team in which nobody can approve. The team and every administrator are notified.
    Raises `Forbidden` for an emptied account.
    """
    if not member.password_hash:
        raise Forbidden
    _let_in_again(operation, settings, member)
    notify_team(operation, member.organisation_id, besides=member.id)
    notify_administrators(operation, member.organisation_id)


def find_member(operation: Operation, member_id: uuid.UUID) -> StaffMember:
    """Return a member of the actor's team, or for an administrator anybody. Raises `NotFound`.

    The function locks the account and the actor's. It raises `Forbidden` when the actor lost the account or
    the role meanwhile. So two leads cannot shut each other out.
    """
    actor = operation.actor
    found = _locked(operation.session, {member_id, actor.id})
    acting, member = found.get(actor.id), found.get(member_id)
    if acting is not None and (acting.disabled_at is not None or acting.role != actor.role):
        raise Forbidden
    own = member is not None and member.organisation_id is not None
    if member is None or (
        actor.role != Role.ADMINISTRATOR and not (own and member.organisation_id == actor.organisation_id)
    ):
        raise NotFound
    return member


def _refuse_both_approvers(operation: Operation, member: StaffMember) -> None:
    """Raise `ShutOutTooSoon` when the actor shut out another lead or officer of this team a moment ago."""
    if member.role not in APPROVERS or member.invited:
        return
    first_day = working_days_before(operation.today, SHUT_OUT_DAYS) + timedelta(days=1)
    since = datetime.combine(first_day, time(), AMSTERDAM)
    lately = select(AuditEntry.subject_id).where(
        AuditEntry.action == AuditAction.STAFF_CHANGED,
        AuditEntry.ground == Ground.DISABLED,
        AuditEntry.organisation_id == member.organisation_id,
        AuditEntry.actor_id == operation.actor.id,
        AuditEntry.at >= since,
    )
    others = select(StaffMember.id).where(
        StaffMember.id.in_(lately),
        StaffMember.id != member.id,
        StaffMember.role.in_(APPROVERS),
        StaffMember.disabled_at.is_not(None),
        StaffMember.totp_last_step.is_distinct_from(NOT_ACTIVATED),
    )
    if operation.session.scalar(others.limit(1)) is not None:
        raise ShutOutTooSoon


def _locked(session: Session, ids: Collection[uuid.UUID | None]) -> dict[uuid.UUID | None, StaffMember]:
    """Lock these accounts in order of id, so that two requests never wait for each other."""
    query = select(StaffMember).where(StaffMember.id.in_(ids)).order_by(StaffMember.id)
    locking = query.with_for_update(of=StaffMember).execution_options(populate_existing=True)
    return {member.id: member for member in session.scalars(locking)}


def _grant_to_team(operation: Operation, settings: AccountSettings, person: Person) -> StaffMember | Approval:
    """Invite the first lead, or ask the team for another member."""
    session = operation.session
    # The lock lets the second of two first invitations see the first.
    if not _lock_organisation(session, person.organisation_id):
        raise Invalid(FieldProblem(field="organisation_id", code="invalid_value"))
    if person.role not in INVITED_BY_LEADS:
        raise Invalid(FieldProblem(field="role", code="not_a_choice"))
    invited = _locked(session, _invited(session, person.organisation_id))
    if is_live(session, person.organisation_id):
        refuse_wrong_person(operation, person)
        return ask(operation, person=person, action=ApprovalAction.GRANT)
    return _first_lead(operation, settings, person, invited.values())


def _first_lead(
    operation: Operation, settings: AccountSettings, person: Person, invited: Collection[StaffMember]
) -> StaffMember:
    """Invite the first lead and end earlier invitations, which may have gone to a wrong address."""
    address = normal_email(person.email)
    again = next((one for one in invited if one.email == address and person.role is one.role), None)
    for other in invited:
        if other is not again:
            accounts.disable(operation, other)
    if again is None:
        return invite(operation, settings=settings, person=person)
    again.name, again.language = person.name.strip(), person.language
    _let_in_again(operation, settings, again)
    return again


def _let_in_again(operation: Operation, settings: AccountSettings, member: StaffMember) -> None:
    if member.disabled_at is None:
        recover(operation, settings=settings, member=member)
    else:
        open_again(operation, settings=settings, member=member)


def _invited(session: Session, organisation_id: uuid.UUID | None) -> Collection[uuid.UUID]:
    """Return the ids of invited people of an organisation who have not activated their account."""
    query = select(StaffMember.id).where(
        StaffMember.organisation_id == organisation_id, StaffMember.totp_last_step == NOT_ACTIVATED
    )
    return session.scalars(query).all()


def _needs_officer(session: Session, organisation_id: uuid.UUID | None, *roles: Role) -> bool:
    """Tell whether a privacy officer decides a change from or to these roles."""
    return Role.PRIVACY_OFFICER in roles and has_officer(session, organisation_id)


def _lock_organisation(session: Session, organisation_id: uuid.UUID | None) -> bool:
    """Lock an organisation until this transaction ends; tell whether it exists."""
    return session.get(Organisation, organisation_id, with_for_update={"of": Organisation}) is not None


def _person(member: StaffMember, role: Role | None = None) -> Person:
    return Person(
        organisation_id=member.organisation_id, role=role or member.role, name=member.name, email=member.email
    )
