"""Letting somebody in by a mailed link: an invitation, and recovery for who lost password, phone or both.

The link works once and for 24 hours. Its secret is stored nowhere: it follows from a key of the keystore and
the link's id, goes into the message while that is sent, and reaches the server in a form only. Who invites or
recovers never sees it, so no lead can act as a colleague.
"""

import hashlib
import uuid
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from notifications.events import Event
from notifications.outbox import NewMessage, enqueue
from privacy.link_codes import CODE, LinkCodes
from privacy.passwords import STANDARD, PasswordHasherSettings, hash_password, unusable_password
from privacy.totp import new_totp_secret, verify_totp
from signals.audit.log import SYSTEM, Actor, AuditLog
from signals.clock import Clock, today
from signals.db import set_local
from signals.errors import FieldProblem, Forbidden, Invalid, SignalsError
from signals.models import AccountLink, Approval, Passkey, StaffMember
from signals.models.staff import NOT_TAKEN_UP
from signals.staff.accounts import add_staff
from signals.staff.identity import Secrets, actor_for, normal_email, seal_totp
from signals.staff.new_passwords import problems_of_password
from signals.staff.sessions import open_session, revoke_all
from signals.staff.signing_in import SignedIn, lock_member
from signals.staff.standing import has_officer, is_live
from signals.vocabulary import STAFF_LANGUAGES, AuditAction, Role

Purpose = Literal["invitation", "recovery"]

LASTS: Final = timedelta(hours=24)
INVITED_BY_LEADS: Final = frozenset({Role.WORKER, Role.LEAD, Role.PRIVACY_OFFICER})
WITHOUT_ORGANISATION: Final = frozenset({Role.COORDINATOR, Role.ADMINISTRATOR})


class LinkRefused(SignalsError):
    """This link was used, is too old, was replaced by a newer one, or never existed."""

    code = "link_refused"
    status = 410


@dataclass(frozen=True, kw_only=True)
class Links:
    """What it takes to mail somebody a link. `page`: the address where it is taken up, without any secret."""

    keystore: Secrets = field(repr=False)
    audit: AuditLog = field(repr=False)
    page: str
    hasher: PasswordHasherSettings = STANDARD


def invite(
    session: Session,
    clock: Clock,
    *,
    links: Links,
    actor: Actor,
    organisation_id: uuid.UUID | None,
    role: Role,
    name: str,
    email: str,
    language: str = "nl",
    approval: Approval | None = None,
) -> StaffMember:
    """Add an account that nobody can enter yet, and mail its owner a link to set it up.

    A lead lets worker, lead and, where none oversees it yet, privacy officer into the own organisation; an
    administrator a coordinator or an administrator, and the first lead of an organisation in which nobody
    ever took an account up. Others with an approved `approval` of the organisation (action `grant`, this
    role and address). Raises `Forbidden`, and `Invalid` as `add_staff`.
    """
    _require_may_invite(session, actor, organisation_id, role, email, approval)
    added = add_staff(
        session,
        clock,
        keystore=links.keystore,
        audit=links.audit,
        organisation_id=organisation_id,
        role=role,
        name=name,
        email=email,
        password=new_totp_secret(),  # passes the check of length; no password fits the account, see below
        language=language,
        actor=actor,
        hasher=_NO_WORK,
    )
    added.member.password_hash = unusable_password(links.hasher)
    added.member.totp_last_step = NOT_TAKEN_UP
    _mail_link(session, clock, links, added.member, "invitation")
    return added.member


def recover(
    session: Session,
    clock: Clock,
    *,
    links: Links,
    actor: Actor,
    member: StaffMember,
    approval: Approval | None = None,
) -> None:
    """Shut every way into an account at once and mail its owner a link to set it up anew.

    Password, authenticator, passkeys, sessions, tokens and earlier links all stop working. By a lead for own
    staff (not for oneself), by an administrator for who is of no organisation, or of one in which nobody
    ever took an account up, and with an approved `approval` (action `reset`). Raises `Forbidden`, also for a
    disabled account.
    """
    _require_may_recover(session, actor, member, approval)
    locked = lock_member(session, member.id)
    if locked is None or locked.disabled_at is not None:
        raise Forbidden
    locked.password_hash = unusable_password(links.hasher)
    locked.totp_sealed = seal_totp(links.keystore, locked.id, new_totp_secret())
    invited = locked.totp_last_step == NOT_TAKEN_UP
    locked.totp_last_step = NOT_TAKEN_UP if invited else None
    revoke_all(session, clock, member=locked)
    session.execute(delete(Passkey).where(Passkey.staff_member_id == locked.id))
    _mail_link(session, clock, links, locked, "invitation" if invited else "recovery")
    links.audit.record(
        session,
        clock,
        actor=actor,
        action=AuditAction.STAFF_CHANGED,
        subject_id=locked.id,
        ground="recovered",
        organisation_id=locked.organisation_id,
    )


