"""Accounts of staff: adding a person, shutting an account, and tokens for programs."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from privacy.passwords import STANDARD, PasswordHasherSettings, hash_password
from privacy.totp import new_totp_secret
from signals.audit.log import SYSTEM, Actor, AuditLog
from signals.clock import Clock
from signals.errors import FieldProblem, Forbidden, Invalid
from signals.models import StaffMember
from signals.models.base import new_id
from signals.staff.departures import hand_back
from signals.staff.identity import MAX_PASSWORD, Secrets, normal_email, seal_totp
from signals.staff.sessions import open_session, revoke_all
from signals.vocabulary import STAFF_LANGUAGES, AuditAction, Role

MIN_PASSWORD: Final = 12
MAX_TOKEN_DAYS: Final = 730

_ROLES_OF_AN_ORGANISATION: Final = frozenset({Role.WORKER, Role.LEAD, Role.PRIVACY_OFFICER})


@dataclass(frozen=True, kw_only=True)
class NewStaff:
    """A new account, and the TOTP secret (base32) to show its owner once."""

    member: StaffMember
    totp_secret: str = field(repr=False)


def add_staff(
    session: Session,
    clock: Clock,
    *,
    keystore: Secrets,
    audit: AuditLog,
    organisation_id: uuid.UUID | None,
    role: Role,
    name: str,
    email: str,
    password: str,
    totp_secret: str | None = None,
    language: str = "nl",
    actor: Actor = SYSTEM,
    hasher: PasswordHasherSettings = STANDARD,
) -> NewStaff:
    """Add a person; flushes, so that an e-mail address that somebody takes at this moment is found.

    The address is kept in lower case. `password` has 12 to 200 characters; `totp_secret` is base32, a new one
    by default. Worker, lead and privacy officer need an organisation. Raises `Invalid` with every problem.
    """
    address = checked_email(email)
    problems = list(_problems_of(organisation_id, role, name, password, language))
    if address is None:
        problems.append(FieldProblem(field="email", code="invalid"))
    elif session.scalar(select(StaffMember.id).where(StaffMember.email == address)) is not None:
        problems.append(FieldProblem(field="email", code="taken"))
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
        created_at=clock.now(),
    )
    _store(session, member)
    record_change(session, clock, audit, actor, member, "added")
    return NewStaff(member=member, totp_secret=totp_secret)


def disable(session: Session, clock: Clock, *, member: StaffMember, actor: Actor, audit: AuditLog) -> None:
    """Shut an account and revoke all its sessions and tokens at once; a second time does nothing.

    By the system, an administrator, or a lead of the same organisation, and not by the person: `Forbidden`.
    What the person had claimed goes back to the team.
    """
    _require_may_manage(actor, member)
    shut(session, clock, member=member, actor=actor, audit=audit)


def shut(session: Session, clock: Clock, *, member: StaffMember, actor: Actor, audit: AuditLog) -> None:
    """The same for a caller who has made sure that the actor may."""
    if member.disabled_at is not None:
        return
    member.disabled_at = clock.now()
    revoke_all(session, clock, member=member)
    record_change(session, clock, audit, actor, member, "disabled")
    hand_back(session, clock, member=member, actor=actor, audit=audit)


def issue_token(
    session: Session,
    clock: Clock,
    *,
    audit: AuditLog,
    member: StaffMember,
    label: str,
    days: int = 365,
    actor: Actor = SYSTEM,
) -> str:
    """A long-lived token ("sig_...") for a program that acts as this person; it is never shown again.

    `label` (1 to 80 characters) says for which program, `days` is 1 to 730. Raises `Invalid`, and `Forbidden`
    for a disabled account or who may not manage it.
    """
    if actor.id != member.id:
        _require_may_manage(actor, member)
    if member.disabled_at is not None:
        raise Forbidden
    if not 1 <= len(label.strip()) <= 80:
        raise Invalid(FieldProblem(field="label", code="out_of_range"))
    if not 1 <= days <= MAX_TOKEN_DAYS:
        raise Invalid(FieldProblem(field="days", code="out_of_range"))
    token, opened = open_session(session, member, "token", clock.now(), timedelta(days=days))
    opened.label = label.strip()
    record_change(session, clock, audit, actor, member, "token_issued")
    return token


def checked_email(email: str) -> str | None:
    """The address in its one spelling; None when it is none."""
    try:
        return normal_email(validate_email(email.strip(), check_deliverability=False).normalized)
    except EmailNotValidError:
        return None  # its message quotes what was typed


def _store(session: Session, member: StaffMember) -> None:
    try:
        with session.begin_nested():
            session.add(member)
    except IntegrityError:
        if session.scalar(select(StaffMember.id).where(StaffMember.email == member.email)) is None:
            raise
        raise Invalid(FieldProblem(field="email", code="taken")) from None


def _problems_of(
    organisation_id: uuid.UUID | None, role: Role, name: str, password: str, language: str
) -> Iterator[FieldProblem]:
    if organisation_id is None and role in _ROLES_OF_AN_ORGANISATION:
        yield FieldProblem(field="organisation_id", code="required")
    if not 1 <= len(name.strip()) <= 120:
        yield FieldProblem(field="name", code="out_of_range")
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


def record_change(
    session: Session, clock: Clock, audit: AuditLog, actor: Actor, member: StaffMember, ground: str
) -> None:
    """That an account was changed and by whom; `ground` is a code."""
    audit.record(
        session,
        clock,
        actor=actor,
        action=AuditAction.STAFF_CHANGED,
        subject_id=member.id,
        ground=ground,
        organisation_id=member.organisation_id,
    )
