"""What waits for a team's approval: what an administrator asks of a team, and a lead of its privacy officer.

An `Approval` of an administrator is a `grant` (a new account) or a `reset`. One that a lead of the team asks
is a `grant` too: of a role, to somebody new or of the team, or (without a role) of none, which shuts out.
"""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from signals.audit.log import Actor, require_role
from signals.clock import Clock
from signals.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from signals.models import Approval, StaffMember
from signals.staff import accounts, changes
from signals.staff.identity import normal_email
from signals.staff.office import APPROVAL_DAYS, Office, Person, tell, tell_team
from signals.staff.recovery import recover
from signals.staff.standing import APPROVERS, has_approver, has_officer
from signals.vocabulary import AuditAction, Role

Wanted = Literal["grant", "reset", "role", "disable"]


class AlreadyDecided(Conflict):
    """This request was decided before, or waited for too long."""

    code = "already_decided"


class NobodyToApprove(Conflict):
    """Nobody is left in the team who could approve this: the way on is a command on the server."""

    code = "nobody_to_approve"


def approvals(session: Session, *, organisation_id: uuid.UUID | None) -> Sequence[Approval]:
    """Requests of one organisation, or (None) of all, those that wait first, then the newest."""
    query = select(Approval).order_by(Approval.decision != "asked", Approval.asked_at.desc(), Approval.id)
    if organisation_id is not None:
        query = query.where(Approval.organisation_id == organisation_id)
    return session.scalars(query.limit(200)).all()


def waiting_approvals(session: Session, clock: Clock, *, organisation_id: uuid.UUID) -> int:
    """Return how many requests about one organisation somebody can still decide."""
    since = clock.now() - timedelta(days=APPROVAL_DAYS)
    query = select(func.count()).select_from(Approval).where(Approval.organisation_id == organisation_id)
    return session.scalar(query.where(Approval.decision == "asked", Approval.asked_at >= since)) or 0


def ask_team(
    session: Session, clock: Clock, *, office: Office, actor: Actor, person: Person, action: str
) -> Approval:
    """An administrator's `grant` or `reset`, for the team's lead or privacy officer to decide.

    Raises `NobodyToApprove` where there is neither besides whom it is about.
    """
    if not has_approver(session, person.organisation_id, besides=normal_email(person.email)):
        raise NobodyToApprove
    return _ask(session, clock, office, actor, person, action, person.role)


def ask_officer(
    session: Session, clock: Clock, *, office: Office, actor: Actor, person: Person, role: Role | None
) -> Approval:
    """A lead's wish about a privacy officer: `role` for somebody new or of the team, None to shut out."""
    return _ask(session, clock, office, actor, person, "grant", role)


def refuse_wrong_person(session: Session, person: Person) -> None:
    """Raise `Invalid` for somebody new with a wrong name, or a wrong or taken address."""
    problems = []
    if not 1 <= len(person.name.strip()) <= 120:
        problems.append(FieldProblem(field="name", code="out_of_range"))
    if accounts.checked_email(person.email) is None:
        problems.append(FieldProblem(field="email", code="invalid"))
    elif by_email(session, person.email) is not None:
        problems.append(FieldProblem(field="email", code="taken"))
    if problems:
        raise Invalid(*problems)


def decide(
    session: Session, clock: Clock, *, office: Office, actor: Actor, approval_id: uuid.UUID, approve: bool
) -> Approval:
    """Approve or decline as lead or privacy officer of the organisation (see `may_decide`).

    Who is let in gets a link by mail. Raises `NotFound` for another organisation's request, `Forbidden`,
    `AlreadyDecided`, and `Invalid` when the address was taken meanwhile.
    """
    require_role(actor, *APPROVERS)
    approval = _waiting(session, clock, actor, approval_id)
    approval.decision = "approved" if approve else "declined"
    approval.decided_by_id, approval.decided_at = actor.id, clock.now()
    _record(session, clock, office, actor, approval, AuditAction.APPROVAL_DECIDED, approval.decision)
    if approve:
        _carry_out(session, clock, office, actor, approval)
    tell_team(session, clock, office, approval.organisation_id, besides=actor.id)
    _tell_asker(session, clock, office, approval)
    return approval


def may_decide(session: Session, *, actor: Actor, approval: Approval) -> bool:
    """Whether a request is this person's to decide: lead or privacy officer, and not about oneself.

    Who oversees is decided by the privacy officer alone, also about oneself: an only one may agree to go.
    """
    if actor.id == approval.asked_by_id:
        return False
    if is_for_officer(session, approval):
        return actor.role == Role.PRIVACY_OFFICER
    member = session.get(StaffMember, actor.id)
    return actor.role in APPROVERS and (member is None or approval.email != member.email)


def is_for_officer(session: Session, approval: Approval) -> bool:
    """Whether a lead asked it, or an administrator asks for a privacy officer where there is one."""
    if wanted(session, approval) in ("role", "disable"):
        return True
    return approval.role is Role.PRIVACY_OFFICER and has_officer(session, approval.organisation_id)


