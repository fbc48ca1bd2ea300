"""Recover an account by a mailed link, and set an account up with such a link.

A link works once and for 24 hours. Nobody stores its secret: a key of the keystore and the link's id give it.
It goes into the message during sending, and reaches the server in a form only. The inviter never sees it, so
no lead can act as a colleague.
"""

import hashlib
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final, Literal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from notifications.events import Event
from notifications.outbox import NewMessage, enqueue
from privacy.link_codes import CODE, LinkCodes
from privacy.passwords import STANDARD, PasswordHasherSettings, hash_password, unusable_password
from privacy.sealing import SealingError, open_bytes, seal_bytes
from privacy.totp import new_totp_secret, verify_totp
from signals.audit.grounds import Ground
from signals.audit.log import SYSTEM
from signals.clock import Clock, today
from signals.db import set_local
from signals.errors import Conflict, FieldProblem, Forbidden, Invalid, SignalsError
from signals.models import AccountLink, Approval, Passkey, StaffMember
from signals.models.sealed import RowRefused
from signals.models.staff import NOT_ACTIVATED
from signals.operation import Operation
from signals.staff.accounts import record_change
from signals.staff.change_messages import AccountSettings, notify
from signals.staff.identity import Secrets, actor_for, normal_email, seal_totp
from signals.staff.new_passwords import problems_of_password
from signals.staff.sessions import revoke_all
from signals.staff.sign_in import SignedIn, lock_member, open_for
from signals.staff.standing import is_live
from signals.vocabulary import STAFF_LANGUAGES, ApprovalAction, AuditAction, Role

_OFFERS: Final = "account-link-offers"
Purpose = Literal["invitation", "recovery"]

LASTS: Final = timedelta(hours=24)
MOST_LOOKS: Final = 3
"""So often a link shows an authenticator; then it ends, but for the forms that it has shown."""


class LinkRefused(SignalsError):
    """This link was used, is too old, was replaced by a newer one, or never existed."""

    code = "link_refused"
    status = 410


_NOT_RESET_TWICE: Final = frozenset({Role.PRIVACY_OFFICER, Role.ADMINISTRATOR})


class LinkLives(Conflict):
    """This officer or administrator has a mailed link that still works."""

    code = "link_lives"


def recover(
    operation: Operation, *, settings: AccountSettings, member: StaffMember, approval: Approval | None = None
) -> None:
    """Shut an account for every password, device, session and token, and mail its owner a link to set it up.

    A lead recovers own staff, but not the own account. An administrator recovers somebody without an
    organisation, or of an organisation without activated accounts. Anybody else needs the organisation's
    `approval`. Raises `Forbidden`, also for a disabled account, and `LinkLives`.
    """
    if not _may_recover(operation, member, approval):
        raise Forbidden
    session, keystore = operation.session, operation.keystore
    locked = lock_member(session, member.id)
    if locked is None or locked.disabled_at is not None:
        raise Forbidden
    if operation.actor != SYSTEM and _has_live_link(operation, locked):
        raise LinkLives
    locked.password_hash = unusable_password(settings.hasher)
    locked.totp_sealed = seal_totp(keystore, locked.id, new_totp_secret())
    locked.identity_issuer = locked.identity_subject = locked.printed_hash = None
    invited = locked.invited
    locked.totp_last_step = NOT_ACTIVATED if invited else None
    revoke_all(session, operation.clock, member=locked)
    session.execute(delete(Passkey).where(Passkey.staff_member_id == locked.id))
    mail_link(operation, settings, locked, "invitation" if invited else "recovery")
    record_change(operation, locked, Ground.RECOVERED)


def open_again(
    operation: Operation, *, settings: AccountSettings, member: StaffMember, approval: Approval | None = None
) -> None:
    """Enable a disabled account again; its owner comes in by a mailed link only."""
    member.disabled_at = None
    operation.session.flush()  # `recover` reads the row afresh, under its lock
    record_change(operation, member, Ground.REOPENED)
    recover(operation, settings=settings, member=member, approval=approval)


