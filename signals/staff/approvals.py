"""Requests that wait for a team: an administrator asks the team, and a lead asks its privacy officer."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.audit.log import Actor, require_role
from signals.clock import Clock
from signals.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from signals.models import Approval, StaffMember
from signals.operation import Operation
from signals.staff.accounts import problems_of_person, set_role, shut
from signals.staff.change_messages import APPROVAL_DAYS, AccountSettings, notify, notify_team
from signals.staff.identity import normal_email
from signals.staff.invitations import Person, invite
from signals.staff.recovery import open_again, recover
from signals.staff.standing import APPROVERS, has_approver, has_officer
from signals.vocabulary import ApprovalAction, AuditAction, Role

_MOST_SHOWN = 200
_OF_LEADS = (ApprovalAction.ROLE, ApprovalAction.DISABLE)


class AlreadyDecided(Conflict):
    """This request was decided before, or waited for too long."""

    code = "already_decided"


class NobodyToApprove(Conflict):
    """Nobody is left in the team who could approve this: the way on is a command on the server."""

    code = "nobody_to_approve"


def approvals(session: Session, *, organisation_id: uuid.UUID | None) -> Sequence[Approval]:
    """Return requests of one organisation or (None) of all: waiting ones first, then the newest."""
    query = select(Approval).order_by(Approval.decision != "asked", Approval.asked_at.desc(), Approval.id)
    if organisation_id is not None:
        query = query.where(Approval.organisation_id == organisation_id)
    return session.scalars(query.limit(_MOST_SHOWN)).all()


def waiting_approvals(session: Session, clock: Clock, *, organisation_id: uuid.UUID) -> int:
    """Return how many requests about one organisation somebody can still decide."""
    since = clock.now() - timedelta(days=APPROVAL_DAYS)
    query = select(func.count()).select_from(Approval).where(Approval.organisation_id == organisation_id)
    return session.scalar(query.where(Approval.decision == "asked", Approval.asked_at >= since)) or 0


def ask(
    operation: Operation, *, settings: AccountSettings, person: Person, action: ApprovalAction
) -> Approval:
    """Ask the team of a person for an action; a request that waits already is returned.

    Raises `NobodyToApprove` when an administrator asks a team without another lead or privacy officer.
    """
    session, actor = operation.session, operation.actor
    if actor.id is None or person.organisation_id is None:
        raise Forbidden
    email = normal_email(person.email)
    if action not in _OF_LEADS and not has_approver(session, person.organisation_id, besides=email):
        raise NobodyToApprove
    approval = Approval(
        organisation_id=person.organisation_id,
        action=action,
        role=None if action is ApprovalAction.DISABLE else person.role,
        email=email,
        name=person.name.strip(),
        asked_by_id=actor.id,
        asked_at=operation.now,
        decision="asked",
    )
    before = _asked_before(operation, approval)
    if before is not None:
        return before
    session.add(approval)
    session.flush()
    ground = Ground.RESET if action is ApprovalAction.RESET else Ground.GRANT
    _record(operation, approval, AuditAction.APPROVAL_ASKED, ground)
    notify_team(operation, settings, person.organisation_id, besides=actor.id)
    return approval


def refuse_wrong_person(session: Session, person: Person) -> None:
    """Raise `Invalid` for a new person with a wrong name, or with a wrong or taken address."""
    problems = list(problems_of_person(session, name=person.name, email=person.email))
    if problems:
        raise Invalid(*problems)


def decide(
    operation: Operation, *, settings: AccountSettings, approval_id: uuid.UUID, approve: bool
) -> Approval:
    """Approve or decline a request as lead or privacy officer of the organisation (see `may_decide`).

    An approved person gets a link by mail. Raises `NotFound` for another organisation's request, `Forbidden`,
    `AlreadyDecided`, and `Invalid` when somebody took the address meanwhile.
    """
    require_role(operation.actor, *APPROVERS)
    approval = _waiting(operation, approval_id)
    approval.decision = "approved" if approve else "declined"
    approval.decided_by_id, approval.decided_at = operation.actor.id, operation.now
    _record(operation, approval, AuditAction.APPROVAL_DECIDED, Ground(approval.decision))
    if approve:
        _carry_out(operation, settings, approval)
    notify_team(operation, settings, approval.organisation_id, besides=operation.actor.id)
    _notify_asker(operation, settings, approval)
    return approval


def may_decide(session: Session, *, actor: Actor, approval: Approval) -> bool:
    """Tell whether the actor may decide a request: a lead or privacy officer, not about themselves.

    Only the privacy officer decides who oversees the team. That includes a request to go themselves.
    """
    if actor.id == approval.asked_by_id:
        return False
    if is_for_officer(session, approval):
        return actor.role == Role.PRIVACY_OFFICER
    member = session.get(StaffMember, actor.id)
    return actor.role in APPROVERS and (member is None or approval.email != member.email)


def is_for_officer(session: Session, approval: Approval) -> bool:
    """Tell whether the privacy officer decides a request: a lead's, or one about another officer."""
    overseen = approval.role is Role.PRIVACY_OFFICER and has_officer(session, approval.organisation_id)
    return approval.action in _OF_LEADS or overseen


