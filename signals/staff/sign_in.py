"""Sign in with password and TOTP: every refusal is the same, and each code works once."""

import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta
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
from signals.audit.grounds import Ground
from signals.clock import today
from signals.errors import NotSignedIn, SignInFailed
from signals.models import StaffMember, StaffSession
from signals.operation import Operation
from signals.staff.guesses import count_unknown
from signals.staff.identity import MAX_PASSWORD, actor_for, normal_email, open_totp
from signals.staff.providers import signs_in_elsewhere
from signals.staff.sessions import SessionKind, open_session
from signals.vocabulary import AuditAction

_NOBODY: Final = uuid.UUID(int=0)
_SECRET_OF_NOBODY: Final = "A" * 32


@dataclass(frozen=True, kw_only=True)
class PasswordCheck:
    """The result of comparing a password with the stored hash of an account."""

    member_id: uuid.UUID
    password_hash: str = field(repr=False)
    right: bool


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A new session. Give its `token` out once and store it nowhere.

    `last_on`: the last day before, on which the person opened a page; None for the first time.
    """

    token: str = field(repr=False)
    session: StaffSession
    member: StaffMember
    last_on: date | None = None


def sign_in_with_password(
    operation: Operation,
    *,
    email: str,
    password: str,
    totp: str,
    kind: SessionKind,
    absolute_hours: int,
    hasher: PasswordHasherSettings = STANDARD,
    checked: PasswordCheck | None = None,
) -> SignedIn:
    """Open a session for somebody with the right password and an unused TOTP code.

    The operation's actor is `unknown_sign_ins.UNKNOWN`; `checked` is the result of `check_password`.
    Raises `SignInFailed` for every cause. The failure's audit entry is then in the session, so the caller
    catches the exception and COMMITS: a rollback would lose the trace of a guess.
    The account's row is locked during the comparison, so two requests cannot both use one code.
    """
    checked = checked or check_password(operation.session, email=email, password=password, hasher=hasher)
    member = lock_member(operation.session, checked.member_id)
    step = _accepted_step(operation, member, totp)
    right = member is not None and step is not None and _still_right(checked, member)
    if member is None or not right or signs_in_elsewhere(operation.session, member):
        record_failure(operation, member)
        raise SignInFailed
    member.totp_last_step = step
    if needs_rehash(member.password_hash, hasher):
        member.password_hash = hash_password(password, hasher)
    return open_for(operation, member, kind=kind, absolute_hours=absolute_hours, ground=Ground(kind))


def open_for(
    operation: Operation, member: StaffMember, *, kind: SessionKind, absolute_hours: int, ground: Ground
) -> SignedIn:
    """Open a session for somebody who has proved who they are, and record it."""
    lasts, last_on = timedelta(hours=absolute_hours), member.last_signed_in_on
    if kind == "page":
        # Before the flush: a second update of the row would lock its organisation too.
        member.last_signed_in_on = today(operation.clock)
    token, opened = open_session(operation.session, member, kind, operation.now, lasts)
    by_member = operation.acting_as(actor_for(member))
    by_member.record(AuditAction.SIGN_IN, subject_id=member.id, ground=ground)
    return SignedIn(token=token, session=opened, member=member, last_on=last_on)


def record_failure(operation: Operation, member: StaffMember | None, ground: Ground | None = None) -> None:
    """Record that somebody tried to sign in and was refused; an unknown address is only counted."""
    if member is None:
        count_unknown(operation)
        return
    operation.acting_as(actor_for(member)).record(
        AuditAction.SIGN_IN_FAILED, subject_id=member.id, ground=ground, outcome="refused"
    )


def check_password(
    session: Session, *, email: str, password: str, hasher: PasswordHasherSettings = STANDARD
) -> PasswordCheck:
    """Compare a password, with the same work for an existing, a disabled and an unknown account.

    This only reads. Argon2 takes some 100 ms, so on SQLite call it in a session of `db.reading` and pass the
    result to `sign_in`. Otherwise a carrier's report waits for the writer's lock.
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
    """Lock the account's row and read it afresh; an unknown account costs the same statement."""
    query = (
        select(StaffMember)
        .where(StaffMember.id == member_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.scalar(query)


def lock_account(session: Session, staff_session: StaffSession) -> StaffMember:
    """Lock the account of a session that is still valid.

    Raises `NotSignedIn` when somebody disabled or recovered the account meanwhile.
    """
    member = lock_member(session, staff_session.staff_member_id)
    still = session.scalar(
        select(StaffSession.id).where(StaffSession.id == staff_session.id, StaffSession.revoked_at.is_(None))
    )
    if member is None or member.disabled_at is not None or still is None:
        raise NotSignedIn
    return member


def _accepted_step(operation: Operation, member: StaffMember | None, code: str) -> int | None:
    if member is None:
        verify_totp(_SECRET_OF_NOBODY, code, operation.now, None)  # the same work
        return None
    secret = open_totp(operation.keystore, member)
    return verify_totp(secret, code, operation.now, member.totp_last_step)


def _still_right(checked: PasswordCheck, member: StaffMember) -> bool:
    """Tell whether the password was right and the account has not changed since the comparison."""
    unchanged = checked.password_hash == member.password_hash and member.disabled_at is None
    return checked.right and unchanged
