"""Teams: inviting, recovering and shutting out, and what an administrator or a lead may only ask for.

An administrator gives an organisation in which nobody ever took an account up its first lead. From then on a
grant or a reset waits for the organisation's lead or privacy officer, and both are told: nobody is let in
behind a team's back. And once a privacy officer oversees a team, its leads only ask for another one, for
another role of one, and to shut one out: the officer answers (art. 38(3) AVG).
"""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.log import SYSTEM, Actor, require_role
from signals.clock import Clock
from signals.errors import FieldProblem, Forbidden, Invalid, NotFound
from signals.models import Approval, Organisation, StaffMember
from signals.models.staff import NOT_TAKEN_UP
from signals.staff import accounts, changes
from signals.staff.approvals import ask_officer, ask_team, refuse_wrong_person
from signals.staff.identity import normal_email
from signals.staff.office import Office, Person, tell_administrators, tell_team
from signals.staff.recovery import INVITED_BY_LEADS, recover
from signals.staff.standing import has_officer, is_live
from signals.vocabulary import Role


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

    An administrator's grant becomes an `Approval` once anybody of the organisation took an account up, and
    a lead's of a privacy officer where there is one. Raises `Forbidden` for a role that the actor cannot
    give, `Invalid` for a wrong or taken address, and `NobodyToApprove`.
    """
    if actor.role == Role.ADMINISTRATOR and person.organisation_id is not None:
        return _grant_to_team(session, clock, office, actor, person)
    own = person.organisation_id is not None and person.organisation_id == actor.organisation_id
    if actor.role == Role.LEAD and own and _needs_officer(session, person.organisation_id, person.role):
        _lock_organisation(session, person.organisation_id)
        refuse_wrong_person(session, person)
        return ask_officer(session, clock, office=office, actor=actor, person=person, role=person.role)
    return changes.let_in(session, clock, office=office, actor=actor, person=person)


def reset(
    session: Session, clock: Clock, *, office: Office, actor: Actor, member_id: uuid.UUID
) -> StaffMember | Approval:
    """Let somebody who lost password or phone set them up anew; every way into the account ends at once.

    By the lead of the same team at once (not for oneself), by an administrator with the team's approval, and
    without where nobody of it ever took an account up. Raises `Forbidden` and `NobodyToApprove`.
    """
    member = find_member(session, actor=actor, member_id=member_id)
    if member.id == actor.id or member.disabled_at is not None:
        raise Forbidden
    of_team = member.organisation_id is not None
    if actor.role == Role.ADMINISTRATOR and of_team and is_live(session, member.organisation_id):
        person = _person(member)
        return ask_team(session, clock, office=office, actor=actor, person=person, action="reset")
    recover(session, clock, links=office.links, actor=actor, member=member)
    return member


def disable(
    session: Session, clock: Clock, *, office: Office, actor: Actor, member_id: uuid.UUID
) -> StaffMember | Approval:
    """Shut somebody out at once: by the lead of the team or an administrator; the team is told.

    A privacy officer by an administrator only: a lead asks (`Approval`).
    """
    member = find_member(session, actor=actor, member_id=member_id)
    if member.id == actor.id:
        raise Forbidden
    if actor.role == Role.LEAD and member.disabled_at is None and _needs_officer_about(session, member):
        person = _person(member)
        return ask_officer(session, clock, office=office, actor=actor, person=person, role=None)
    accounts.disable(session, clock, member=member, actor=actor, audit=office.audit)
    tell_team(session, clock, office, member.organisation_id, besides=actor.id)
    return member


def reopen(
    session: Session, clock: Clock, *, office: Office, actor: Actor, member_id: uuid.UUID
) -> StaffMember | Approval:
    """Let somebody of the own team who was shut out in again, by a mailed link only; the team is told.

    By the lead, who for a privacy officer beside another one asks (`Approval`). Password, authenticator and
    passkeys of before stay worthless, as after a recovery, and what was handed back stays with the team.
    Raises `Forbidden`, also for an account that was emptied since.
    """
    require_role(actor, Role.LEAD)
    member = find_member(session, actor=actor, member_id=member_id)
    if member.id == actor.id or not member.password_hash:
        raise Forbidden
    if member.disabled_at is None:
        return member
    if _needs_officer_about(session, member):
        person = _person(member)
        return ask_officer(session, clock, office=office, actor=actor, person=person, role=member.role)
    changes.open_again(session, clock, office=office, actor=actor, member=member)
    tell_team(session, clock, office, member.organisation_id, besides=actor.id)
    return member


def change_role(
    session: Session, clock: Clock, *, office: Office, actor: Actor, member_id: uuid.UUID, role: Role
) -> StaffMember | Approval:
    """Give somebody of the own team another role, in which they sign in anew; the team is told.

    By the lead, not for oneself: so a team never loses its last one. Into privacy officer beside another one,
    and out of it, a lead asks (`Approval`). What somebody had who may have no signals any more goes back to
    the team. Raises `Forbidden`, also for who is shut out, and `Invalid` for a role that no lead gives.
    """
    require_role(actor, Role.LEAD)
    member = find_member(session, actor=actor, member_id=member_id)
    if member.id == actor.id or member.disabled_at is not None:
        raise Forbidden
    if role not in INVITED_BY_LEADS:
        raise Invalid(FieldProblem(field="role", code="not_a_choice"))
    if member.role is role:
        return member
    if _needs_officer(session, member.organisation_id, role, member.role):
        person = _person(member)
        return ask_officer(session, clock, office=office, actor=actor, person=person, role=role)
    changes.set_role(session, clock, office=office, actor=actor, member=member, role=role)
    tell_team(session, clock, office, member.organisation_id, besides=actor.id)
    return member


def rescue(session: Session, clock: Clock, *, office: Office, member: StaffMember) -> None:
    """The operator mails somebody a link to set the account up anew, and lets in who was shut out.

    For a team in which nobody is left who could approve; it and every administrator are told. Raises
    `Forbidden` for an account that was emptied.
    """
    if not member.password_hash:
        raise Forbidden
    _let_in_again(session, clock, office, SYSTEM, member)
    tell_team(session, clock, office, member.organisation_id, besides=member.id)
    tell_administrators(session, clock, office, member.organisation_id)


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


def _grant_to_team(
    session: Session, clock: Clock, office: Office, actor: Actor, person: Person
) -> StaffMember | Approval:
    """An administrator's grant: the first lead, or a request of the team."""
    # Locked, so that of two first ones the second sees the first.
    if not _lock_organisation(session, person.organisation_id):
        raise Invalid(FieldProblem(field="organisation_id", code="invalid_value"))
    if person.role not in INVITED_BY_LEADS:
        raise Invalid(FieldProblem(field="role", code="not_a_choice"))
    invited = _locked(session, _invited(session, person.organisation_id))
    if is_live(session, person.organisation_id):
        refuse_wrong_person(session, person)
        return ask_team(session, clock, office=office, actor=actor, person=person, action="grant")
    return _first_lead(session, clock, office, actor, person, invited.values())


