"""Passkeys (WebAuthn level 2): registered by who just signed in, and then used in place of password and code.

The person must be verified by the device at every use (`user verification`), so a passkey is two factors. The
library is imported late: it is slow to load and few requests need it.
"""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from signals.audit.log import Actor, AuditLog
from signals.clock import Clock, today
from signals.errors import FieldProblem, Invalid, NotFound, SignalsError, SignInFailed
from signals.models import Passkey, StaffMember, StaffSession
from signals.staff.challenges import (
    ChallengeRefused,
    Purpose,
    new_challenge,
    require_challenge,
    use_challenge,
)
from signals.staff.identity import Secrets, actor_for
from signals.staff.sessions import open_session
from signals.staff.signing_in import SignedIn, lock_account, lock_member
from signals.vocabulary import AuditAction

MOST_PASSKEYS: Final = 10
MAX_LABEL: Final = 60
MAX_ANSWER: Final = 16 * 1024
NAME: Final = "Signalen"
_LOOPBACK: Final = "localhost"


class PasskeyRefused(SignalsError):
    """The device's answer does not prove what was asked."""

    code = "passkey_refused"


@dataclass(frozen=True, kw_only=True)
class RelyingParty:
    """For whom passkeys are: `id` is a domain (WebAuthn knows no IP addresses), `origin` that of pages."""

    id: str
    origin: str

    @property
    def host(self) -> str:
        """Host and port, as a browser sends them."""
        return urlsplit(self.origin).netloc


def relying_party(public_url: str) -> RelyingParty | None:
    """Who we are to a browser; None at an IP address, for which there are no passkeys.

    This machine's own address is called `localhost`: there passkeys work without https.
    """
    parts = urlsplit(public_url)
    host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    address = _ip_address(host)
    if address is not None and not address.is_loopback:
        return None
    if address is not None:
        host = _LOOPBACK
    if parts.scheme != "https" and host != _LOOPBACK:
        return None
    return RelyingParty(id=host, origin=f"{parts.scheme}://{host}{port}")


def passkeys_of(session: Session, *, member_id: uuid.UUID) -> Sequence[Passkey]:
    """A person's passkeys, oldest first."""
    query = select(Passkey).where(Passkey.staff_member_id == member_id)
    return session.scalars(query.order_by(Passkey.created_on, Passkey.label, Passkey.id)).all()


def registration_options(
    session: Session, clock: Clock, *, keystore: Secrets, party: RelyingParty, member: StaffMember
) -> str:
    """JSON for `navigator.credentials.create`: a discoverable credential, the person verified."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import structs

    options = generate_registration_options(
        rp_id=party.id,
        rp_name=NAME,
        user_id=member.id.bytes,
        user_name=member.email,
        user_display_name=member.name,
        challenge=new_challenge(clock, keystore=keystore, purpose="register", member_id=member.id),
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            structs.PublicKeyCredentialDescriptor(id=known.credential_id)
            for known in passkeys_of(session, member_id=member.id)
        ],
    )
    return options_to_json(options)


def register(
    session: Session,
    clock: Clock,
    *,
    keystore: Secrets,
    audit: AuditLog,
    party: RelyingParty,
    staff_session: StaffSession,
    answer: str,
    label: str,
) -> Passkey:
    """Keep a new passkey of a person who just signed in. `answer`: the device's, as JSON.

    `label` has 1 to 60 characters, ten passkeys are the most. Raises `Invalid`, `ChallengeRefused` and
    `PasskeyRefused`, and `NotSignedIn` for an account that was disabled or recovered meanwhile.
    """
    label = _checked_label(label)
    member = lock_account(session, staff_session)
    member_id = member.id
    if len(passkeys_of(session, member_id=member_id)) >= MOST_PASSKEYS:
        raise Invalid(FieldProblem(field="label", code="too_many"))
    verified = _verified_registration(clock, keystore, party, member_id, answer)
    _use(session, clock, keystore, _challenge_in(answer), "register", member_id)
    made = Passkey(
        staff_member_id=member_id,
        label=label,
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        created_on=today(clock),
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError:
        raise PasskeyRefused from None  # this credential is known already
    _record(session, clock, audit, member, "added")
    return made


def rename(
    session: Session, clock: Clock, *, audit: AuditLog, member: StaffMember, passkey_id: uuid.UUID, label: str
) -> None:
    """Give an own passkey another name. Raises `Invalid`, and `NotFound` for another person's."""
    _own(session, member, passkey_id).label = _checked_label(label)
    _record(session, clock, audit, member, "renamed")


def remove(
    session: Session, clock: Clock, *, audit: AuditLog, member: StaffMember, passkey_id: uuid.UUID
) -> None:
    """Forget an own passkey: it opens nothing any more. Raises `NotFound` for another person's."""
    session.delete(_own(session, member, passkey_id))
    _record(session, clock, audit, member, "removed")


