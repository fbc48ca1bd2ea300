"""Recipients prove that they read what they are sent, before they count: e-mail addresses and phones."""

import uuid
from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from typing import Final

import phonenumbers
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from notifications.events import Event
from notifications.outbox import NewMessage, enqueue
from signals.audit import SYSTEM, AuditLog
from signals.clock import AMSTERDAM, Clock, today
from signals.errors import FieldProblem, Invalid, SignalsError
from signals.models import Organisation, Recipient
from signals.proof_links import PREFIX, fingerprint, is_code_of
from signals.reach import EMAIL, EMAIL_ONLY, SMS
from signals.routing import routing_changed
from signals.staff.identity import Secrets
from signals.vocabulary import AuditAction

VALID_DAYS: Final = 14
_MOBILE: Final = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)


class ProofRefused(SignalsError):
    """This link is too old, was replaced, or never existed."""

    code = "link_refused"
    status = 410


def normal_phone(text: str) -> str:
    """A mobile number in E.164, read as a Dutch one where it says no country. Raises `Invalid`."""
    try:
        number = phonenumbers.parse(text, "NL")
    except phonenumbers.NumberParseException:
        raise Invalid(FieldProblem(field="phone", code="not_a_phone_number")) from None
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) not in _MOBILE:
        raise Invalid(FieldProblem(field="phone", code="not_a_mobile_number"))
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def set_way(recipient: Recipient, *, channel: str, phone: str | None = None) -> None:
    """How this person wants to be told; another phone must be proved anew. Raises `Invalid`."""
    if channel not in (EMAIL, SMS):
        raise Invalid(FieldProblem(field="channel", code="unknown"))
    number = normal_phone(phone) if phone else None
    if channel == SMS and number is None:
        raise Invalid(FieldProblem(field="phone", code="required"))
    if number != recipient.phone:
        recipient.phone, recipient.phone_verified_on = number, None
    recipient.channel = channel


def ask_for_proof(
    session: Session,
    clock: Clock,
    *,
    keystore: Secrets,
    public_url: str,
    channels: Collection[str] = EMAIL_ONLY,
) -> int:
    """Send a link to every address and phone that is not proved yet, once each; gives how many are new."""
    query = select(Recipient, Organisation.language).join(Organisation)
    unproved = or_(
        Recipient.verified_on.is_(None),
        (Recipient.channel == SMS) & Recipient.phone.is_not(None) & Recipient.phone_verified_on.is_(None),
    )
    messages: list[NewMessage] = []
    for recipient, language in session.execute(query.where(unproved)):
        for channel, address in _unproved(recipient):
            if channel in channels:
                path = _path(keystore, recipient.id, address, today(clock) + timedelta(days=VALID_DAYS))
                messages.append(
                    _message(clock, recipient, channel, address, language, public_url.rstrip("/") + path)
                )
    return enqueue(session, messages)


def prove(
    session: Session,
    clock: Clock,
    *,
    keystore: Secrets,
    audit: AuditLog,
    recipient_id: uuid.UUID,
    address_code: str,
    valid_until: str,
    code: str,
) -> None:
    """Somebody at this address pressed the button: it counts from today. Raises `ProofRefused`."""
    recipient = proved_by(
        session,
        clock,
        keystore=keystore,
        recipient_id=recipient_id,
        address_code=address_code,
        valid_until=valid_until,
        code=code,
    )
    if fingerprint(keystore, recipient.address) == address_code:
        recipient.verified_on = recipient.verified_on or today(clock)
    else:
        recipient.phone_verified_on = recipient.phone_verified_on or today(clock)
    routing_changed(session)
    audit.record(
        session,
        clock,
        actor=SYSTEM,
        action=AuditAction.ORGANISATION_CHANGED,
        subject_id=recipient.organisation_id,
        organisation_id=recipient.organisation_id,
        ground="recipient_proved",
    )


def proved_by(
    session: Session,
    clock: Clock,
    *,
    keystore: Secrets,
    recipient_id: uuid.UUID,
    address_code: str,
    valid_until: str,
    code: str,
) -> Recipient:
    """The recipient that a link is about, if it is live. Raises `ProofRefused`, alike for every cause."""
    path = f"{PREFIX}/recipient/{recipient_id}/{address_code}/{valid_until}"
    if not is_code_of(keystore, path, code) or today(clock).isoformat() > valid_until:
        raise ProofRefused
    recipient = session.get(Recipient, recipient_id)
    addresses = [] if recipient is None else [recipient.address, recipient.phone]
    if recipient is None or address_code not in [fingerprint(keystore, a) for a in addresses if a]:
        raise ProofRefused
    return recipient


def _unproved(recipient: Recipient) -> Iterator[tuple[str, str]]:
    if recipient.verified_on is None:
        yield EMAIL, recipient.address
    if recipient.channel == SMS and recipient.phone and recipient.phone_verified_on is None:
        yield SMS, recipient.phone


def _path(keystore: Secrets, recipient_id: uuid.UUID, address: str, valid_until: date) -> str:
    return f"{PREFIX}/recipient/{recipient_id}/{fingerprint(keystore, address)}/{valid_until.isoformat()}"


def _message(
    clock: Clock, recipient: Recipient, channel: str, address: str, language: str, link: str
) -> NewMessage:
    until = today(clock) + timedelta(days=VALID_DAYS)
    return NewMessage(
        event=Event.RECIPIENT_CHECK,
        subject_id=recipient.id,
        organisation_id=recipient.organisation_id,
        channel=channel,
        recipient=address,
        language=language,
        values={"link": link, "valid_until": until.isoformat()},
        not_before=clock.now(),
        expires_at=datetime.combine(until, time(), AMSTERDAM),
    )
