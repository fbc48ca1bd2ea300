"""Sign in somebody whom the provider of their organisation has identified; roles never come from there.

People are invited here by name. The first sign-in binds the issuer and the subject to the account, and the
seal of its row covers both. A bound account has no other way in, except a printed code.
"""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select

from privacy.sealing import open_bytes, seal_bytes
from privacy.totp import verify_totp
from signals.audit.grounds import Ground
from signals.errors import SignalsError, SignInFailed
from signals.models import AccountLink, IdentityProvider, StaffMember, StaffSession
from signals.models.base import new_id
from signals.models.staff import NOT_ACTIVATED
from signals.operation import Operation
from signals.staff.identity import Secrets, normal_email, open_totp
from signals.staff.openid import Identity
from signals.staff.providers import domain_of
from signals.staff.sessions import revoke_all
from signals.staff.sign_in import SignedIn, lock_member, open_for, record_failure

CHECKED_EVERY: Final = timedelta(minutes=40)
"""How old the provider's last word becomes before the worker asks again; see `sessions.PROVIDER_LASTS`."""


class SecondFactorWanted(SignalsError):
    """The provider stated no second factor, so this service asks for a code."""

    code = "second_factor_wanted"
    status = 401


class SetUpFirst(SignInFailed):
    """The provider stated no second factor, and this account has none yet: its mailed link sets it up."""

    code = "set_up_first"


def sign_in_at_provider(
    operation: Operation,
    *,
    provider: IdentityProvider,
    identity: Identity,
    absolute_hours: int,
    totp: str | None = None,
) -> SignedIn:
    """Open a session for an identified person, and bind the account at the first time.

    `totp`: a code of this service's own second factor. Raises `SecondFactorWanted` when one is needed,
    `SetUpFirst` when there is none, and `SignInFailed` for anybody who was not invited under this address.
    The caller commits after a `SignInFailed`, as with a password.
    """
    member = _member_for(operation, provider, identity)
    if not identity.methods & set(provider.factors.split()):
        _require_own_factor(operation, member, totp)
        identity = replace(identity, proved_at=operation.now)
    if member.invited:
        member.totp_last_step = None
    _bind(operation, member, (provider.issuer, identity.subject))
    opened = open_for(operation, member, kind="page", absolute_hours=absolute_hours, ground=Ground.PROVIDER)
    _tie(operation, opened.session, identity)
    return opened


def seal_refresh(keystore: Secrets, session_id: uuid.UUID, token: str) -> bytes | None:
    """Seal a refresh token to the row of its session."""
    place = _place(session_id)
    key = keystore.secret("refresh-tokens")
    return seal_bytes(token.encode(), key, associated_data=place) if token else None


def open_refresh(keystore: Secrets, staff_session: StaffSession) -> str:
    """Return the refresh token of a session; empty without one."""
    sealed, key = staff_session.refresh_sealed, keystore.secret("refresh-tokens")
    return open_bytes(sealed, key, associated_data=_place(staff_session.id)).decode() if sealed else ""


def _member_for(operation: Operation, provider: IdentityProvider, identity: Identity) -> StaffMember:
    found = operation.session.scalar(
        select(StaffMember.id).where(
            StaffMember.identity_issuer == provider.issuer, StaffMember.identity_subject == identity.subject
        )
    )
    member = lock_member(operation.session, found or _invited_as(operation, provider, identity))
    own = member is not None and member.organisation_id == provider.organisation_id
    if member is None or not own or member.disabled_at is not None:
        record_failure(operation, member if own else None, Ground.PROVIDER)
        raise SignInFailed
    return member


def _invited_as(operation: Operation, provider: IdentityProvider, identity: Identity) -> uuid.UUID:
    """Return the unbound account of an address in the provider's domains, or an id of nobody."""
    nobody, email = uuid.UUID(int=0), normal_email(identity.email)
    if identity.unverified or domain_of(email) not in provider.domains.split():
        return nobody
    query = select(StaffMember.id).where(
        StaffMember.email == email, StaffMember.identity_issuer.is_distinct_from(provider.issuer)
    )
    return operation.session.scalar(query) or nobody


def _bind(operation: Operation, member: StaffMember, identity: tuple[str, str]) -> None:
    """Bind an account; the first time ends what was opened or mailed before, as no provider could end it."""
    if (member.identity_issuer, member.identity_subject) != identity:
        revoke_all(operation.session, operation.clock, member=member)
        operation.session.execute(delete(AccountLink).where(AccountLink.staff_member_id == member.id))
    member.identity_issuer, member.identity_subject = identity


def _require_own_factor(operation: Operation, member: StaffMember, totp: str | None) -> None:
    if member.totp_last_step == NOT_ACTIVATED:
        record_failure(operation, member, Ground.PROVIDER)
        raise SetUpFirst
    if totp is None:
        raise SecondFactorWanted
    step = verify_totp(open_totp(operation.keystore, member), totp, operation.now, member.totp_last_step)
    if step is None:
        record_failure(operation, member, Ground.PROVIDER)
        raise SignInFailed
    member.totp_last_step = step


def _tie(operation: Operation, opened: StaffSession, identity: Identity) -> None:
    """Tie a session to the provider's word; without a time of proof it counts as proved long ago."""
    opened.id = new_id()
    opened.checked_at, opened.provider_sid = operation.now, identity.sid
    opened.proved_at = identity.proved_at or operation.now - timedelta(days=1)
    opened.refresh_sealed = seal_refresh(operation.keystore, opened.id, identity.refresh_token)


def _place(session_id: uuid.UUID) -> bytes:
    return b"staff_sessions.refresh_sealed\x00" + session_id.bytes
