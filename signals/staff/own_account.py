"""Change the own account: password, authenticator, language and open sessions."""

import hashlib
import hmac
import uuid
from base64 import b32encode
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from privacy.passwords import STANDARD, PasswordHasherSettings, hash_password
from privacy.totp import verify_totp
from signals.audit.grounds import Ground
from signals.clock import Clock
from signals.errors import FieldProblem, Invalid, NotFound
from signals.models import AccountLink, StaffSession
from signals.operation import Operation
from signals.staff.identity import Secrets, seal_totp
from signals.staff.new_passwords import problems_of_password
from signals.staff.sessions import revoke_where, sign_out
from signals.staff.sign_in import lock_account
from signals.vocabulary import STAFF_LANGUAGES, AuditAction

RECENTLY: Final = timedelta(minutes=10)
"""How long after signing in somebody may change how they sign in; an open browser is not enough."""


ADMINISTERING: Final = timedelta(minutes=15)
"""How long after signing in an administrator may change something."""


def signed_in_recently(clock: Clock, *, staff_session: StaffSession, within: timedelta = RECENTLY) -> bool:
    """Tell whether this session is young enough for changes that outlive it."""
    return clock.now() - (staff_session.proved_at or staff_session.created_at) < within


def change_password(
    operation: Operation,
    *,
    staff_session: StaffSession,
    password: str,
    hasher: PasswordHasherSettings = STANDARD,
) -> None:
    """Set a new password, and end every other session and a waiting account link.

    Tokens of programs stay; the page lists them. Raises `Invalid` (field `password`) and `NotSignedIn`.
    """
    known = staff_session.staff_member
    problems = list(problems_of_password(password, name=known.name, email=known.email))
    if problems:
        raise Invalid(*problems)
    new_hash = hash_password(password, hasher)  # takes some 100 ms, so it runs before the row is locked
    member = lock_account(operation.session, staff_session)
    member.password_hash = new_hash
    operation.session.execute(delete(AccountLink).where(AccountLink.staff_member_id == member.id))
    _revoke_others(operation, staff_session)
    _record(operation, AuditAction.PASSWORD_CHANGED, Ground.OWN)


def change_language(operation: Operation, *, staff_session: StaffSession, language: str) -> None:
    """Set the language of this person's pages and messages. Raises `Invalid` (field `language`)."""
    if language not in STAFF_LANGUAGES:
        raise Invalid(FieldProblem(field="language", code="not_a_choice"))
    staff_session.staff_member.language = language
    _record(operation, AuditAction.STAFF_CHANGED, Ground.ANOTHER_LANGUAGE)


def offered_totp(keystore: Secrets, staff_session: StaffSession) -> str:
    """Return the new TOTP secret (base32) that this session may use; it stays the same until then."""
    member = staff_session.staff_member
    of = b"\x00".join((b"totp-offer/v1", staff_session.token_hash, member.totp_sealed))
    return b32encode(hmac.new(keystore.secret("totp-offers"), of, hashlib.sha256).digest()[:20]).decode()


def change_totp(operation: Operation, *, staff_session: StaffSession, totp: str) -> None:
    """Replace the authenticator by the offered one after a right code, and end all other sessions.

    Raises `Invalid` (field `totp`) and `NotSignedIn`.
    """
    secret = offered_totp(operation.keystore, staff_session)
    step = verify_totp(secret, totp, operation.now, None)
    if step is None:
        raise Invalid(FieldProblem(field="totp", code="wrong_code"))
    member = lock_account(operation.session, staff_session)
    member.totp_sealed = seal_totp(operation.keystore, member.id, secret)
    member.totp_last_step = step
    _revoke_others(operation, staff_session)
    _record(operation, AuditAction.STAFF_CHANGED, Ground.AUTHENTICATOR)


def sessions_of(
    session: Session, clock: Clock, *, member_id: uuid.UUID, idle_minutes: int
) -> Sequence[StaffSession]:
    """Return the live sessions and tokens of a person, last used first."""
    now = clock.now()
    query = select(StaffSession).where(
        StaffSession.staff_member_id == member_id,
        StaffSession.revoked_at.is_(None),
        StaffSession.expires_at > now,
        (StaffSession.kind == "token") | (StaffSession.last_seen_at > now - timedelta(minutes=idle_minutes)),
    )
    return session.scalars(query.order_by(StaffSession.last_seen_at.desc(), StaffSession.id)).all()


def revoke_one(operation: Operation, session_id: uuid.UUID) -> None:
    """End one of the actor's sessions or tokens. Raises `NotFound` for another person's."""
    found = operation.session.get(StaffSession, session_id, with_for_update=True)
    if found is None or found.staff_member_id != operation.actor.id:
        raise NotFound
    sign_out(operation, found, ground=Ground.FROM_ACCOUNT)


def _revoke_others(operation: Operation, staff_session: StaffSession) -> None:
    revoke_where(
        operation.session,
        operation.clock,
        StaffSession.staff_member_id == staff_session.staff_member_id,
        StaffSession.id != staff_session.id,
        StaffSession.kind != "token",
    )


def _record(operation: Operation, action: AuditAction, ground: Ground) -> None:
    operation.record(action, subject_id=operation.actor.id, ground=ground)
