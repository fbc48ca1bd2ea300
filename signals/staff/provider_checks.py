"""Ask providers whether they still know who is signed in, and end sessions that they end."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from signals.audit.grounds import Ground
from signals.clock import Clock
from signals.models import Challenge, IdentityProvider, StaffMember, StaffSession
from signals.operation import Operation, Parts, open_operation
from signals.staff.openid import LEEWAY, Client, Directory, ProviderRefused, ProviderUnavailable, client_of
from signals.staff.provider_sign_in import CHECKED_EVERY, open_refresh, seal_refresh
from signals.staff.providers import provider_of
from signals.staff.sessions import PROVIDER_LASTS, revoke_all, revoke_where
from signals.vocabulary import AuditAction

_JTI: Final = uuid.UUID("6f0c8a3e-1f57-4b39-9d52-0c1f5a0f5a11")


@dataclass(frozen=True, kw_only=True)
class _Due:
    """A session to ask about. Its refresh token is out of the row meanwhile: a provider takes each once."""

    session_id: uuid.UUID
    subject: str
    token: str
    client: Client


def check_sessions(parts: Parts, sessions: sessionmaker[Session], directory: Directory, folder: Path) -> int:
    """Ask about every session that was last confirmed 40 minutes ago; return how many were asked about.

    A provider that does not answer is asked again a minute later; after an hour the session ends by itself.
    No transaction is open while a provider is asked.
    """
    with sessions() as session:
        waiting = _waiting(session, parts.clock)
    for session_id in waiting:
        with sessions.begin() as session:
            due = _taken(open_operation(parts, session), session_id, directory, folder)
        if due is not None:
            _ask(parts, sessions, due)
    return len(waiting)


def end_sessions(operation: Operation, provider: IdentityProvider, claims: Mapping[str, Any]) -> int:
    """End the sessions that a checked logout token names, and return how many; it works once.

    With `sid` those of that sign-in, else all of that person. Raises `ProviderRefused` for a used token.
    """
    _use_once(operation, f"{provider.issuer} {claims['jti']}")
    which = [
        StaffSession.checked_at.is_not(None),
        StaffMember.identity_issuer == provider.issuer,
        StaffMember.organisation_id == provider.organisation_id,
    ]
    if "sub" in claims:
        which.append(StaffMember.identity_subject == claims["sub"])
    if "sid" in claims:
        which.append(StaffSession.provider_sid == claims["sid"])
    found = select(StaffSession.id).join(StaffSession.staff_member).where(*which)
    ids = operation.session.scalars(found).all()
    ended = revoke_where(operation.session, operation.clock, StaffSession.id.in_(ids))
    for one in operation.session.scalars(select(StaffSession).where(StaffSession.id.in_(ids))):
        _record(operation, one.staff_member)
    return ended


def _waiting(session: Session, clock: Clock) -> list[uuid.UUID]:
    now = clock.now()
    query = select(StaffSession.id).where(
        StaffSession.revoked_at.is_(None),
        StaffSession.refresh_sealed.is_not(None),
        StaffSession.expires_at > now,
        StaffSession.checked_at <= now - CHECKED_EVERY,
        StaffSession.checked_at > now - PROVIDER_LASTS,
    )
    return list(session.scalars(query))


def _taken(operation: Operation, session_id: uuid.UUID, directory: Directory, folder: Path) -> _Due | None:
    found = _lock(operation.session, session_id)
    if found is None or found.revoked_at is not None or found.refresh_sealed is None:
        return None
    member = found.staff_member
    provider = provider_of(operation.session, member.organisation_id)
    if provider is None or provider.issuer != member.identity_issuer:
        revoke_where(operation.session, operation.clock, StaffSession.id == session_id)
        return None
    token, found.refresh_sealed = open_refresh(operation.keystore, found), None
    try:
        client = client_of(provider, directory, folder=folder, site=operation.site)
    except ProviderUnavailable:
        found.refresh_sealed = seal_refresh(operation.keystore, session_id, token)
        return None
    return _Due(session_id=session_id, subject=member.identity_subject or "", token=token, client=client)


def _ask(parts: Parts, sessions: sessionmaker[Session], due: _Due) -> None:
    token, confirmed, ended = due.token, False, False
    try:
        token, confirmed = due.client.refresh(due.token, subject=due.subject), True
    except ProviderRefused:
        ended = True
    except ProviderUnavailable:
        pass  # the token goes back into its row below, and the next minute asks again
    with sessions.begin() as session:
        operation = open_operation(parts, session)
        found = _lock(session, due.session_id)
        if found is None or found.revoked_at is not None:
            return
        if ended:
            revoke_all(session, operation.clock, member=found.staff_member)
            _record(operation, found.staff_member)
            return
        found.refresh_sealed = seal_refresh(operation.keystore, found.id, token)
        found.checked_at = operation.now if confirmed else found.checked_at


def _lock(session: Session, session_id: uuid.UUID) -> StaffSession | None:
    query = select(StaffSession).where(StaffSession.id == session_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def _use_once(operation: Operation, jti: str) -> None:
    """Mark a logout token as used, as long as its age lets it count."""
    used = Challenge(
        id=uuid.uuid5(_JTI, jti),
        purpose="logout",
        challenge=b"",
        expires_at=operation.now + timedelta(seconds=2 * LEEWAY),
    )
    operation.session.execute(delete(Challenge).where(Challenge.expires_at <= operation.now))
    try:
        with operation.session.begin_nested():
            operation.session.add(used)
    except IntegrityError:
        raise ProviderRefused from None


def _record(operation: Operation, member: StaffMember) -> None:
    operation.record(
        AuditAction.SIGN_OUT,
        subject_id=member.id,
        ground=Ground.PROVIDER,
        organisation_id=member.organisation_id,
    )