def link_of(session: Session, clock: Clock, *, token: str) -> AccountLink:
    """The live link of a secret, with its `staff_member`. `token`: as mailed, or the whole address around it.

    Raises `LinkRefused`, alike for every cause.
    """
    query = (
        select(AccountLink)
        .where(AccountLink.token_hash == _hash_of(_bare(token)))
        .options(joinedload(AccountLink.staff_member))
    )
    found = session.scalar(query)
    if found is None or not _is_live(found, clock):
        raise LinkRefused
    return found


def offered_totp(keystore: Secrets, link_id: uuid.UUID) -> str:
    """The TOTP secret (base32) that this link offers, the same at every look, for who has it only."""
    return b32encode(_codes(keystore).secret(str(link_id))[:20]).decode()


def take_up(
    session: Session,
    clock: Clock,
    *,
    keystore: Secrets,
    audit: AuditLog,
    token: str,
    password: str,
    totp: str,
    absolute_hours: int,
    hasher: PasswordHasherSettings = STANDARD,
) -> SignedIn:
    """Set password and authenticator by a link, which is then used up, and sign in.

    `totp`: a code of the authenticator that was offered, as proof that it works. Raises `LinkRefused`, and
    `Invalid` (fields `password`, `totp`) which leaves the link as it was.
    """
    link = _lock_link(session, link_of(session, clock, token=token))
    if link is None or not _is_live(link, clock):
        raise LinkRefused
    member, secret = link.staff_member, offered_totp(keystore, link.id)
    step = verify_totp(secret, totp, clock.now(), None)
    problems = [*problems_of_password(password, name=member.name, email=member.email)]
    if step is None:
        problems.append(FieldProblem(field="totp", code="wrong_code"))
    if problems:
        raise Invalid(*problems)
    link.used_at = clock.now()
    member.password_hash = hash_password(password, hasher)
    member.totp_sealed, member.totp_last_step = seal_totp(keystore, member.id, secret), step
    revoke_all(session, clock, member=member)
    _record_taken_up(session, clock, audit, member, link.purpose)
    opened_token, opened = open_session(session, member, "page", clock.now(), timedelta(hours=absolute_hours))
    return SignedIn(token=opened_token, session=opened, member=member)


def fill_in_secret(
    keystore: Secrets, event: str, subject_id: uuid.UUID, values: Mapping[str, str]
) -> dict[str, str]:
    """What a message says, with the secret of an account link put behind its address; for the sending worker.

    The secret stands in the fragment, which browsers send to no server and no server can log.
    """
    if event != Event.ACCOUNT_LINK:
        return dict(values)
    return {**values, "link": f"{values['link']}#{link_token(keystore, subject_id)}"}


def link_token(keystore: Secrets, link_id: uuid.UUID) -> str:
    """Return the secret of a link, see `privacy.link_codes`."""
    return _codes(keystore).code(str(link_id))


def _mail_link(
    session: Session, clock: Clock, links: Links, member: StaffMember, purpose: Purpose
) -> AccountLink:
    session.execute(delete(AccountLink).where(AccountLink.staff_member_id == member.id))
    session.execute(delete(AccountLink).where(AccountLink.expires_at <= clock.now()))
    link_id = uuid.uuid4()
    link = AccountLink(
        id=link_id,
        purpose=purpose,
        staff_member_id=member.id,
        token_hash=_hash_of(link_token(links.keystore, link_id)),
        expires_at=clock.now() + LASTS,
    )
    session.add(link)
    session.flush()
    # Row-level security lets a message of no organisation be written when it is about the named subject.
    set_local(session, subject=str(link_id))
    enqueue(session, [_message(clock, links, member, link)])
    return link