def wanted(session: Session, approval: Approval) -> Wanted:
    """What is asked: a new account, a reset, a role for somebody (new or not), or to shut somebody out."""
    if approval.action == "reset":
        return "reset"
    if session.get_one(StaffMember, approval.asked_by_id).organisation_id is None:
        return "grant"
    return "role" if approval.role else "disable"


def is_over(approval: Approval, clock: Clock) -> bool:
    """Whether a request no longer waits: decided, or older than `APPROVAL_DAYS`."""
    return approval.decision != "asked" or clock.now() - approval.asked_at > timedelta(days=APPROVAL_DAYS)


def by_email(session: Session, email: str) -> StaffMember | None:
    """Who has this address, locked and read afresh."""
    query = (
        select(StaffMember).where(StaffMember.email == normal_email(email)).with_for_update(of=StaffMember)
    )
    return session.scalar(query.execution_options(populate_existing=True))


def _ask(
    session: Session,
    clock: Clock,
    office: Office,
    actor: Actor,
    person: Person,
    action: str,
    role: Role | None,
) -> Approval:
    """The request; what waits already is asked once."""
    assert actor.id is not None
    assert person.organisation_id is not None
    approval = Approval(
        organisation_id=person.organisation_id,
        action=action,
        role=role,
        email=normal_email(person.email),
        name=person.name.strip(),
        asked_by_id=actor.id,
        asked_at=clock.now(),
        decision="asked",
    )
    before = _asked_before(session, clock, approval)
    if before is not None:
        return before
    session.add(approval)
    session.flush()
    _record(session, clock, office, actor, approval, AuditAction.APPROVAL_ASKED, action)
    tell_team(session, clock, office, person.organisation_id, besides=actor.id)
    return approval


def _asked_before(session: Session, clock: Clock, new: Approval) -> Approval | None:
    """The same that waits: of the team's own leads or of administrators, for these mean different things."""
    query = select(Approval).where(
        Approval.organisation_id == new.organisation_id,
        Approval.action == new.action,
        Approval.role.is_not_distinct_from(new.role),
        Approval.email == new.email,
        Approval.decision == "asked",
    )
    found = [one for one in session.scalars(query) if not is_over(one, clock)]
    return next((one for one in found if wanted(session, one) == wanted(session, new)), None)


def _waiting(session: Session, clock: Clock, actor: Actor, approval_id: uuid.UUID) -> Approval:
    query = select(Approval).where(
        Approval.id == approval_id, Approval.organisation_id == actor.organisation_id
    )
    approval = session.scalar(query.with_for_update())
    if approval is None:
        raise NotFound
    if not may_decide(session, actor=actor, approval=approval):
        raise Forbidden
    if is_over(approval, clock):
        raise AlreadyDecided
    return approval


def _carry_out(session: Session, clock: Clock, office: Office, actor: Actor, approval: Approval) -> None:
    what = wanted(session, approval)
    member = by_email(session, approval.email)
    if what != "grant" and member is not None and member.organisation_id == approval.organisation_id:
        _change(session, clock, office, actor, approval, member)
    elif what in ("reset", "disable"):
        raise AlreadyDecided
    else:
        changes.let_in(
            session, clock, office=office, actor=actor, person=_person(approval), approval=approval
        )


def _change(
    session: Session, clock: Clock, office: Office, actor: Actor, approval: Approval, member: StaffMember
) -> None:
    """What was approved about somebody of the team."""
    if approval.action == "reset":
        if member.disabled_at is not None:
            raise AlreadyDecided
        recover(session, clock, links=office.links, actor=actor, member=member, approval=approval)
    elif approval.role is None:
        accounts.shut(session, clock, member=member, actor=actor, audit=office.audit)
    elif member.disabled_at is None:
        changes.set_role(session, clock, office=office, actor=actor, member=member, role=approval.role)
    elif approval.role is member.role:
        changes.open_again(session, clock, office=office, actor=actor, member=member, approval=approval)
    else:
        raise AlreadyDecided


def _person(approval: Approval) -> Person:
    assert approval.role is not None
    return Person(
        organisation_id=approval.organisation_id,
        role=approval.role,
        name=approval.name,
        email=approval.email,
    )


def _record(
    session: Session,
    clock: Clock,
    office: Office,
    actor: Actor,
    approval: Approval,
    action: AuditAction,
    ground: str,
) -> None:
    office.audit.record(
        session,
        clock,
        actor=actor,
        action=action,
        subject_id=approval.id,
        ground=ground,
        organisation_id=approval.organisation_id,
    )


def _tell_asker(session: Session, clock: Clock, office: Office, approval: Approval) -> None:
    """A lead who asked was told with the team."""
    asker = session.get(StaffMember, approval.asked_by_id)
    if asker is not None and asker.disabled_at is None and asker.organisation_id is None:
        tell(session, clock, [asker], approval.organisation_id, f"{office.site}/admin/approvals")
