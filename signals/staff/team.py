"""Teams: inviting, recovering and shutting out, and what an administrator may only ask a team to approve.

An administrator gives an organisation without staff its first lead. From then on a grant or a reset waits for
the organisation's lead or privacy officer, and both are told: nobody is let in behind a team's back.
"""

import secrets
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from notifications.events import Event
from notifications.outbox import NewMessage, enqueue
from privacy.passwords import STANDARD, PasswordHasherSettings, hash_password
from privacy.totp import new_totp_secret
from signals.audit import Actor, AuditLog, require_role
from signals.clock import Clock, today
from signals.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from signals.models import Approval, Organisation, Passkey, StaffMember
from signals.models.base import new_id
from signals.staff import accounts
from signals.staff.identity import Secrets, normal_email, seal_totp
from signals.staff.sessions import revoke_all
from signals.vocabulary import AuditAction, Role

APPROVAL_DAYS: Final = 14
"""How long a request waits for the team's answer."""
APPROVERS: Final = (Role.LEAD, Role.PRIVACY_OFFICER)
ROLES_OF_A_LEAD: Final = (Role.WORKER, Role.LEAD)
"""What a lead may give to somebody; a privacy officer is appointed with the administrator."""
ROLES_OF_AN_ORGANISATION: Final = (*ROLES_OF_A_LEAD, Role.PRIVACY_OFFICER)


class AlreadyDecided(Conflict):
    """This request was decided before, or waited for too long."""

    code = "already_decided"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What somebody needs to sign in for the first time: shown once, to be handed over in person."""

    member: StaffMember
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Office:
    """What the functions here work with. `site`: the public address, for the links in messages."""

    keystore: Secrets = field(repr=False)
    audit: AuditLog = field(repr=False)
    site: str
    hasher: PasswordHasherSettings = STANDARD


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
) -> Credentials | Approval:
    """Let somebody in: at once by the lead of the team, and by an administrator where there is no team yet.

    In an organisation that has (or had) staff an administrator's grant becomes an `Approval`. Raises
    `Forbidden` for a role that the actor cannot give, `Invalid` for a wrong or taken address.
    """
    if actor.role == Role.LEAD:
        if person.organisation_id != actor.organisation_id or person.role not in ROLES_OF_A_LEAD:
            raise Forbidden
        return _add(session, clock, office, actor, person)
    require_role(actor, Role.ADMINISTRATOR)
    if person.organisation_id is None:
        if person.role is not Role.COORDINATOR:
            raise Invalid(FieldProblem(field="organisation_id", code="required"))
        return _add(session, clock, office, actor, person)
    return _grant_in_organisation(session, clock, office, actor, person)


def reset(
    session: Session, clock: Clock, *, office: Office, actor: Actor, member_id: uuid.UUID
) -> Credentials | Approval:
    """New password and code for somebody who lost them; every session, token and passkey ends.

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
    return _renew(session, clock, office, actor, member)


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


def approvals(session: Session, *, organisation_id: uuid.UUID | None) -> Sequence[Approval]:
    """Requests of one organisation, or (None) of all, those that wait first, then the newest."""
    query = select(Approval).order_by(Approval.decision != "asked", Approval.asked_at.desc(), Approval.id)
    if organisation_id is not None:
        query = query.where(Approval.organisation_id == organisation_id)
    return session.scalars(query.limit(200)).all()


def decide(
    session: Session, clock: Clock, *, office: Office, actor: Actor, approval_id: uuid.UUID, approve: bool
) -> tuple[Approval, Credentials | None]:
    """Approve or decline as lead or privacy officer of the organisation; never about oneself.

    The credentials of an approved request go to who approved, not to who asked. Raises `NotFound` for
    another organisation's, `AlreadyDecided`, and `Invalid` when the address was taken meanwhile.
    """
    require_role(actor, *APPROVERS)
    approval = _waiting(session, clock, actor, approval_id)
    approval.decision = "approved" if approve else "declined"
    approval.decided_by_id, approval.decided_at = actor.id, clock.now()
    _record(session, clock, office, actor, approval, AuditAction.APPROVAL_DECIDED, approval.decision)
    credentials = _carry_out(session, clock, office, actor, approval) if approve else None
    _tell(session, clock, office, approval.organisation_id, besides=actor.id)
    _tell_asker(session, clock, office, approval)
    return approval, credentials


