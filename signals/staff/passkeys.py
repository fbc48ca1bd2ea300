"""Register passkeys (WebAuthn level 2), and sign in with a passkey in place of password and code.

The device verifies the person at every use (`user verification`), so a passkey is two factors.
"""

import uuid
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.clock import Clock
from signals.errors import FieldProblem, Invalid, NotFound, SignInFailed
from signals.models import Passkey, StaffMember, StaffSession
from signals.operation import Operation
from signals.staff.challenges import (
    ChallengeRefused,
    Purpose,
    new_challenge,
    require_challenge,
    use_challenge,
)
from signals.staff.identity import Secrets
from signals.staff.providers import signs_in_elsewhere
from signals.staff.relying_party import (
    PasskeyRefused,
    RelyingParty,
    challenge_in,
    creation_options,
    parsed,
    request_options,
    verified_count,
    verified_registration,
)
from signals.staff.sign_in import SignedIn, lock_account, lock_member, open_for, record_failure
from signals.vocabulary import AuditAction

MOST_PASSKEYS: Final = 10
MAX_LABEL: Final = 60


def passkeys_of(session: Session, *, member_id: uuid.UUID) -> Sequence[Passkey]:
    """Return a person's passkeys, oldest first."""
    query = select(Passkey).where(Passkey.staff_member_id == member_id)
    return session.scalars(query.order_by(Passkey.created_on, Passkey.label, Passkey.id)).all()


def registration_options(operation: Operation, *, party: RelyingParty, member: StaffMember) -> str:
    """Return JSON for `navigator.credentials.create`."""
    challenge = new_challenge(
        operation.clock, keystore=operation.keystore, purpose="register", member_id=member.id
    )
    return creation_options(party, member, challenge, passkeys_of(operation.session, member_id=member.id))


def register(
    operation: Operation, *, party: RelyingParty, staff_session: StaffSession, answer: str, label: str
) -> Passkey:
    """Add a passkey for a person who just signed in; `answer` is the device's answer in JSON.

    `label` has 1 to 60 characters, and a person has at most ten passkeys. Raises `Invalid`,
    `ChallengeRefused` and `PasskeyRefused`, and `NotSignedIn` for an account that was disabled or recovered.
    """
    session, label = operation.session, _checked_label(label)
    member = lock_account(session, staff_session)
    if len(passkeys_of(session, member_id=member.id)) >= MOST_PASSKEYS:
        raise Invalid(FieldProblem(field="label", code="too_many"))
    challenge = challenge_in(answer)
    require_challenge(operation, challenge, "register", member.id)
    verified = verified_registration(party, answer, challenge)
    use_challenge(operation, challenge, "register", member.id)
    made = Passkey(
        staff_member_id=member.id,
        label=label,
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        created_on=operation.today,
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError:
        raise PasskeyRefused from None  # the credential is known already
    _record(operation, Ground.ADDED)
    return made


def rename(operation: Operation, *, passkey_id: uuid.UUID, label: str) -> None:
    """Rename one of the actor's passkeys. Raises `Invalid`, and `NotFound` for another person's."""
    _own(operation, passkey_id).label = _checked_label(label)
    _record(operation, Ground.RENAMED)


def remove(operation: Operation, *, passkey_id: uuid.UUID) -> None:
    """Delete one of the actor's passkeys. Raises `NotFound` for another person's."""
    operation.session.delete(_own(operation, passkey_id))
    _record(operation, Ground.REMOVED)


def sign_in_options(
    clock: Clock, *, keystore: Secrets, party: RelyingParty, member_id: uuid.UUID | None = None
) -> str:
    """Return JSON for `navigator.credentials.get`; everybody gets the same options.

    With `member_id` the answer confirms that signed-in person instead of signing somebody in.
    """
    challenge = new_challenge(clock, keystore=keystore, purpose=_purpose(member_id), member_id=member_id)
    return request_options(party, challenge)


def sign_in_with_passkey(
    operation: Operation,
    *,
    party: RelyingParty,
    answer: str,
    absolute_hours: int,
    member_id: uuid.UUID | None = None,
) -> SignedIn:
    """Open a page session for the owner of a passkey; `answer` is the device's answer in JSON.

    With `member_id` the passkey must be that person's. Raises `SignInFailed` for every cause. The caller
    catches it and COMMITS, because the session holds the audit entry of a known passkey's refusal.
    A counter that did not grow is the sign of a copied passkey (WebAuthn 6.1.1). The passkey is then refused
    and `passkey_copied` is recorded.
    """
    session, credential = operation.session, parsed(answer)
    found = session.scalar(select(Passkey).where(Passkey.credential_id == credential.raw_id))
    member = lock_member(session, found.staff_member_id) if found else None
    passkey = _lock(session, credential.raw_id) if member else None
    if member is None or passkey is None:
        raise SignInFailed
    refusal = _refusal(operation, party, passkey, member, answer, member_id)
    if refusal:
        record_failure(operation, member, refusal)
        raise SignInFailed
    return open_for(operation, member, kind="page", absolute_hours=absolute_hours, ground=Ground.PASSKEY)


def _refusal(
    operation: Operation,
    party: RelyingParty,
    passkey: Passkey,
    member: StaffMember,
    answer: str,
    member_id: uuid.UUID | None,
) -> Ground | None:
    """Return the ground of a refusal; for a good answer, store the counter and return nothing."""
    if member.disabled_at is not None or member_id not in (None, member.id):
        return Ground.PASSKEY
    if signs_in_elsewhere(operation.session, member):
        return Ground.PASSKEY
    try:
        challenge = challenge_in(answer)
        require_challenge(operation, challenge, _purpose(member_id), member_id)
        count = verified_count(party, passkey, answer, challenge)
        use_challenge(operation, challenge, _purpose(member_id), member_id)
    except (PasskeyRefused, ChallengeRefused):
        return Ground.PASSKEY
    if (count or passkey.sign_count) and count <= passkey.sign_count:
        return Ground.PASSKEY_COPIED
    passkey.sign_count = count
    return None


def _purpose(member_id: uuid.UUID | None) -> Purpose:
    return "confirm" if member_id else "sign_in"


def _checked_label(label: str) -> str:
    if not 1 <= len(label.strip()) <= MAX_LABEL:
        raise Invalid(FieldProblem(field="label", code="out_of_range"))
    return label.strip()


def _lock(session: Session, credential_id: bytes) -> Passkey | None:
    query = select(Passkey).where(Passkey.credential_id == credential_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def _own(operation: Operation, passkey_id: uuid.UUID) -> Passkey:
    passkey = operation.session.get(Passkey, passkey_id, with_for_update=True)
    if passkey is None or passkey.staff_member_id != operation.actor.id:
        raise NotFound
    return passkey


def _record(operation: Operation, ground: Ground) -> None:
    operation.record(AuditAction.PASSKEY_CHANGED, subject_id=operation.actor.id, ground=ground)
