"""What people change about their own account: how they sign in, their language, where they are signed in."""

import hashlib
import hmac
import uuid
from base64 import b32encode
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from privacy.passwords import STANDARD, PasswordHasherSettings, hash_password
from privacy.totp import verify_totp
from signals.audit.log import AuditLog
from signals.clock import Clock
from signals.errors import FieldProblem, Invalid, NotFound
from signals.models import AccountLink, StaffMember, StaffSession
from signals.staff.identity import Secrets, actor_for, seal_totp
from signals.staff.new_passwords import problems_of_password
from signals.staff.signing_in import lock_account
from signals.vocabulary import STAFF_LANGUAGES, AuditAction

RECENTLY: Final = timedelta(minutes=10)
"""So long after signing in somebody may change how they sign in; a browser left open is not enough."""


def signed_in_recently(clock: Clock, *, staff_session: StaffSession) -> bool:
    """Whether this session is young enough for changes that outlive it."""
    return clock.now() - staff_session.created_at < RECENTLY


def change_password(
    session: Session,
    clock: Clock,
    *,
    audit: AuditLog,
    staff_session: StaffSession,
    password: str,
    hasher: PasswordHasherSettings = STANDARD,
) -> None:
    """Set a new password and end every other session of this person; programs' tokens stay (they are listed).

    An account link that waits stops working. Raises `Invalid` (field `password`) and `NotSignedIn`.
    """
    known = staff_session.staff_member
    problems = list(problems_of_password(password, name=known.name, email=known.email))
    if problems:
        raise Invalid(*problems)
    new_hash = hash_password(password, hasher)  # before anything is locked: it takes some 100 ms
    member = lock_account(session, staff_session)
    member.password_hash = new_hash
    session.execute(delete(AccountLink).where(AccountLink.staff_member_id == member.id))
    revoke_others(session, clock, staff_session=staff_session)
    _record(session, clock, audit, member, AuditAction.PASSWORD_CHANGED, "own")


def change_language(
    session: Session, clock: Clock, *, audit: AuditLog, staff_session: StaffSession, language: str
) -> None:
    """Speak another language to this person from now on. Raises `Invalid` (field `language`)."""
    if language not in STAFF_LANGUAGES:
        raise Invalid(FieldProblem(field="language", code="not_a_choice"))
    member = staff_session.staff_member
    member.language = language
    _record(session, clock, audit, member, AuditAction.STAFF_CHANGED, "another_language")


def offered_totp(keystore: Secrets, staff_session: StaffSession) -> str:
    """The new TOTP secret (base32) that this session may enrol: the same until one is enrolled."""
    member = staff_session.staff_member
    of = b"\x00".join((b"totp-offer/v1", staff_session.token_hash, member.totp_sealed))
    return b32encode(hmac.new(keystore.secret("totp-offers"), of, hashlib.sha256).digest()[:20]).decode()


def change_totp(
    session: Session,
    clock: Clock,
    *,
    keystore: Secrets,
    audit: AuditLog,
    staff_session: StaffSession,
    totp: str,
) -> None:
    """Take the offered authenticator in place of the old one, after a code of it, and end all other sessions.

    Raises `Invalid` (field `totp`) and `NotSignedIn`.
    """
    secret = offered_totp(keystore, staff_session)
    step = verify_totp(secret, totp, clock.now(), None)
    if step is None:
        raise Invalid(FieldProblem(field="totp", code="wrong_code"))
    member = lock_account(session, staff_session)
    member.totp_sealed, member.totp_last_step = seal_totp(keystore, member.id, secret), step
    revoke_others(session, clock, staff_session=staff_session)
    _record(session, clock, audit, member, AuditAction.STAFF_CHANGED, "authenticator")


def sessions_of(
    session: Session, clock: Clock, *, member_id: uuid.UUID, idle_minutes: int
) -> Sequence[StaffSession]:
    """Where a person is signed in now, and their programs' tokens; last used first."""
    now = clock.now()
    query = select(StaffSession).where(
        StaffSession.staff_member_id == member_id,
        StaffSession.revoked_at.is_(None),
        StaffSession.expires_at > now,
        (StaffSession.kind == "token") | (StaffSession.last_seen_at > now - timedelta(minutes=idle_minutes)),
    )
    return session.scalars(query.order_by(StaffSession.last_seen_at.desc(), StaffSession.id)).all()


def revoke_one(
    session: Session, clock: Clock, *, audit: AuditLog, member: StaffMember, session_id: uuid.UUID
) -> None:
    """End an own session or token. Raises `NotFound` for another person's."""
    found = session.get(StaffSession, session_id)
    if found is None or found.staff_member_id != member.id:
        raise NotFound
    found.revoked_at = found.revoked_at or clock.now()
    _record(session, clock, audit, member, AuditAction.SIGN_OUT, "from_account")


def revoke_others(session: Session, clock: Clock, *, staff_session: StaffSession) -> None:
    """End every other session of this person, in browsers and of programs; tokens stay."""
    session.execute(
        update(StaffSession)
        .where(
            StaffSession.staff_member_id == staff_session.staff_member_id,
            StaffSession.id != staff_session.id,
            StaffSession.kind != "token",
            StaffSession.revoked_at.is_(None),
        )
        .values(revoked_at=clock.now())
    )


def _record(
    session: Session, clock: Clock, audit: AuditLog, member: StaffMember, action: AuditAction, ground: str
) -> None:
    audit.record(session, clock, actor=actor_for(member), action=action, subject_id=member.id, ground=ground)
