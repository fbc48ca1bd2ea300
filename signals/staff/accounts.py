"""Add, shut and change the accounts of staff, and issue tokens for programs."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from privacy.passwords import STANDARD, PasswordHasherSettings, hash_password
from privacy.totp import new_totp_secret
from signals.audit.grounds import Detailed, Ground
from signals.audit.log import SYSTEM, Actor
from signals.errors import FieldProblem, Forbidden, Invalid
from signals.models import StaffMember
from signals.models.base import new_id
from signals.operation import Operation
from signals.staff.absence import HOLDERS
from signals.staff.departures import ROLE_CHANGED, release_signals
from signals.staff.identity import MAX_PASSWORD, checked_email, seal_totp
from signals.staff.sessions import open_session, revoke_all
from signals.vocabulary import STAFF_LANGUAGES, AuditAction, Role

MIN_PASSWORD: Final = 12
MAX_NAME: Final = 120
MAX_TOKEN_DAYS: Final = 730

_ROLES_OF_AN_ORGANISATION: Final = frozenset({Role.WORKER, Role.LEAD, Role.PRIVACY_OFFICER})


@dataclass(frozen=True, kw_only=True)
class NewStaff:
    """A new account, and its TOTP secret (base32) to show its owner once."""

    member: StaffMember
    totp_secret: str = field(repr=False)


def add_staff(
    operation: Operation,
    *,
    organisation_id: uuid.UUID | None,
    role: Role,
    name: str,
    email: str,
    password: str,
    totp_secret: str | None = None,
    language: str = "nl",
    hasher: PasswordHasherSettings = STANDARD,
) -> NewStaff:
    """Add a person and flush, so that two requests cannot take one e-mail address.

    `password` has 12 to 200 characters. `totp_secret` is base32; a new secret is made by default.
    A worker, lead or privacy officer needs an organisation. Raises `Invalid` with every problem.
    """
    session, keystore = operation.session, operation.keystore
    problems = [
        *problems_of_person(session, actor=operation.actor, name=name, email=email),
        *_problems_of(organisation_id, role, password, language),
    ]
    address = checked_email(email)
    if problems or address is None:
        raise Invalid(*problems)
    member_id, totp_secret = new_id(), totp_secret or new_totp_secret()
    member = StaffMember(
        id=member_id,
        organisation_id=organisation_id,
        role=role,
        name=name.strip(),
        email=address,
        language=language,
        password_hash=hash_password(password, hasher),
        totp_sealed=seal_totp(keystore, member_id, totp_secret),
        created_at=operation.now,
    )
    _store(operation, member)
    record_change(operation, member, Ground.ADDED)
    return NewStaff(member=member, totp_secret=totp_secret)


def problems_of_person(session: Session, *, actor: Actor, name: str, email: str) -> Iterator[FieldProblem]:
    """Yield each problem with the name and the address of a new person.

    "taken" is about somebody whom the actor sees. Any other account is "not_invitable": staff of another
    team, a coordinator, an administrator, or a former member.
    """
    if not 1 <= len(name.strip()) <= MAX_NAME:
        yield FieldProblem(field="name", code="out_of_range")
    address = checked_email(email)
    if address is None:
        yield FieldProblem(field="email", code="invalid")
    elif (owner := _owner_of(session, address)) is not None:
        yield _taken(actor, owner)


def disable(operation: Operation, member: StaffMember) -> None:
    """Shut an account, revoke its sessions and tokens, and release its signals. A second time does nothing.

    The actor is the system, an administrator, or another lead of the same organisation.
    Raises `Forbidden` for anybody else.
    """
    _require_may_manage(operation.actor, member)
    shut(operation, member)


def shut(operation: Operation, member: StaffMember) -> None:
    """Do the same as `disable` for a caller that has checked the actor."""
    if member.disabled_at is not None:
        return
    member.disabled_at = operation.now
    revoke_all(operation.session, operation.clock, member=member)
    record_change(operation, member, Ground.DISABLED)
    release_signals(operation, member)


def set_role(operation: Operation, member: StaffMember, role: Role) -> None:
    """Give somebody another role for a caller that has checked the actor.

    Every session and token of the old role ends. A role without signals releases the person's signals.
    """
    member.role = role
    revoke_all(operation.session, operation.clock, member=member)
    record_change(operation, member, Ground.ROLE.of(role))
    if role not in HOLDERS:
        release_signals(operation, member, reason=ROLE_CHANGED)


def issue_token(operation: Operation, *, member: StaffMember, label: str, days: int = 365) -> str:
    """Return a new token ("sig_...") for a program that acts as this person. Nobody can read it again.

    `label` (1 to 80 characters) names the program; `days` is 1 to 730.
    Raises `Invalid`, and `Forbidden` for a disabled account or an actor that may not manage it.
    """
    if operation.actor.id != member.id:
        _require_may_manage(operation.actor, member)
    if member.disabled_at is not None:
        raise Forbidden
    if not 1 <= len(label.strip()) <= 80:
        raise Invalid(FieldProblem(field="label", code="out_of_range"))
    if not 1 <= days <= MAX_TOKEN_DAYS:
        raise Invalid(FieldProblem(field="days", code="out_of_range"))
    token, opened = open_session(operation.session, member, "token", operation.now, timedelta(days=days))
    opened.label = label.strip()
    record_change(operation, member, Ground.TOKEN_ISSUED)
    return token


def record_change(operation: Operation, member: StaffMember, ground: Ground | Detailed) -> None:
    """Record that the actor changed an account; `ground` is a code."""
    operation.record(
        AuditAction.STAFF_CHANGED, subject_id=member.id, ground=ground, organisation_id=member.organisation_id
    )


def _store(operation: Operation, member: StaffMember) -> None:
    try:
        with operation.session.begin_nested():
            operation.session.add(member)
    except IntegrityError:
        owner = _owner_of(operation.session, member.email)
        if owner is None:
            raise
        raise Invalid(_taken(operation.actor, owner)) from None


def _owner_of(session: Session, address: str) -> StaffMember | None:
    return session.scalar(select(StaffMember).where(StaffMember.email == address))


def _taken(actor: Actor, owner: StaffMember) -> FieldProblem:
    own = owner.organisation_id is not None and owner.organisation_id == actor.organisation_id
    seen = own or actor == SYSTEM or actor.role == Role.ADMINISTRATOR
    return FieldProblem(field="email", code="taken" if seen else "not_invitable")


def _problems_of(
    organisation_id: uuid.UUID | None, role: Role, password: str, language: str
) -> Iterator[FieldProblem]:
    if organisation_id is None and role in _ROLES_OF_AN_ORGANISATION:
        yield FieldProblem(field="organisation_id", code="required")
    if len(password) < MIN_PASSWORD:
        yield FieldProblem(field="password", code="too_short")
    if len(password) > MAX_PASSWORD:
        yield FieldProblem(field="password", code="too_long")
    if language not in STAFF_LANGUAGES:
        yield FieldProblem(field="language", code="unknown")


def _require_may_manage(actor: Actor, member: StaffMember) -> None:
    same_team = actor.organisation_id is not None and actor.organisation_id == member.organisation_id
    allowed = (
        actor == SYSTEM
        or actor.role == Role.ADMINISTRATOR
        or (actor.role == Role.LEAD and same_team and actor.id != member.id)
    )
    if not allowed:
        raise Forbidden
