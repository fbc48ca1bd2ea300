"""What can become of an account of a team, for a caller who has made sure that the actor may, and told it."""

from sqlalchemy.orm import Session

from signals.audit.log import Actor
from signals.clock import Clock
from signals.models import Approval, StaffMember
from signals.staff import accounts
from signals.staff.absence import HOLDERS
from signals.staff.departures import ROLE_CHANGED, hand_back
from signals.staff.office import Office, Person
from signals.staff.recovery import invite, recover
from signals.staff.sessions import revoke_all
from signals.vocabulary import Role


def let_in(
    session: Session,
    clock: Clock,
    *,
    office: Office,
    actor: Actor,
    person: Person,
    approval: Approval | None = None,
) -> StaffMember:
    """A new account and a mailed link; raises as `recovery.invite`."""
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


def open_again(
    session: Session,
    clock: Clock,
    *,
    office: Office,
    actor: Actor,
    member: StaffMember,
    approval: Approval | None = None,
) -> None:
    """Let in who was shut out, by a mailed link only: nothing that opened the account before does again."""
    member.disabled_at = None
    session.flush()  # `recover` reads the row afresh, under its lock
    accounts.record_change(session, clock, office.audit, actor, member, "reopened")
    recover(session, clock, links=office.links, actor=actor, member=member, approval=approval)


def set_role(
    session: Session, clock: Clock, *, office: Office, actor: Actor, member: StaffMember, role: Role
) -> None:
    """Another role, in which one signs in anew: what was opened in the old one, tokens too, ends at once.

    What somebody had who may have no signals any more goes back to the team.
    """
    member.role = role
    revoke_all(session, clock, member=member)
    accounts.record_change(session, clock, office.audit, actor, member, f"role:{role.value}")
    if role not in HOLDERS:
        hand_back(session, clock, member=member, actor=actor, audit=office.audit, reason=ROLE_CHANGED)
