"""Recipients and deputies: each address and phone must be verified by a link before it counts."""

import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final

import phonenumbers
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from notifications.events import Event
from notifications.outbox import NewMessage, enqueue, withdraw
from signals.audit.grounds import Ground
from signals.audit.log import SYSTEM
from signals.clock import AMSTERDAM
from signals.db import set_local
from signals.errors import FieldProblem, Invalid, SignalsError
from signals.models import Organisation, Recipient
from signals.operation import Operation
from signals.organisations.addressing import EMAIL, EMAIL_ONLY, SMS
from signals.organisations.verification_links import DEPUTY, RECIPIENT, VerificationLink, address_code
from signals.routing.receivers import LEAST_RECIPIENTS
from signals.routing.snapshot import routing_changed
from signals.staff.identity import checked_email, normal_email
from signals.vocabulary import AuditAction

VALID_DAYS: Final = 14
MOST_RECIPIENTS: Final = 10
_MOBILE: Final = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)


_PROVED: Final = {RECIPIENT: Ground.RECIPIENT_PROVED, DEPUTY: Ground.DEPUTY_PROVED}
_EVENTS: Final = {RECIPIENT: Event.RECIPIENT_CHECK, DEPUTY: Event.DEPUTY_CHECK}


@dataclass(frozen=True, kw_only=True)
class _Unproved:
    """An address or phone that nobody has confirmed yet, and its role."""

    role: str
    subject_id: uuid.UUID
    organisation_id: uuid.UUID
    channel: str
    address: str = field(repr=False)
    language: str


@dataclass(frozen=True, kw_only=True)
class Provable:
    """An address of a row; it counts once the named column of the row holds a date."""

    row: Recipient | Organisation
    column: str
    organisation_id: uuid.UUID
    address: str = field(repr=False)


class ProofRefused(SignalsError):
    """This link is too old, was replaced, or never existed."""

    code = "link_refused"
    status = 410


def wrong_recipients(addresses: Sequence[str], kept_out: Collection[str]) -> Iterator[FieldProblem]:
    """Yield the problems of the addresses of a team; `kept_out`: the addresses of coordinators."""
    if len(addresses) > MOST_RECIPIENTS:
        yield FieldProblem(field="recipients", code="too_many")
    spelled = [checked_email(address) for address in addresses]
    times = Counter(address for address in spelled if address is not None)
    for place, address in enumerate(spelled):
        name = f"recipients.{place}.address"
        yield from wrong_address(name, addresses[place], kept_out)
        if address is not None and times[address] > 1:
            yield FieldProblem(field=name, code="duplicate")


def too_few_stay(organisation: Organisation, addresses: Sequence[str]) -> Iterator[FieldProblem]:
    """Yield a problem when fewer than two verified recipients stay: a team must still be reached."""
    verified = {normal_email(one.address) for one in organisation.recipients if one.verified_on is not None}
    staying = verified.intersection(checked_email(address) for address in addresses)
    if len(verified) >= LEAST_RECIPIENTS > len(staying):
        yield FieldProblem(field="recipients", code="keep_two")


def wrong_address(name: str, address: str, kept_out: Collection[str]) -> Iterator[FieldProblem]:
    """Yield the reason why an address cannot be a recipient's; coordinators get no messages about signals."""
    spelled = checked_email(address)
    if spelled is None:
        yield FieldProblem(field=name, code="not_an_address")
    elif spelled in kept_out:
        yield FieldProblem(field=name, code="coordinator")


def normal_phone(text: str) -> str:
    """Return a mobile number in E.164; without a country it is Dutch. Raises `Invalid`."""
    try:
        number = phonenumbers.parse(text, "NL")
    except phonenumbers.NumberParseException:
        raise Invalid(FieldProblem(field="phone", code="not_a_phone_number")) from None
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) not in _MOBILE:
        raise Invalid(FieldProblem(field="phone", code="not_a_mobile_number"))
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def set_channel(recipient: Recipient, *, channel: str, phone: str | None = None) -> None:
    """Set the channel that this person prefers; another phone must be verified first. Raises `Invalid`."""
    if channel not in (EMAIL, SMS):
        raise Invalid(FieldProblem(field="channel", code="unknown"))
    number = normal_phone(phone) if phone else None
    if channel == SMS and number is None:
        raise Invalid(FieldProblem(field="phone", code="required"))
    if number != recipient.phone:
        recipient.phone, recipient.phone_verified_on = number, None
    recipient.channel = channel


def replace_recipients(
    session: Session, organisation: Organisation, addresses: Sequence[str]
) -> Sequence[Recipient]:
    """Give an organisation the recipients of these addresses, in order; return them.

    `addresses` are distinct and in their one spelling. A recipient stays while its address stays. Any other
    address is a new recipient, who must verify it. Checks that leaving recipients got are withdrawn.
    """
    for recipient in leaving(organisation, addresses):
        withdraw_check(session, recipient.id, Event.RECIPIENT_CHECK)
    organisation.recipients = rearranged(organisation, addresses)
    return organisation.recipients


def leaving(organisation: Organisation, addresses: Collection[str]) -> list[Recipient]:
    """Return the recipients whose address, in any spelling, is not among these."""
    return [one for one in organisation.recipients if normal_email(one.address) not in addresses]


def rearranged(organisation: Organisation, addresses: Sequence[str]) -> list[Recipient]:
    """Return the recipients of these addresses, in order; see `replace_recipients`."""
    known = {normal_email(recipient.address): recipient for recipient in organisation.recipients}
    found = [known.get(address) or Recipient() for address in addresses]
    for position, (recipient, address) in enumerate(zip(found, addresses, strict=True), start=1):
        recipient.position, recipient.address = position, address
    return found


