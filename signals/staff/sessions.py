"""Sessions of browsers and programs, and programs' tokens: opened, recognised, revoked.

Only hashes of the bearers' secrets are stored. They live in the database, so that revoking one works at once
and in every process.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session, contains_eager

from signals.audit.log import Actor, AuditLog
from signals.clock import Clock
from signals.errors import NotSignedIn
from signals.models import StaffMember, StaffSession
from signals.staff.identity import actor_for
from signals.vocabulary import AuditAction

SessionKind = Literal["page", "api", "token"]

TOKEN_PREFIX: Final = "sig_"  # noqa: S105  (marks a leaked token for scanners; it is no secret)
TOUCH_EVERY: Final = timedelta(minutes=1)

# Made once, for every request of the staff side asks it: to make it costs more than to run it.
_BY_TOKEN: Final = (
    select(StaffSession)
    .join(StaffSession.staff_member)
    .options(contains_eager(StaffSession.staff_member))
    .where(
        StaffSession.token_hash == bindparam("token_hash"),
        StaffSession.kind.in_(bindparam("kinds", expanding=True)),
    )
)


def authenticate(
    session: Session,
    clock: Clock,
    *,
    token: str,
    kinds: Collection[SessionKind],
    idle_minutes: int,
    touch: bool = True,
) -> StaffSession:
    """The live session of a bearer's secret, with its `staff_member` loaded.

    Raises `NotSignedIn` when it is unknown, of another kind, revoked, past its end, idle for `idle_minutes`
    (programs' tokens have no idle limit) or its owner is disabled. `touch` moves `last_seen_at`, at most
    once a minute; pass False in a session that only reads.
    """
    found = session.scalar(_BY_TOKEN, {"token_hash": _hash_of(token), "kinds": list(kinds)})
    now = clock.now()
    if found is None or not _is_live(found, now, timedelta(minutes=idle_minutes)):
        raise NotSignedIn
    if touch and now - found.last_seen_at >= TOUCH_EVERY:
        found.last_seen_at = now
    return found


def sign_out(session: Session, clock: Clock, *, staff_session: StaffSession, audit: AuditLog) -> None:
    """Revoke one session or token."""
    staff_session.revoked_at = staff_session.revoked_at or clock.now()
    actor = actor_of(staff_session)
    audit.record(session, clock, actor=actor, action=AuditAction.SIGN_OUT, subject_id=actor.id)


def revoke_all(session: Session, clock: Clock, *, member: StaffMember) -> int:
    """Revoke every live session and token of a person at once; returns how many."""
    query = (
        update(StaffSession)
        .where(StaffSession.staff_member_id == member.id, StaffSession.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .returning(StaffSession.id)
    )
    return len(session.scalars(query).all())


def actor_of(staff_session: StaffSession) -> Actor:
    """Who acts in this session, for domain functions and the audit."""
    return actor_for(staff_session.staff_member)


def csrf_token(session_token: str) -> str:
    """What forms of this session carry: HMAC-SHA256 under the session's secret, so nothing is stored."""
    return hmac.new(session_token.encode(), b"signals/csrf/v1", hashlib.sha256).hexdigest()


def csrf_matches(session_token: str, given: str) -> bool:
    """Whether a form came from a page of this session, in constant time."""
    return hmac.compare_digest(csrf_token(session_token).encode(), given.encode("utf-8", "replace"))


def open_session(
    session: Session, member: StaffMember, kind: SessionKind, now: datetime, lasts: timedelta
) -> tuple[str, StaffSession]:
    """A new session and its secret, which is stored as a hash only."""
    token = (TOKEN_PREFIX if kind == "token" else "") + secrets.token_urlsafe(32)
    opened = StaffSession(
        staff_member=member,
        kind=kind,
        token_hash=_hash_of(token),
        created_at=now,
        last_seen_at=now,
        expires_at=now + lasts,
    )
    session.add(opened)
    return token, opened


def _hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _is_live(found: StaffSession, now: datetime, idle: timedelta) -> bool:
    if found.revoked_at is not None or found.staff_member.disabled_at is not None:
        return False
    if found.kind != "token" and now - found.last_seen_at >= idle:
        return False
    return now < found.expires_at