def is_over(approval: Approval, clock: Clock) -> bool:
    """Tell whether a request no longer waits: decided, or older than `APPROVAL_DAYS`."""
    return approval.decision != "asked" or clock.now() - approval.asked_at > timedelta(days=APPROVAL_DAYS)


def _asked_before(operation: Operation, new: Approval) -> Approval | None:
    query = select(Approval).where(
        Approval.organisation_id == new.organisation_id,
        Approval.action == new.action,
        Approval.role.is_not_distinct_from(new.role),
        Approval.email == new.email,
        Approval.decision == "asked",
    )
    found = operation.session.scalars(query)
    return next((one for one in found if not is_over(one, operation.clock)), None)


def _waiting(operation: Operation, approval_id: uuid.UUID) -> Approval:
    session, actor = operation.session, operation.actor
    query = select(Approval).where(
        Approval.id == approval_id, Approval.organisation_id == actor.organisation_id
    )
    approval = session.scalar(query.with_for_update())
    if approval is None:
        raise NotFound
    if not may_decide(session, actor=actor, approval=approval):
        raise Forbidden
    if is_over(approval, operation.clock):
        raise AlreadyDecided
    return approval


def _carry_out(operation: Operation, settings: AccountSettings, approval: Approval) -> None:
    action, member = approval.action, _by_email(operation.session, approval.email)
    of_team = member is not None and member.organisation_id == approval.organisation_id
    if action is ApprovalAction.GRANT or (action is ApprovalAction.ROLE and not of_team):
        invite(operation, settings=settings, person=_person(approval), approval=approval)
    elif member is None or not of_team:
        raise AlreadyDecided
    elif action is ApprovalAction.DISABLE:
        shut(operation, member)
    elif action is ApprovalAction.RESET:
        if member.disabled_at is not None:
            raise AlreadyDecided
        recover(operation, settings=settings, member=member, approval=approval)
    else:
        _give_role(operation, settings, approval, member)


def _give_role(
    operation: Operation, settings: AccountSettings, approval: Approval, member: StaffMember
) -> None:
    role = _person(approval).role
    if member.disabled_at is None:
        set_role(operation, member, role)
    elif role is member.role:
        open_again(operation, settings=settings, member=member, approval=approval)
    else:
        raise AlreadyDecided


def _by_email(session: Session, email: str) -> StaffMember | None:
    """Lock the account with this address and read it afresh."""
    query = select(StaffMember).where(StaffMember.email == email).with_for_update(of=StaffMember)
    return session.scalar(query.execution_options(populate_existing=True))


def _person(approval: Approval) -> Person:
    if approval.role is None:
        raise Invalid(FieldProblem(field="role", code="required"))
    return Person(
        organisation_id=approval.organisation_id,
        role=approval.role,
        name=approval.name,
        email=approval.email,
    )


def _record(operation: Operation, approval: Approval, action: AuditAction, ground: Ground) -> None:
    operation.record(action, subject_id=approval.id, ground=ground, organisation_id=approval.organisation_id)


def _notify_asker(operation: Operation, settings: AccountSettings, approval: Approval) -> None:
    """Notify an administrator who asked; a lead who asked gets the team's message."""
    asker = operation.session.get(StaffMember, approval.asked_by_id)
    if asker is not None and asker.disabled_at is None and asker.organisation_id is None:
        notify(operation, [asker], approval.organisation_id, f"{settings.site}/admin/approvals")