def _first_lead(
    session: Session,
    clock: Clock,
    office: Office,
    actor: Actor,
    person: Person,
    invited: Collection[StaffMember],
) -> StaffMember:
    """The one invitation of a team that nobody is of: earlier ones, to a wrong address maybe, end."""
    address = normal_email(person.email)
    again = next((one for one in invited if one.email == address and person.role is one.role), None)
    for other in invited:
        if other is not again:
            accounts.disable(session, clock, member=other, actor=actor, audit=office.audit)
    if again is None:
        return changes.let_in(session, clock, office=office, actor=actor, person=person)
    again.name, again.language = person.name.strip(), person.language
    _let_in_again(session, clock, office, actor, again)
    return again


def _let_in_again(session: Session, clock: Clock, office: Office, actor: Actor, member: StaffMember) -> None:
    """A new link, for who was shut out too."""
    if member.disabled_at is None:
        recover(session, clock, links=office.links, actor=actor, member=member)
    else:
        changes.open_again(session, clock, office=office, actor=actor, member=member)


def _invited(session: Session, organisation_id: uuid.UUID | None) -> Collection[uuid.UUID]:
    """Who was invited into an organisation and took nothing up so far."""
    query = select(StaffMember.id).where(
        StaffMember.organisation_id == organisation_id, StaffMember.totp_last_step == NOT_TAKEN_UP
    )
    return session.scalars(query).all()


def _needs_officer_about(session: Session, member: StaffMember) -> bool:
    return _needs_officer(session, member.organisation_id, member.role)


def _needs_officer(session: Session, organisation_id: uuid.UUID | None, *roles: Role) -> bool:
    """Whether a change from or into these roles is one of who oversees, where somebody does."""
    return Role.PRIVACY_OFFICER in roles and has_officer(session, organisation_id)


def _lock_organisation(session: Session, organisation_id: uuid.UUID | None) -> bool:
    """Hold who is let in there until this transaction ends; whether there is such an organisation."""
    return session.get(Organisation, organisation_id, with_for_update={"of": Organisation}) is not None


def _person(member: StaffMember) -> Person:
    return Person(
        organisation_id=member.organisation_id, role=member.role, name=member.name, email=member.email
    )
