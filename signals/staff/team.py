"""Teams: inviting, recovering and shutting out, and what an administrator may only ask a team to approve.

An administrator gives an organisation without staff its first lead. From then on a grant or a reset waits for
the organisation's lead or privacy officer, and both are told: nobody is let in behind a team's back.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.events import Event
from notifications.outbox import NewMessage, enqueue
from signals.audit import Actor, AuditLog, require_role
from signals.clock import Clock, today
from signals.db import set_local
from signals.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from signals.models import Approval, Organisation, StaffMember
from signals.models.base import new_id
from signals.staff import accounts
from signals.staff.absence import HOLDERS
from signals.staff.handing_back import ROLE_CHANGED, hand_back
from signals.staff.identity import normal_email
from signals.staff.recovery import INVITED_BY_LEADS, Links, invite, recover
from signals.vocabulary import AuditAction, Role

APPROVAL_DAYS: Final = 14
"""How long a request waits for the team's answer."""
APPROVERS: Final = (Role.LEAD, Role.PRIVACY_OFFICER)


class AlreadyDecided(Conflict):
    """This request was decided before, or waited for too long."""

    code = "already_decided"


@dataclass(frozen=True, kw_only=True)
class Office:
    """What the functions here work with. `site`: the public address, for the links in messages."""

    links: Links = field(repr=False)
    audit: AuditLog = field(repr=False)
    site: str


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody to be let in. `organisation_id` is None for a coordinator."""

    organisation_id: uuid.UUID | None
    role: Role
    name: str
    email: str = field(repr=False)
    language: str = "nl"


def members(session: Session, *, organisation_id: uuid.UUID | None) -> Sequence[StaffMember]:
    """Everybody of an organisation (None: who belongs to none), who is shut out last."""
    query = (
        select(StaffMember)
        .where(StaffMember.organisation_id == organisation_id)
        .order_by(StaffMember.disabled_at.is_not(None), StaffMember.name, StaffMember.id)
    )
    return session.scalars(query).all()


def grant(
    session: Session, clock: Clock, *, office: Office, actor: Actor, person: Person
) -> StaffMember | Approval:
    """Let somebody in: at once by the lead of the team, and by an administrator where there is no team yet.

    In an organisation that has (or had) staff an administrator's grant becomes an `Approval`. Raises
    `Forbidden` for a role that the actor cannot give, `Invalid` for a wrong or taken address.
    """
    if actor.role == Role.ADMINISTRATOR and person.organisation_id is not None:
        # Locked, so that of two first ones the second is a request.
        if session.get(Organisation, person.organisation_id, with_for_update={"of": Organisation}) is None:
            raise Invalid(FieldProblem(field="organisation_id", code="invalid_value"))
        if person.role not in INVITED_BY_LEADS:
            raise Invalid(FieldProblem(field="role", code="not_a_choice"))
        if has_staff(session, person.organisation_id):
            return _ask(session, clock, office, actor, person, "grant")
    return _invite(session, clock, office, actor, person, None)


def reset(
    session: Session, clock: Clock, *, office: Office, actor: Actor, member_id: uuid.UUID
) -> StaffMember | Approval:
    """Let somebody who lost password or phone set them up anew; every way into the account ends at once.

    By the lead of the same team at once (not for oneself), by an administrator with the team's approval.
    """
    member = find_member(session, actor=actor, member_id=member_id)
    if member.id == actor.id or member.disabled_at is not None:
        raise Forbidden
    if actor.role == Role.ADMINISTRATOR and member.organisation_id is not None:
        person = Person(
            organisation_id=member.organisation_id, role=member.role, name=member.name, email=member.email
        )
        return _ask(session, clock, office, actor, person, "reset")
    recover(session, clock, links=office.links, actor=actor, member=member)
    return member


def disable(
    session: Session, clock: Clock, *, office: Office, actor: Actor, member_id: uuid.UUID
) -> StaffMember:
    """Shut somebody out at once: by the lead of the team or an administrator; the team is told."""
    member = find_member(session, actor=actor, member_id=member_id)
    if member.id == actor.id:
        raise Forbidden
    accounts.disable(session, clock, member=member, actor=actor, audit=office.audit)
    _tell(session, clock, office, member.organisation_id, besides=actor.id)
    return member


def reopen(
    session: Session, clock: Clock, *, office: Office, actor: Actor, member_id: uuid.UUID
) -> StaffMember:
    """Let somebody of the own team who was shut out in again, by a mailed link only; the team is told.

    By the lead. Password, authenticator and passkeys of before stay worthless, as after a recovery, and what
    was handed back stays with the team. Raises `Forbidden`, also for an account that was emptied since.
    """
    require_role(actor, Role.LEAD)
    member = find_member(session, actor=actor, member_id=member_id)
    if member.id == actor.id or not member.password_hash:
        raise Forbidden
    if member.disabled_at is None:
        return member
    member.disabled_at = None
    session.flush()  # `recover` reads the row afresh, under its lock
    accounts.record_change(session, clock, office.audit, actor, member, "reopened")
    recover(session, clock, links=office.links, actor=actor, member=member)
    _tell(session, clock, office, member.organisation_id, besides=actor.id)
    return member


def change_role(
    session: Session, clock: Clock, *, office: Office, actor: Actor, member_id: uuid.UUID, role: Role
) -> StaffMember:
    """Give somebody of the own team another role, from the next request on; the team is told.

    By the lead, not for oneself: so a team never loses its last one. What somebody had who may have no
    signals any more goes back to the team. Raises `Forbidden`, also for who is shut out, and `Invalid` for a
    role that no lead gives.
    """
    require_role(actor, Role.LEAD)
    member = find_member(session, actor=actor, member_id=member_id)
    if member.id == actor.id or member.disabled_at is not None:
        raise Forbidden
    if role not in INVITED_BY_LEADS:
        raise Invalid(FieldProblem(field="role", code="not_a_choice"))
    if member.role is role:
        return member
    member.role = role
    accounts.record_change(session, clock, office.audit, actor, member, f"role:{role.value}")
    if role not in HOLDERS:
        hand_back(session, clock, member=member, actor=actor, audit=office.audit, reason=ROLE_CHANGED)
    _tell(session, clock, office, member.organisation_id, besides=actor.id)
    return member


def approvals(session: Session, *, organisation_id: uuid.UUID | None) -> Sequence[Approval]:
    """Requests of one organisation, or (None) of all, those that wait first, then the newest."""
    query = select(Approval).order_by(Approval.decision != "asked", Approval.asked_at.desc(), Approval.id)
    if organisation_id is not None:
        query = query.where(Approval.organisation_id == organisation_id)
    return session.scalars(query.limit(200)).all()


def decide(
    session: Session, clock: Clock, *, office: Office, actor: Actor, approval_id: uuid.UUID, approve: bool
) -> Approval:
    """Approve or decline as lead or privacy officer of the organisation; never about oneself.

    Who is let in gets a link by mail. Raises `NotFound` for another organisation's request,
    `AlreadyDecided`, and `Invalid` when the address was taken meanwhile.
    """
    require_role(actor, *APPROVERS)
    approval = _waiting(session, clock, actor, approval_id)
    approval.decision = "approved" if approve else "declined"
    approval.decided_by_id, approval.decided_at = actor.id, clock.now()
    _record(session, clock, office, actor, approval, AuditAction.APPROVAL_DECIDED, approval.decision)
    if approve:
        _carry_out(session, clock, office, actor, approval)
    _tell(session, clock, office, approval.organisation_id, besides=actor.id)
    _tell_asker(session, clock, office, approval)
    return approval


def find_member(session: Session, *, actor: Actor, member_id: uuid.UUID) -> StaffMember:
    """Somebody of the actor's team, or for an administrator anybody; raises `NotFound` for the rest.

    Both are locked, and `Forbidden` is raised when the actor was shut out or given another role meanwhile: of
    two leads who do so to one another, one stays.
    """
    found = _locked(session, {member_id, actor.id})
    acting, member = found.get(actor.id), found.get(member_id)
    if acting is not None and (acting.disabled_at is not None or acting.role != actor.role):
        raise Forbidden
    own = member is not None and member.organisation_id is not None
    if member is None or (
        actor.role != Role.ADMINISTRATOR and not (own and member.organisation_id == actor.organisation_id)
    ):
        raise NotFound
    return member


def _locked(session: Session, ids: Collection[uuid.UUID | None]) -> dict[uuid.UUID | None, StaffMember]:
    """These accounts, read afresh; always in one order, so that nobody waits for who waits for them."""
    query = select(StaffMember).where(StaffMember.id.in_(ids)).order_by(StaffMember.id)
    locking = query.with_for_update(of=StaffMember).execution_options(populate_existing=True)
    return {member.id: member for member in session.scalars(locking)}


def has_staff(session: Session, organisation_id: uuid.UUID | None) -> bool:
    """Whether an organisation has staff, shut out or not: else shutting a team out would open the way in."""
    query = select(StaffMember.id).where(StaffMember.organisation_id == organisation_id).limit(1)
    return session.scalar(query) is not None


def _invite(
    session: Session,
    clock: Clock,
    office: Office,
    actor: Actor,
    person: Person,
    approval: Approval | None,
) -> StaffMember:
    return invite(
        session,
        clock,
        links=office.links,
        actor=actor,
        organisation_id=person.organisation_id,
        role=person.role,
        name=person.name,
        email=person.email,
        language=person.language,
        approval=approval,
    )


def _ask(
    session: Session, clock: Clock, office: Office, actor: Actor, person: Person, action: str
) -> Approval:
    assert actor.id is not None
    assert person.organisation_id is not None
    _refuse_wrong_person(session, person, action)
    approval = Approval(
        organisation_id=person.organisation_id,
        action=action,
        role=person.role,
        email=normal_email(person.email),
        name=person.name.strip(),
        asked_by_id=actor.id,
        asked_at=clock.now(),
        decision="asked",
    )
    session.add(approval)
    session.flush()
    _record(session, clock, office, actor, approval, AuditAction.APPROVAL_ASKED, action)
    _tell(session, clock, office, person.organisation_id, besides=actor.id)
    return approval


def _refuse_wrong_person(session: Session, person: Person, action: str) -> None:
    problems = []
    if not 1 <= len(person.name.strip()) <= 120:
        problems.append(FieldProblem(field="name", code="out_of_range"))
    if accounts.checked_email(person.email) is None:
        problems.append(FieldProblem(field="email", code="invalid"))
    elif action == "grant" and _by_email(session, person.email) is not None:
        problems.append(FieldProblem(field="email", code="taken"))
    if problems:
        raise Invalid(*problems)


def _waiting(session: Session, clock: Clock, actor: Actor, approval_id: uuid.UUID) -> Approval:
    query = select(Approval).where(
        Approval.id == approval_id, Approval.organisation_id == actor.organisation_id
    )
    approval = session.scalar(query.with_for_update())
    if approval is None:
        raise NotFound
    member = session.get(StaffMember, actor.id)
    if member is not None and approval.email == member.email:
        raise Forbidden
    if is_over(approval, clock):
        raise AlreadyDecided
    return approval


def is_over(approval: Approval, clock: Clock) -> bool:
    """Whether a request no longer waits: decided, or older than `APPROVAL_DAYS`."""
    return approval.decision != "asked" or clock.now() - approval.asked_at > timedelta(days=APPROVAL_DAYS)


def _carry_out(session: Session, clock: Clock, office: Office, actor: Actor, approval: Approval) -> None:
    if approval.action == "reset":
        member = _by_email(session, approval.email)
        if member is None or member.organisation_id != approval.organisation_id or member.disabled_at:
            raise AlreadyDecided
        recover(session, clock, links=office.links, actor=actor, member=member, approval=approval)
        return
    assert approval.role is not None
    person = Person(
        organisation_id=approval.organisation_id,
        role=approval.role,
        name=approval.name,
        email=approval.email,
    )
    _invite(session, clock, office, actor, person, approval)


def _by_email(session: Session, email: str) -> StaffMember | None:
    return session.scalar(select(StaffMember).where(StaffMember.email == normal_email(email)))


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


def _tell(
    session: Session,
    clock: Clock,
    office: Office,
    organisation_id: uuid.UUID | None,
    *,
    besides: uuid.UUID | None,
) -> None:
    """Leads and privacy officers of the team hear that an account changes: a date and a link, no name."""
    if organisation_id is None:
        return
    query = select(StaffMember).where(
        StaffMember.organisation_id == organisation_id,
        StaffMember.role.in_(APPROVERS),
        StaffMember.disabled_at.is_(None),
        StaffMember.id.is_distinct_from(besides),
    )
    people = session.scalars(query).all()
    _send(session, clock, people, organisation_id, f"{office.site}/desk/approvals")


def _tell_asker(session: Session, clock: Clock, office: Office, approval: Approval) -> None:
    asker = session.get(StaffMember, approval.asked_by_id)
    if asker is not None and asker.disabled_at is None:
        _send(session, clock, [asker], approval.organisation_id, f"{office.site}/admin/approvals")


def _send(
    session: Session,
    clock: Clock,
    people: Sequence[StaffMember],
    organisation_id: uuid.UUID | None,
    link: str,
) -> None:
    """Each change has a subject of its own, so that a second change of one account is told too."""
    now, subject_id = clock.now(), new_id()
    set_local(session, towards=str(organisation_id or ""), subject=str(subject_id))
    enqueue(
        session,
        [
            NewMessage(
                event=Event.ACCOUNT_CHANGED,
                subject_id=subject_id,
                organisation_id=organisation_id,
                channel="email",
                recipient=member.email,
                language=member.language,
                values={"link": link, "changed_on": today(clock).isoformat()},
                not_before=now,
                expires_at=now + timedelta(days=APPROVAL_DAYS),
            )
            for member in people
        ],
    )