def approves(
    approval: Approval | None,
    *actions: ApprovalAction,
    organisation_id: uuid.UUID | None,
    email: str,
    role: Role | None = None,
) -> bool:
    """Tell whether an organisation approved one of these actions for this address (and this role)."""
    return (
        approval is not None
        and approval.decision == "approved"
        and approval.action in actions
        and approval.organisation_id == organisation_id
        and approval.email == normal_email(email)
        and role in (None, approval.role)
    )


def link_of(session: Session, clock: Clock, *, token: str) -> AccountLink:
    """Return the live link of a secret, with its `staff_member`.

    `token` is the secret or the whole mailed address. Raises `LinkRefused` for every cause.
    """
    query = (
        select(AccountLink)
        .where(AccountLink.token_hash == _hash_of(_bare(token)))
        .options(joinedload(AccountLink.staff_member))
    )
    try:
        found = session.scalar(query)
    except RowRefused:  # the alarm is raised; whoever asks learns nothing
        raise LinkRefused from None
    if found is None or not _is_live(found, clock):
        raise LinkRefused
    return found


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An authenticator to connect: its secret (base32), and `sealed` for the form that proves it."""

    link: AccountLink
    secret: str = field(repr=False)
    sealed: str = field(repr=False)


def look(operation: Operation, *, token: str) -> Offer:
    """Offer a new authenticator for a link, at most `MOST_LOOKS` times; record it and notify the owner.

    Nothing is stored: each form proves its own secret. So another reader of the mail learns no secret of the
    owner. Raises `LinkRefused`.
    """
    session, keystore = operation.session, operation.keystore
    link = _lock_link(session, link_of(session, operation.clock, token=token))
    if link is None or not _is_live(link, operation.clock) or link.looks >= MOST_LOOKS:
        raise LinkRefused
    link.looks += 1
    record_change(operation, link.staff_member, Ground.LINK_OPENED)
    page, event = "/desk/account/link", Event.ACCOUNT_LINK_OPENED
    notify(operation, [link.staff_member], None, page, event=event)
    secret = new_totp_secret()
    key, place = keystore.secret(_OFFERS), _place_of_offer(link.id)
    sealed = urlsafe_b64encode(seal_bytes(secret.encode(), key, associated_data=place)).decode()
    return Offer(link=link, secret=secret, sealed=sealed)


def offered(operation: Operation, *, token: str, sealed: str) -> Offer:
    """Return what an earlier look offered to this form. Raises `LinkRefused`."""
    link = link_of(operation.session, operation.clock, token=token)
    key, place = operation.keystore.secret(_OFFERS), _place_of_offer(link.id)
    try:
        secret = open_bytes(urlsafe_b64decode(sealed), key, associated_data=place).decode()
    except (SealingError, ValueError):
        raise LinkRefused from None
    return Offer(link=link, secret=secret, sealed=sealed)


def _place_of_offer(link_id: uuid.UUID) -> bytes:
    return b"account_links.offer\x00" + link_id.bytes


def activate(
    operation: Operation,
    *,
    token: str,
    offer: str,
    password: str,
    totp: str,
    absolute_hours: int,
    hasher: PasswordHasherSettings = STANDARD,
) -> SignedIn:
    """Activate an account: use up a link, set password and authenticator, and sign in.

    `totp` is a code of the authenticator in `offer` (`Offer.sealed`), which proves that it works. Raises
    `LinkRefused`, and `Invalid` (fields `password`, `totp`), after which the form still works.
    """
    session, keystore = operation.session, operation.keystore
    chosen = offered(operation, token=token, sealed=offer)
    link = _lock_link(session, chosen.link)
    if link is None or not _is_live(link, operation.clock):
        raise LinkRefused
    member, secret = link.staff_member, chosen.secret
    step = verify_totp(secret, totp, operation.now, None)
    problems = [*problems_of_password(password, name=member.name, email=member.email)]
    if step is None:
        problems.append(FieldProblem(field="totp", code="wrong_code"))
    if problems:
        raise Invalid(*problems)
    link.used_at = operation.now
    member.password_hash = hash_password(password, hasher)
    member.totp_sealed, member.totp_last_step = seal_totp(keystore, member.id, secret), step
    member.last_signed_in_on = today(operation.clock)
    revoke_all(session, operation.clock, member=member)
    by_member, ground = operation.acting_as(actor_for(member)), Ground(link.purpose)
    by_member.record(AuditAction.PASSWORD_CHANGED, subject_id=member.id, ground=ground)
    return open_for(operation, member, kind="page", absolute_hours=absolute_hours, ground=ground)


def fill_in_secret(
    keystore: Secrets, event: str, subject_id: uuid.UUID, values: Mapping[str, str]
) -> dict[str, str]:
    """Return the values of a message with the secret behind the address of an account link, for the worker.

    The secret stands in the fragment. Browsers send a fragment to no server, so no server can log it.
    """
    if event != Event.ACCOUNT_LINK:
        return dict(values)
    return {**values, "link": f"{values['link']}#{link_token(keystore, subject_id)}"}


def link_token(keystore: Secrets, link_id: uuid.UUID) -> str:
    """Return the secret of a link, see `privacy.link_codes`."""
    return _codes(keystore).code(str(link_id))


def mail_link(operation: Operation, settings: AccountSettings, member: StaffMember, purpose: Purpose) -> None:
    """Mail somebody a new link; earlier links of this account stop working."""
    session, now, link_id = operation.session, operation.now, uuid.uuid4()
    session.execute(delete(AccountLink).where(AccountLink.staff_member_id == member.id))
    session.execute(delete(AccountLink).where(AccountLink.expires_at <= now))
    link = AccountLink(
        id=link_id,
        purpose=purpose,
        staff_member_id=member.id,
        token_hash=_hash_of(link_token(operation.keystore, link_id)),
        expires_at=now + LASTS,
    )
    session.add(link)
    session.flush()
    # Row-level security admits a message of no organisation when it is about the named subject.
    set_local(session, subject=str(link_id))
    message = NewMessage(
        event=Event.ACCOUNT_LINK,
        subject_id=link_id,
        organisation_id=None,
        channel="email",
        recipient=member.email,
        language=member.language if member.language in STAFF_LANGUAGES else "nl",
        values={"link": settings.link_page, "valid_until": (operation.today + LASTS).isoformat()},
        not_before=now,
        expires_at=link.expires_at,
    )
    enqueue(session, [message])


def _may_recover(operation: Operation, member: StaffMember, approval: Approval | None) -> bool:
    actor, team = operation.actor, member.organisation_id
    own = team is not None and team == actor.organisation_id
    approved = partial(approves, approval, organisation_id=team, email=member.email)
    allowed = (
        actor == SYSTEM
        or approved(ApprovalAction.RESET)
        or (own and actor.role == Role.LEAD)
        or (own and approved(ApprovalAction.ROLE, role=member.role))
        or (actor.role == Role.ADMINISTRATOR and _is_of_no_team(operation.session, member))
    )
    return allowed and actor.id != member.id


def _has_live_link(operation: Operation, member: StaffMember) -> bool:
    """Tell whether an activated officer or administrator has a live link: resets in a row end all access."""
    if member.role not in _NOT_RESET_TWICE or member.invited:
        return False
    links = select(AccountLink).where(AccountLink.staff_member_id == member.id)
    return any(_is_live(one, operation.clock) for one in operation.session.scalars(links))


def _is_of_no_team(session: Session, member: StaffMember) -> bool:
    return member.organisation_id is None or not is_live(session, member.organisation_id)


def _lock_link(session: Session, link: AccountLink) -> AccountLink | None:
    """Lock the account and then the link, as `recover` does, so only one of two requests can use it."""
    lock_member(session, link.staff_member_id)
    query = select(AccountLink).where(AccountLink.id == link.id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def _is_live(link: AccountLink, clock: Clock) -> bool:
    unused = link.used_at is None and clock.now() < link.expires_at
    return unused and link.staff_member.disabled_at is None


def _bare(token: str) -> str:
    """Return the secret in a pasted address."""
    return token.strip().rpartition("#")[2].strip()


def _hash_of(token: str) -> bytes:
    known_form = token if CODE.fullmatch(token) else ""
    return hashlib.sha256(known_form.encode()).digest()


def _codes(keystore: Secrets) -> LinkCodes:
    return LinkCodes(keystore.secret("account-links"), "account-link")