def sign_in_options(
    clock: Clock, *, keystore: Secrets, party: RelyingParty, member_id: uuid.UUID | None = None
) -> str:
    """JSON for `navigator.credentials.get`: any passkey of this site, alike for everybody who asks.

    With `member_id` the answer confirms that person, who is signed in, instead of signing somebody in.
    """
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    purpose: Purpose = "confirm" if member_id else "sign_in"
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=new_challenge(clock, keystore=keystore, purpose=purpose, member_id=member_id),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def sign_in_with_passkey(
    session: Session,
    clock: Clock,
    *,
    keystore: Secrets,
    audit: AuditLog,
    party: RelyingParty,
    answer: str,
    absolute_hours: int,
    member_id: uuid.UUID | None = None,
) -> SignedIn:
    """Open a page session for the owner of a passkey; `answer` is the device's, as JSON.

    Raises `SignInFailed`, alike for every cause; the caller catches it and COMMITS, for the trace of a known
    passkey's refusal is in the session. A counter that did not grow is the sign of a copied passkey (WebAuthn
    6.1.1) and is refused, recorded as `passkey_copied`. With `member_id` it must be that person's.
    """
    credential = _parsed(answer)
    found = session.scalar(select(Passkey).where(Passkey.credential_id == credential.raw_id))
    member = lock_member(session, found.staff_member_id) if found else None
    passkey = _lock(session, credential.raw_id) if member else None
    if member is None or passkey is None:
        raise SignInFailed
    refusal = _refusal(session, clock, keystore, party, passkey, member, answer, member_id)
    if refusal:
        _record_failure(session, clock, audit, member, refusal)
        raise SignInFailed
    token, opened = open_session(session, member, "page", clock.now(), timedelta(hours=absolute_hours))
    audit.record(
        session,
        clock,
        actor=actor_for(member),
        action=AuditAction.SIGN_IN,
        subject_id=member.id,
        ground="passkey",
    )
    return SignedIn(token=token, session=opened, member=member)


def _refusal(
    session: Session,
    clock: Clock,
    keystore: Secrets,
    party: RelyingParty,
    passkey: Passkey,
    member: StaffMember,
    answer: str,
    member_id: uuid.UUID | None,
) -> str:
    """Why this answer opens nothing, empty when it does; then the passkey's counter is moved."""
    if member.disabled_at is not None or member_id not in (None, member.id):
        return "passkey"
    purpose: Purpose = "confirm" if member_id else "sign_in"
    try:
        verified = _verified_use(clock, keystore, party, passkey, answer, purpose, member_id)
        _use(session, clock, keystore, _challenge_in(answer), purpose, member_id)
    except (PasskeyRefused, ChallengeRefused):
        return "passkey"
    if (verified.new_sign_count or passkey.sign_count) and verified.new_sign_count <= passkey.sign_count:
        return "passkey_copied"
    passkey.sign_count = verified.new_sign_count
    return ""


def _verified_registration(
    clock: Clock, keystore: Secrets, party: RelyingParty, member_id: uuid.UUID, answer: str
) -> Any:
    from webauthn import verify_registration_response

    challenge = _challenge_in(answer)
    require_challenge(clock, keystore=keystore, challenge=challenge, purpose="register", member_id=member_id)
    return _checked(
        lambda: verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    )


def _verified_use(
    clock: Clock,
    keystore: Secrets,
    party: RelyingParty,
    passkey: Passkey,
    answer: str,
    purpose: Purpose,
    member_id: uuid.UUID | None,
) -> Any:
    from webauthn import verify_authentication_response

    challenge = _challenge_in(answer)
    require_challenge(clock, keystore=keystore, challenge=challenge, purpose=purpose, member_id=member_id)
    handle = _parsed(answer).response.user_handle
    if handle is not None and handle != passkey.staff_member_id.bytes:
        raise PasskeyRefused
    return _checked(
        lambda: verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # compared by us, after the signature
            require_user_verification=True,
        )
    )


def _use(
    session: Session,
    clock: Clock,
    keystore: Secrets,
    challenge: bytes,
    purpose: Purpose,
    member_id: uuid.UUID | None,
) -> None:
    use_challenge(
        session, clock, keystore=keystore, challenge=challenge, purpose=purpose, member_id=member_id
    )


def _parsed(answer: str) -> Any:
    """An answer to `navigator.credentials.get`; raises `SignInFailed` for anything else."""
    from webauthn.helpers import parse_authentication_credential_json

    try:
        return _checked(lambda: parse_authentication_credential_json(answer[: MAX_ANSWER + 1]))
    except PasskeyRefused:
        raise SignInFailed from None


def _challenge_in(answer: str) -> bytes:
    """The challenge that an answer says it answers; raises `PasskeyRefused` when it says none."""
    from webauthn.helpers import base64url_to_bytes, parse_client_data_json

    if len(answer) > MAX_ANSWER:
        raise PasskeyRefused

    def read() -> bytes:
        client_data = base64url_to_bytes(json.loads(answer)["response"]["clientDataJSON"])
        return parse_client_data_json(client_data).challenge

    found: bytes = _checked(read)
    return found


def _checked(check: Callable[[], Any]) -> Any:
    """Raise `PasskeyRefused` for whatever the library finds wrong: its messages quote the answer."""
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return check()
    except (WebAuthnException, ValueError, TypeError, LookupError, AttributeError):
        raise PasskeyRefused from None


def _ip_address(host: str) -> Any:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _checked_label(label: str) -> str:
    if not 1 <= len(label.strip()) <= MAX_LABEL:
        raise Invalid(FieldProblem(field="label", code="out_of_range"))
    return label.strip()


def _lock(session: Session, credential_id: bytes) -> Passkey | None:
    query = select(Passkey).where(Passkey.credential_id == credential_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def _own(session: Session, member: StaffMember, passkey_id: uuid.UUID) -> Passkey:
    passkey = session.get(Passkey, passkey_id, with_for_update=True)
    if passkey is None or passkey.staff_member_id != member.id:
        raise NotFound
    return passkey


def _record(session: Session, clock: Clock, audit: AuditLog, member: StaffMember, ground: str) -> None:
    actor: Actor = actor_for(member)
    audit.record(
        session, clock, actor=actor, action=AuditAction.PASSKEY_CHANGED, subject_id=member.id, ground=ground
    )


def _record_failure(
    session: Session, clock: Clock, audit: AuditLog, member: StaffMember, ground: str
) -> None:
    audit.record(
        session,
        clock,
        actor=actor_for(member),
        action=AuditAction.SIGN_IN_FAILED,
        subject_id=member.id,
        ground=ground,
        outcome="refused",
    )