def ask_for_proof(operation: Operation, *, public_url: str, channels: Collection[str] = EMAIL_ONLY) -> int:
    """Send a link to every address and phone that is not verified yet, once each; return how many are new."""
    session = operation.session
    unproved = [*_unproved_recipients(session), *_unproved_deputies(session)]
    site = public_url.rstrip("/")
    return enqueue(session, [_message(operation, one, site) for one in unproved if one.channel in channels])


def prove(operation: Operation, *, link: VerificationLink) -> None:
    """Record that the reader of an address pressed the button: it counts now. Raises `ProofRefused`."""
    found = proved_by(operation, link=link, for_update=True)
    if getattr(found.row, found.column) is None:
        setattr(found.row, found.column, operation.today)
    if link.role == RECIPIENT:
        routing_changed(operation.session)
    operation.acting_as(SYSTEM).record(
        AuditAction.ORGANISATION_CHANGED,
        subject_id=found.organisation_id,
        organisation_id=found.organisation_id,
        ground=_PROVED[link.role],
    )


def proved_by(operation: Operation, *, link: VerificationLink, for_update: bool = False) -> Provable:
    """Return the address of a live link. Raises `ProofRefused`, alike for every cause."""
    session, keystore = operation.session, operation.keystore
    if not link.is_live(keystore, operation.today):
        raise ProofRefused
    if for_update:
        _lock(session, link)
    for found in _provable(session, link):
        if link.is_about(keystore, found.address):
            return found
    raise ProofRefused


def why_no_check(session: Session, subject_id: uuid.UUID, address: str) -> str | None:
    """Return a code when this address or phone need not be verified; None when it must."""
    entry = session.get(Recipient, subject_id) or session.get(Organisation, subject_id)
    found = [one for one in _addresses(entry) if one.address == address] if entry else []
    if not found:
        return "replaced" if entry else "removed"
    return None if any(getattr(one.row, one.column) is None for one in found) else "verified"


def withdraw_check(session: Session, subject_id: uuid.UUID, event: Event) -> None:
    """Delete the checks of a recipient or deputy, sent or not, so that a new check can go out."""
    set_local(session, subject=str(subject_id))  # an administrator may write about any organisation
    withdraw(session, subject_id=subject_id, events=(event,))


def _lock(session: Session, link: VerificationLink) -> None:
    """Lock the organisation, so that no lead replaces the address that is being verified."""
    of_recipient = select(Recipient.organisation_id).where(Recipient.id == link.subject_id)
    meant = link.subject_id if link.role == DEPUTY else of_recipient.scalar_subquery()
    session.execute(select(Organisation.id).where(Organisation.id == meant).with_for_update())


def _provable(session: Session, link: VerificationLink) -> Iterator[Provable]:
    """Yield the addresses that a link of this role can be about."""
    of_deputy = link.role == DEPUTY
    row = session.get(Organisation, link.subject_id) if of_deputy else session.get(Recipient, link.subject_id)
    if row is not None:
        yield from _addresses(row)


def _addresses(row: Recipient | Organisation) -> Iterator[Provable]:
    """Yield a recipient's address and phone, or an organisation's deputy."""
    if isinstance(row, Organisation):
        yield from _of(row, row.id, deputy_verified_on=row.deputy_email)
    else:
        yield from _of(row, row.organisation_id, verified_on=row.address, phone_verified_on=row.phone)


def _of(
    row: Recipient | Organisation, organisation_id: uuid.UUID, **addresses: str | None
) -> Iterator[Provable]:
    for column, address in addresses.items():
        if address:
            yield Provable(row=row, column=column, organisation_id=organisation_id, address=address)


def _unproved_recipients(session: Session) -> Iterator[_Unproved]:
    query = select(Recipient, Organisation.language).join(Organisation)
    by_sms = (Recipient.channel == SMS) & Recipient.phone.is_not(None)
    unproved = or_(Recipient.verified_on.is_(None), by_sms & Recipient.phone_verified_on.is_(None))
    for recipient, language in session.execute(query.where(unproved)):
        for channel, address in _unproved_addresses(recipient):
            yield _Unproved(
                role=RECIPIENT,
                subject_id=recipient.id,
                organisation_id=recipient.organisation_id,
                channel=channel,
                address=address,
                language=language,
            )


def _unproved_addresses(recipient: Recipient) -> Iterator[tuple[str, str]]:
    if recipient.verified_on is None:
        yield EMAIL, recipient.address
    if recipient.channel == SMS and recipient.phone and recipient.phone_verified_on is None:
        yield SMS, recipient.phone


def _unproved_deputies(session: Session) -> Iterator[_Unproved]:
    unproved = Organisation.deputy_verified_on.is_(None)
    for organisation in session.scalars(select(Organisation).where(unproved)):
        if organisation.deputy_email:
            yield _Unproved(
                role=DEPUTY,
                subject_id=organisation.id,
                organisation_id=organisation.id,
                channel=EMAIL,
                address=organisation.deputy_email,
                language=organisation.language,
            )


def _message(operation: Operation, one: _Unproved, site: str) -> NewMessage:
    until = operation.today + timedelta(days=VALID_DAYS)
    link = VerificationLink(
        role=one.role,
        subject_id=one.subject_id,
        address_code=address_code(operation.keystore, one.address),
        valid_until=until.isoformat(),
    )
    return NewMessage(
        event=_EVENTS[one.role],
        subject_id=one.subject_id,
        organisation_id=one.organisation_id,
        channel=one.channel,
        recipient=one.address,
        language=one.language,
        values={"link": f"{site}{link.path}", "valid_until": until.isoformat()},
        not_before=operation.now,
        expires_at=datetime.combine(until, time(), AMSTERDAM),
    )
