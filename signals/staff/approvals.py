"""Requests that wait: an administrator asks a team or a second administrator, and a lead asks the officer."""

import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.audit.log import Actor, require_role
from signals.clock import Clock
from signals.db import set_local
from signals.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from signals.models import Approval, StaffMember
from signals.operation import Operation
from signals.staff.accounts import problems_of_person, set_role, shut
from signals.staff.change_messages import (
    APPROVAL_DAYS,
    AccountSettings,
    notify,
    notify_administrators,
    notify_team,
)
from signals.staff.identity import normal_email
from signals.staff.invitations import Person, invite
from signals.staff.providers import set_provider
from signals.staff.recovery import open_again, recover
from signals.staff.standing import APPROVERS, has_approver, has_officer
from signals.vocabulary import ApprovalAction, AuditAction, Role

_MOST_SHOWN = 200
_OF_LEADS = (ApprovalAction.ROLE, ApprovalAction.DISABLE, ApprovalAction.CONNECT)


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


def ask(operation: Operation, *, person: Person, action: ApprovalAction) -> Approval:
    """Ask the team of a person for an action; a request that waits already is returned.

    Another administrator decides who becomes an administrator. Raises `NobodyToApprove` when an administrator
    asks a team without another lead or privacy officer, or is the only administrator.
    """
    session, actor = operation.session, operation.actor
    email = normal_email(person.email)
    team = person.organisation_id
    alone = team is None and only_administrator(operation, actor.id)
    if alone or (team and action not in _OF_LEADS and not has_approver(session, team, besides=email)):
        raise NobodyToApprove
    approval = Approval(
        organisation_id=team,
        by_administrators=team is None,
        action=action,
        role=None if action is ApprovalAction.DISABLE else person.role,
        email=email,
        name=person.name.strip(),
        asked_by_id=actor.id,
    )
    if (before := _asked_before(operation, approval)) is not None:
        return before
    ground = Ground.RESET if action is ApprovalAction.RESET else Ground.GRANT
    add_request(operation, approval, ground)
    notify_team(operation, team, besides=actor.id)
    if team is None:
        notify_administrators(operation, None)
    return approval


def add_request(operation: Operation, approval: Approval, ground: Ground) -> Approval:
    """Store a request, or return the same one that waits. Raises `NobodyToApprove` for a dead team."""
    before = _asked_before(operation, approval)
    if before is not None:
        return before
    team = approval.organisation_id
    if not approval.by_administrators and not has_approver(operation.session, team):
        raise NobodyToApprove
    approval.asked_at, approval.decision = operation.now, "asked"
    set_local(operation.session, towards=str(team or ""))  # row-level security: another team decides
    operation.session.add(approval)
    operation.session.flush()
    _record(operation, approval, AuditAction.APPROVAL_ASKED, ground)
    return approval


def only_administrator(operation: Operation, administrator_id: uuid.UUID | None) -> bool:
    """Tell whether nobody beside this administrator acts as one, or did in the last 30 days.

    So nobody becomes the only one by shutting the other out.
    """
    since = operation.now - timedelta(days=30)
    others = select(StaffMember.id).where(
        StaffMember.role == Role.ADMINISTRATOR,
        StaffMember.id != administrator_id,
        StaffMember.disabled_at.is_(None) | (StaffMember.disabled_at > since),
    )
    return operation.session.scalar(others.limit(1)) is None


def refuse_wrong_person(operation: Operation, person: Person) -> None:
    """Raise `Invalid` for a new person with a wrong name, or with a wrong or taken address."""
    session, actor = operation.session, operation.actor
    problems = list(problems_of_person(session, actor=actor, name=person.name, email=person.email))
    if problems:
        raise Invalid(*problems)


def decide(
    operation: Operation,
    *,
    settings: AccountSettings,
    approval_id: uuid.UUID,
    approve: bool,
    cover: Callable[[Operation, Approval], object],
) -> Approval:
    """Approve or decline a request (see `may_decide`).

    An approved person gets a link by mail; `cover` carries out an approved area or system. Raises
    `Forbidden`, `NotFound` for another organisation's request, `AlreadyDecided`, and `Invalid` for a taken
    address.
    """
    require_role(operation.actor, *APPROVERS, Role.ADMINISTRATOR)
    approval = _waiting(operation, approval_id)
    record_decision(operation, approval, approve=approve)
    if approve and approval.action in (ApprovalAction.COVER, ApprovalAction.CONNECT):
        cover(operation, approval)
    elif approve:
        _carry_out(operation, settings, approval)
    notify_team(operation, approval.organisation_id, besides=operation.actor.id)
    if approval.by_administrators:
        notify_administrators(operation, approval.organisation_id)
    else:
        _notify_asker(operation, approval)
    return approval


def record_decision(operation: Operation, approval: Approval, *, approve: bool) -> None:
    """Record a decision, without a check of who decides."""
    approval.decision = "approved" if approve else "declined"
    approval.decided_by_id, approval.decided_at = operation.actor.id, operation.now
    _record(operation, approval, AuditAction.APPROVAL_DECIDED, Ground(approval.decision))


def may_decide(session: Session, *, actor: Actor, approval: Approval) -> bool:
    """Tell whether the actor may decide a request: a lead or privacy officer, not about themselves.

    Only the privacy officer decides who oversees the team. That includes a request to go themselves.
    Another administrator decides where no team loses anything.
    """
    if actor.id == approval.asked_by_id:
        return False
    if actor.role == Role.ADMINISTRATOR:
        return approval.by_administrators
    if actor.organisation_id != approval.organisation_id:
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
        Approval.organisation_id.is_not_distinct_from(new.organisation_id),
        Approval.subject_id.is_not_distinct_from(new.subject_id),
        Approval.action == new.action,
        Approval.role.is_not_distinct_from(new.role),
        Approval.email == new.email,
        Approval.decision == "asked",
    )
    found = operation.session.scalars(query)
    same = (one for one in found if one.change == new.change and not is_over(one, operation.clock))
    return next(same, None)


def _waiting(operation: Operation, approval_id: uuid.UUID) -> Approval:
    session, actor = operation.session, operation.actor
    approval = session.scalar(select(Approval).where(Approval.id == approval_id).with_for_update())
    of_team = approval is not None and approval.organisation_id == actor.organisation_id
    if approval is None or not (of_team or actor.role == Role.ADMINISTRATOR):
        raise NotFound
    if not may_decide(session, actor=actor, approval=approval):
        raise Forbidden
    if is_over(approval, operation.clock):
        raise AlreadyDecided
    return approval


def _carry_out(operation: Operation, settings: AccountSettings, approval: Approval) -> None:
    action, member = approval.action, _by_email(operation.session, approval.email)
    of_team = member is not None and member.organisation_id == approval.organisation_id
    if action is ApprovalAction.PROVIDER:
        set_provider(operation, approval)
    elif action is ApprovalAction.GRANT or (action is ApprovalAction.ROLE and not of_team):
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
        organisation_id=approval.organisation_id, role=approval.role, name=approval.name, email=approval.email
    )


def _record(operation: Operation, approval: Approval, action: AuditAction, ground: Ground) -> None:
    operation.record(action, subject_id=approval.id, ground=ground, organisation_id=approval.organisation_id)


def _notify_asker(operation: Operation, approval: Approval) -> None:
    """Notify an administrator who asked; a lead who asked gets the team's message."""
    asker = operation.session.get(StaffMember, approval.asked_by_id)
    if asker is not None and asker.disabled_at is None and asker.organisation_id is None:
        notify(operation, [asker], approval.organisation_id, "/admin/approvals")
