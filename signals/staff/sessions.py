"""Open, recognise and revoke sessions of browsers and programs, and programs' tokens.

The database holds only hashes of the tokens. A revoked session ends at once, in every process.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm import Session, contains_eager

from signals.audit.grounds import Ground
from signals.audit.log import Actor
from signals.clock import Clock
from signals.errors import NotSignedIn
from signals.models import StaffMember, StaffSession
from signals.models.sealed import RowRefused
from signals.operation import Operation
from signals.staff.identity import actor_for
from signals.vocabulary import AuditAction

SessionKind = Literal["page", "api", "token"]

TOKEN_PREFIX: Final = "sig_"  # noqa: S105  (marks a leaked token for scanners; it is no secret)
TOUCH_EVERY: Final = timedelta(minutes=1)
PROVIDER_LASTS: Final = timedelta(hours=1)
"""So long a session lasts after the provider of the organisation last confirmed it."""

# Built once: every request of the staff side runs this query, and building it costs more than running it.
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
    """Return the live session of a token, with its `staff_member` loaded.

    Raises `NotSignedIn` when the session is unknown, of another kind, revoked, expired, or idle for
    `idle_minutes`, or when its owner is disabled, or when the provider confirmed it too long ago. Tokens of
    programs have no idle limit.
    `touch` moves `last_seen_at` at most once a minute. Pass False in a session that only reads.
    """
    query = _BY_TOKEN.with_for_update(of=StaffSession) if touch else _BY_TOKEN
    try:
        found = session.scalar(query, {"token_hash": _hash_of(token), "kinds": list(kinds)})
    except RowRefused:  # the alarm is raised; the caller hears nothing of it
        raise NotSignedIn from None
    now = clock.now()
    if found is None or not _is_live(found, now, timedelta(minutes=idle_minutes)):
        raise NotSignedIn
    if touch and now - found.last_seen_at >= TOUCH_EVERY:
        found.last_seen_at = now
    return found


def sign_out(operation: Operation, staff_session: StaffSession, *, ground: Ground | None = None) -> None:
    """Revoke one session or token of the actor."""
    staff_session.revoked_at = staff_session.revoked_at or operation.now
    staff_session.refresh_sealed = None
    operation.record(AuditAction.SIGN_OUT, subject_id=operation.actor.id, ground=ground)


def revoke_all(session: Session, clock: Clock, *, member: StaffMember) -> int:
    """Revoke every live session and token of a person and return how many there were."""
    return revoke_where(session, clock, StaffSession.staff_member_id == member.id)


def revoke_where(session: Session, clock: Clock, *which: ColumnElement[bool]) -> int:
    """Revoke these sessions and tokens, so far as they live, and return how many there were."""
    query = select(StaffSession).where(StaffSession.revoked_at.is_(None), *which).order_by(StaffSession.id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(locked).all()
    for one in found:
        one.revoked_at, one.refresh_sealed = clock.now(), None
    session.flush()
    return len(found)


def actor_of(staff_session: StaffSession) -> Actor:
    """Return the actor of this session."""
    return actor_for(staff_session.staff_member)


def csrf_token(session_token: str) -> str:
    """Return the CSRF token of this session: an HMAC-SHA256 under its token. Nothing is stored."""
    return hmac.new(session_token.encode(), b"signals/csrf/v1", hashlib.sha256).hexdigest()


def csrf_matches(session_token: str, given: str) -> bool:
    """Tell in constant time whether a form came from a page of this session."""
    return hmac.compare_digest(csrf_token(session_token).encode(), given.encode("utf-8", "replace"))


def open_session(
    session: Session, member: StaffMember, kind: SessionKind, now: datetime, lasts: timedelta
) -> tuple[str, StaffSession]:
    """Return a new token and its session; the database holds only the hash of the token."""
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
    if found.checked_at is not None and now - found.checked_at >= PROVIDER_LASTS:
        return False
    if found.kind != "token" and now - found.last_seen_at >= idle:
        return False
    return now < found.expires_at