def find_member(session: Session, *, actor: Actor, member_id: uuid.UUID) -> StaffMember:
    """Somebody of the actor's team, or for an administrator anybody; raises `NotFound` for the rest."""
    member = session.scalar(
        select(StaffMember).where(StaffMember.id == member_id).with_for_update(of=StaffMember)
    )
    own = member is not None and member.organisation_id is not None
    if member is None or (
        actor.role != Role.ADMINISTRATOR and not (own and member.organisation_id == actor.organisation_id)
    ):
        raise NotFound
    return member


def _grant_in_organisation(
    session: Session, clock: Clock, office: Office, actor: Actor, person: Person
) -> Credentials | Approval:
    if session.get(Organisation, person.organisation_id) is None:
        raise Invalid(FieldProblem(field="organisation_id", code="not_found"))
    if person.role not in ROLES_OF_AN_ORGANISATION:
        raise Invalid(FieldProblem(field="role", code="not_a_choice"))
    if has_staff(session, person.organisation_id):
        return _ask(session, clock, office, actor, person, "grant")
    if person.role is not Role.LEAD:
        raise Invalid(FieldProblem(field="role", code="first_is_a_lead"))
    return _add(session, clock, office, actor, person)


def has_staff(session: Session, organisation_id: uuid.UUID | None) -> bool:
    """Whether an organisation has staff, shut out or not: else shutting a team out would open the way in."""
    query = select(StaffMember.id).where(StaffMember.organisation_id == organisation_id).limit(1)
    return session.scalar(query) is not None


def _add(session: Session, clock: Clock, office: Office, actor: Actor, person: Person) -> Credentials:
    password = secrets.token_urlsafe(15)
    added = accounts.add_staff(
        session,
        clock,
        keystore=office.keystore,
        audit=office.audit,
        organisation_id=person.organisation_id,
        role=person.role,
        name=person.name,
        email=person.email,
        password=password,
        language=person.language,
        actor=actor,
        hasher=office.hasher,
    )
    return Credentials(member=added.member, password=password, totp_secret=added.totp_secret)


def _renew(session: Session, clock: Clock, office: Office, actor: Actor, member: StaffMember) -> Credentials:
    password, totp_secret = secrets.token_urlsafe(15), new_totp_secret()
    member.password_hash = hash_password(password, office.hasher)
    member.totp_sealed, member.totp_last_step = seal_totp(office.keystore, member.id, totp_secret), None
    revoke_all(session, clock, member=member)
    session.execute(delete(Passkey).where(Passkey.staff_member_id == member.id))
    office.audit.record(
        session,
        clock,
        actor=actor,
        action=AuditAction.STAFF_CHANGED,
        subject_id=member.id,
        ground="reset",
        organisation_id=member.organisation_id,
    )
    _send(session, clock, [member], f"{office.site}/desk")
    return Credentials(member=member, password=password, totp_secret=totp_secret)


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


def _carry_out(
    session: Session, clock: Clock, office: Office, actor: Actor, approval: Approval
) -> Credentials:
    if approval.action == "reset":
        member = _by_email(session, approval.email)
        if member is None or member.organisation_id != approval.organisation_id or member.disabled_at:
            raise AlreadyDecided
        return _renew(session, clock, office, actor, member)
    assert approval.role is not None
    person = Person(
        organisation_id=approval.organisation_id,
        role=approval.role,
        name=approval.name,
        email=approval.email,
    )
    return _add(session, clock, office, actor, person)


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
    _send(session, clock, session.scalars(query), f"{office.site}/desk/team")


def _tell_asker(session: Session, clock: Clock, office: Office, approval: Approval) -> None:
    asker = session.get(StaffMember, approval.asked_by_id)
    if asker is not None and asker.disabled_at is None:
        _send(session, clock, [asker], f"{office.site}/admin/approvals")


def _send(session: Session, clock: Clock, people: Iterable[StaffMember], link: str) -> None:
    enqueue(session, list(_messages(people, clock, link)))


def _messages(people: Iterable[StaffMember], clock: Clock, link: str) -> Iterator[NewMessage]:
    now = clock.now()
    for member in people:
        yield NewMessage(
            event=Event.ACCOUNT_CHANGED,
            subject_id=new_id(),  # each change is told, also a second one of the same account
            organisation_id=member.organisation_id,
            channel="email",
            recipient=member.email,
            language=member.language,
            values={"link": link, "changed_on": today(clock).isoformat()},
            not_before=now,
            expires_at=now + timedelta(days=APPROVAL_DAYS),
        )
