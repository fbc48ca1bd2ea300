"""Signing in with password and TOTP: one refusal for every cause, and each code once."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.passwords import (
    STANDARD,
    PasswordHasherSettings,
    hash_password,
    needs_rehash,
    verify_nobody,
    verify_password,
)
from privacy.totp import verify_totp
from signals.audit.log import Actor, AuditLog
from signals.clock import Clock
from signals.errors import NotSignedIn, SignInFailed
from signals.models import StaffMember, StaffSession
from signals.staff.identity import MAX_PASSWORD, Secrets, actor_for, normal_email, open_totp
from signals.staff.sessions import SessionKind, open_session
from signals.vocabulary import AuditAction

_NOBODY: Final = uuid.UUID(int=0)
_UNKNOWN: Final = Actor(id=None, role="unknown", organisation_id=None)
_SECRET_OF_NOBODY: Final = "A" * 32


@dataclass(frozen=True, kw_only=True)
class PasswordCheck:
    """Whether a password was right, of whom, and against which stored hash."""

    member_id: uuid.UUID
    password_hash: str = field(repr=False)
    right: bool


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A new session. `token` is the bearer's secret: give it out once, store it nowhere."""

    token: str = field(repr=False)
    session: StaffSession
    member: StaffMember


def sign_in(
    session: Session,
    clock: Clock,
    *,
    keystore: Secrets,
    audit: AuditLog,
    email: str,
    password: str,
    totp: str,
    kind: SessionKind,
    absolute_hours: int,
    hasher: PasswordHasherSettings = STANDARD,
    checked: PasswordCheck | None = None,
) -> SignedIn:
    """Open a session for who knows the password and has a TOTP code that was not used before.

    Raises `SignInFailed`, alike for every cause. The audit entry of the failure is then in the session: the
    caller catches the exception, COMMITS, and answers; a rollback would lose the trace of a guess.
    The account's row is locked while the code is compared: of two at once with one code, one fails.
    `checked` is what `check_password` said (see there). No old session is taken over: the token is new.
    """
    checked = checked or check_password(session, email=email, password=password, hasher=hasher)
    member = lock_member(session, checked.member_id)
    now = clock.now()
    step = _accepted_step(keystore, member, totp, now)
    if member is None or step is None or not _still_right(checked, member):
        _record_failure(session, clock, audit, member)
        raise SignInFailed
    member.totp_last_step = step
    if needs_rehash(member.password_hash, hasher):
        member.password_hash = hash_password(password, hasher)
    token, opened = open_session(session, member, kind, now, timedelta(hours=absolute_hours))
    audit.record(
        session,
        clock,
        actor=actor_for(member),
        action=AuditAction.SIGN_IN,
        subject_id=member.id,
        ground=kind,
    )
    return SignedIn(token=token, session=opened, member=member)


def check_password(
    session: Session, *, email: str, password: str, hasher: PasswordHasherSettings = STANDARD
) -> PasswordCheck:
    """Compare a password, with the same work whether the account exists, is disabled, or neither.

    Only reads. Argon2 takes some 100 ms: on SQLite call this in a session of `db.reading` and hand the result
    to `sign_in`, so that no carrier's report waits behind the writer's lock in the meantime.
    """
    query = select(StaffMember).where(
        StaffMember.email == normal_email(email), StaffMember.disabled_at.is_(None)
    )
    member = session.scalar(query)
    if member is None or len(password) > MAX_PASSWORD:
        verify_nobody(password[:MAX_PASSWORD], hasher)
        return PasswordCheck(member_id=member.id if member else _NOBODY, password_hash="", right=False)
    stored = member.password_hash
    return PasswordCheck(member_id=member.id, password_hash=stored, right=verify_password(stored, password))


def lock_member(session: Session, member_id: uuid.UUID) -> StaffMember | None:
    """The account's row, locked and read afresh; the same statement where there is no account."""
    query = (
        select(StaffMember)
        .where(StaffMember.id == member_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.scalar(query)


def lock_account(session: Session, staff_session: StaffSession) -> StaffMember:
    """The account, locked and still in this session: one that a lead recovers meanwhile stays shut.

    Raises `NotSignedIn`.
    """
    member = lock_member(session, staff_session.staff_member_id)
    still = session.scalar(
        select(StaffSession.id).where(StaffSession.id == staff_session.id, StaffSession.revoked_at.is_(None))
    )
    if member is None or member.disabled_at is not None or still is None:
        raise NotSignedIn
    return member


def _accepted_step(keystore: Secrets, member: StaffMember | None, code: str, now: datetime) -> int | None:
    if member is None:
        verify_totp(_SECRET_OF_NOBODY, code, now, None)  # the same work
        return None
    secret = open_totp(keystore, member)
    return verify_totp(secret, code, now, member.totp_last_step)


def _still_right(checked: PasswordCheck, member: StaffMember) -> bool:
    """The password was right and neither it nor the account has changed since it was compared."""
    unchanged = checked.password_hash == member.password_hash and member.disabled_at is None
    return checked.right and unchanged


def _record_failure(session: Session, clock: Clock, audit: AuditLog, member: StaffMember | None) -> None:
    audit.record(
        session,
        clock,
        actor=actor_for(member) if member else _UNKNOWN,
        action=AuditAction.SIGN_IN_FAILED,
        subject_id=member.id if member else None,
        outcome="refused",
    )