def _message(clock: Clock, links: Links, member: StaffMember, link: AccountLink) -> NewMessage:
    return NewMessage(
        event=Event.ACCOUNT_LINK,
        subject_id=link.id,
        organisation_id=None,
        channel="email",
        recipient=member.email,
        language=member.language if member.language in STAFF_LANGUAGES else "nl",
        values={"link": links.page, "valid_until": (today(clock) + LASTS).isoformat()},
        not_before=clock.now(),
        expires_at=link.expires_at,
    )


def _require_may_invite(
    session: Session,
    actor: Actor,
    organisation_id: uuid.UUID | None,
    role: Role,
    email: str,
    approval: Approval | None,
) -> None:
    own = organisation_id is not None and organisation_id == actor.organisation_id
    allowed = (
        actor == SYSTEM
        or _approves(approval, "grant", organisation_id, email, role)
        or (actor.role == Role.LEAD and own and _is_for_leads(session, organisation_id, role))
        or (actor.role == Role.ADMINISTRATOR and _is_for_administrators(session, organisation_id, role))
    )
    if not allowed:
        raise Forbidden


def _is_for_administrators(session: Session, organisation_id: uuid.UUID | None, role: Role) -> bool:
    if organisation_id is None:
        return role in WITHOUT_ORGANISATION
    return role is Role.LEAD and not is_live(session, organisation_id)


def _is_for_leads(session: Session, organisation_id: uuid.UUID | None, role: Role) -> bool:
    """Who oversees a team is not for its lead to decide (art. 38(3) AVG), but for the first one."""
    overseen = role is Role.PRIVACY_OFFICER and has_officer(session, organisation_id)
    return role in INVITED_BY_LEADS and not overseen


def _require_may_recover(
    session: Session, actor: Actor, member: StaffMember, approval: Approval | None
) -> None:
    own = member.organisation_id is not None and member.organisation_id == actor.organisation_id
    allowed = (
        actor == SYSTEM
        or _approves(approval, "reset", member.organisation_id, member.email, None)
        or (own and actor.role == Role.LEAD)
        or (own and _approves(approval, "grant", member.organisation_id, member.email, member.role))
        or (actor.role == Role.ADMINISTRATOR and _is_of_no_team(session, member))
    )
    if not allowed or actor.id == member.id:
        raise Forbidden


def _is_of_no_team(session: Session, member: StaffMember) -> bool:
    return member.organisation_id is None or not is_live(session, member.organisation_id)


def _approves(
    approval: Approval | None, action: str, organisation_id: uuid.UUID | None, email: str, role: Role | None
) -> bool:
    return (
        approval is not None
        and approval.decision == "approved"
        and approval.action == action
        and approval.organisation_id == organisation_id
        and approval.email == normal_email(email)
        and role in (None, approval.role)
    )


def _record_taken_up(
    session: Session, clock: Clock, audit: AuditLog, member: StaffMember, purpose: str
) -> None:
    for action in (AuditAction.PASSWORD_CHANGED, AuditAction.SIGN_IN):
        audit.record(
            session, clock, actor=actor_for(member), action=action, subject_id=member.id, ground=purpose
        )


def _lock_link(session: Session, link: AccountLink) -> AccountLink | None:
    """The link, locked after its account as `recover` does; of two at once, one finds it used."""
    lock_member(session, link.staff_member_id)
    query = select(AccountLink).where(AccountLink.id == link.id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def _is_live(link: AccountLink, clock: Clock) -> bool:
    unused = link.used_at is None and clock.now() < link.expires_at
    return unused and link.staff_member.disabled_at is None


def _bare(token: str) -> str:
    """Who pastes the whole address has pasted the secret too."""
    return token.strip().rpartition("#")[2].strip()


def _hash_of(token: str) -> bytes:
    known_form = token if CODE.fullmatch(token) else ""
    return hashlib.sha256(known_form.encode()).digest()


def _codes(keystore: Secrets) -> LinkCodes:
    return LinkCodes(keystore.secret("account-links"), "account-link")


_NO_WORK: Final = PasswordHasherSettings(memory_kib=8, time_cost=1)
"""For a hash that is replaced at once."""
