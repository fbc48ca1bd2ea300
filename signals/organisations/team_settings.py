"""The settings of a team: deadlines, hours and recipients; its lead or an administrator changes them.

A change counts for later signals: a signal keeps the dates that it got.
"""

import re
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload, undefer

from notifications.events import Event
from privacy.pictures import PictureRefused, harmless
from signals.audit.grounds import Detailed, Ground
from signals.audit.log import Actor, require_role
from signals.errors import FieldProblem, Invalid, NotFound, StaleVersion
from signals.models import Organisation, Recipient
from signals.operation import Operation
from signals.organisations.addressing import EMAIL, SMS, coordinators
from signals.organisations.changes import announce
from signals.organisations.recipients import (
    replace_recipients,
    set_channel,
    too_few_stay,
    withdraw_check,
    wrong_address,
    wrong_recipients,
)
from signals.routing.snapshot import routing_changed
from signals.staff.identity import checked_email, normal_email
from signals.vocabulary import STAFF_LANGUAGES, AuditAction, Role

LEAST_LOUD_HOURS: Final = 4
"""Hours of a day outside the quiet hours; with fewer, a message could become obsolete before its moment."""

LETTERHEAD_LINES: Final = 4
LETTERHEAD_LENGTH: Final = 60
"""The most characters of a line: it stands beside the logo."""
LETTER_WORDS: Final = 300
"""The most characters of the organisation's own words: the letter stays one sheet."""
BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "claim_working_days": (1, 5),
    "contact_working_days": (1, 5),
    "conclude_calendar_days": (14, 84),
    "minimum_attempts": (2, 10),
    "escalation_working_days": (1, 5),
    "opens_at": (6, 12),
    "quiet_from": (0, 23),
    "quiet_until": (0, 23),
    "digest_at": (6, 20),
}
"""The least and the most of each number; within them claim, contact and conclusion stay in order."""
MAY_BE_EMPTY: Final = frozenset({"quiet_from", "quiet_until", "digest_at", "deputy_email", "working_days"})
CHANGEABLE: Final = frozenset(
    {*BOUNDS, "retry_working_days", "working_days", "deputy_email", "language", "contact_phone"}
    | {"contact_email", "recipients", "letterhead", "letter_words", "logo"}
)
"""The names that `change_settings` takes."""


class StaleSettings(StaleVersion):
    """Another request changed these settings since they were read."""

    code = "stale_settings"


_RETRY_DAYS: Final = re.compile(r" *(?:[1-9]|1[0-5]) *(?:, *(?:[1-9]|1[0-5]) *){0,4}")


@dataclass(frozen=True, kw_only=True)
class RecipientWish:
    """A recipient and the preferred channel; text messages need `phone`, as people write it."""

    address: str = field(repr=False)
    channel: str = EMAIL
    phone: str | None = field(default=None, repr=False)


def refuse_unknown(changes: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise `Invalid` for a name in `changes` that nobody may change this way."""
    unknown = [FieldProblem(field=name, code="unknown_field") for name in sorted(changes.keys() - set(known))]
    if unknown:
        raise Invalid(*unknown)


def retry_days(setting: str) -> list[int]:
    """Return the working days until the next attempt, as `retry_working_days` holds them (`2,4,7`)."""
    return [int(days) for days in setting.split(",")]


def settings_of(
    session: Session, *, actor: Actor, organisation_id: uuid.UUID, for_update: bool = False
) -> Organisation:
    """Return the organisation with its recipients, for its lead or an administrator.

    Raises `Forbidden` for another role, and `NotFound` for an unknown organisation or that of another lead.
    """
    require_role(actor, Role.LEAD, Role.ADMINISTRATOR)
    own = actor.role == Role.ADMINISTRATOR or actor.organisation_id == organisation_id
    query = select(Organisation).options(selectinload(Organisation.recipients), undefer(Organisation.logo))
    query = query.where(Organisation.id == organisation_id)
    if for_update:
        query = query.with_for_update(of=Organisation).execution_options(populate_existing=True)
    found = session.scalar(query) if own else None
    if found is None:
        raise NotFound
    return found


def record_change(
    operation: Operation,
    organisation_id: uuid.UUID,
    ground: Ground | Detailed,
    action: AuditAction = AuditAction.ORGANISATION_CHANGED,
) -> None:
    """Add an audit entry about an organisation, which that organisation can see."""
    operation.record(action, subject_id=organisation_id, organisation_id=organisation_id, ground=ground)


def change_settings(
    operation: Operation,
    *,
    organisation_id: uuid.UUID,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> Organisation:
    """Change the settings named in `changes` (see `CHANGEABLE`); None empties a setting that may be empty.

    `working_days`: ISO weekdays as text, `12345`. `recipients`: all of them, as `RecipientWish`, in order. A
    new address or phone gets a link and counts once it is verified. `logo`: the bytes of a file. Raises
    `StaleSettings`, and `Invalid` with every problem.
    """
    refuse_unknown(changes, CHANGEABLE)
    session = operation.session
    organisation = settings_of(
        session, actor=operation.actor, organisation_id=organisation_id, for_update=True
    )
    if expected_version is not None and organisation.settings_version != expected_version:
        raise StaleSettings
    problems = [*_problems(session, organisation, changes)]
    if problems:
        raise Invalid(*problems)
    for name, value in changes.items():
        if name == "recipients":
            _set_recipients(session, organisation, value)
        elif name == "deputy_email":
            _set_deputy(session, organisation, stored(name, value))
        else:
            setattr(organisation, name, stored(name, value))
    organisation.settings_version += 1
    session.flush()
    if "recipients" in changes:
        routing_changed(session)
        announce(operation, organisation.id)
    record_change(operation, organisation.id, Ground.SETTINGS.of(",".join(sorted(changes))))
    return organisation


def ask_again(operation: Operation, *, organisation_id: uuid.UUID, address: str) -> None:
    """Send a new link to an address that is not verified, within a minute; withdraw the earlier links.

    Raises `Invalid` for an address that is no recipient's or deputy's, or has nothing to verify.
    """
    session = operation.session
    organisation = settings_of(
        session, actor=operation.actor, organisation_id=organisation_id, for_update=True
    )
    waiting = [*_waiting_for(organisation, checked_email(address) or "")]
    if not waiting:
        raise Invalid(FieldProblem(field="address", code="nothing_to_confirm"))
    for subject_id, event, ground in waiting:
        withdraw_check(session, subject_id, event)
        record_change(operation, organisation.id, ground)


def is_proved(recipient: Recipient) -> bool:
    """Return whether the person verified every channel that messages use."""
    by_sms = recipient.channel == SMS and recipient.phone is not None
    return recipient.verified_on is not None and (not by_sms or recipient.phone_verified_on is not None)


def _waiting_for(organisation: Organisation, address: str) -> Iterator[tuple[uuid.UUID, Event, Ground]]:
    """Yield subject, event and ground for each thing that this address has not verified."""
    for recipient in organisation.recipients:
        if normal_email(recipient.address) == address and not is_proved(recipient):
            yield recipient.id, Event.RECIPIENT_CHECK, Ground.RECIPIENT_ASKED_AGAIN
    if organisation.deputy_email == address and organisation.deputy_verified_on is None:
        yield organisation.id, Event.DEPUTY_CHECK, Ground.DEPUTY_ASKED_AGAIN


def _problems(
    session: Session, organisation: Organisation, changes: Mapping[str, Any]
) -> Iterator[FieldProblem]:
    yield from _wrong_numbers(changes)
    yield from _wrong_together({**_numbers_of(organisation), **changes})
    days = changes.get("working_days")
    if days is not None and (not days or set(days) - set("1234567") or len(set(days)) < len(days)):
        yield FieldProblem(field="working_days", code="not_weekdays")
    if not _RETRY_DAYS.fullmatch(changes.get("retry_working_days", "2") or ""):
        yield FieldProblem(field="retry_working_days", code="retry_working_days_bounds")
    if changes.get("language", "nl") not in STAFF_LANGUAGES:
        yield FieldProblem(field="language", code="not_a_choice")
    yield from contact_problems(changes)
    yield from _wrong_letterhead(changes)
    kept_out = coordinators(session)
    if changes.get("deputy_email"):
        yield from wrong_address("deputy_email", changes["deputy_email"], kept_out)
    if "recipients" in changes:
        yield from _wrong_recipients(organisation, changes["recipients"], kept_out)


def contact_problems(changes: Mapping[str, Any]) -> Iterator[FieldProblem]:
    """Yield the problems of the telephone number and the address for residents."""
    if len(changes.get("contact_phone") or "") > 40:
        yield FieldProblem(field="contact_phone", code="too_long")
    address = (changes.get("contact_email") or "").strip()
    if address and checked_email(address) is None:
        yield FieldProblem(field="contact_email", code="not_an_address")


def _wrong_letterhead(changes: Mapping[str, Any]) -> Iterator[FieldProblem]:
    lines = (changes.get("letterhead") or "").split("\n")
    if len(lines) > LETTERHEAD_LINES or max(map(len, lines)) > LETTERHEAD_LENGTH:
        yield FieldProblem(field="letterhead", code="letterhead_bounds")
    if len((changes.get("letter_words") or "").strip()) > LETTER_WORDS:
        yield FieldProblem(field="letter_words", code="letter_words_bounds")
    try:
        _ = changes.get("logo") and harmless(changes["logo"])
    except PictureRefused as refused:
        yield FieldProblem(field="logo", code=refused.code)


def _wrong_numbers(changes: Mapping[str, Any]) -> Iterator[FieldProblem]:
    for name, (least, most) in BOUNDS.items():
        value = changes.get(name)
        if name not in changes or (value is None and name in MAY_BE_EMPTY):
            continue
        if type(value) is not int or not least <= value <= most:
            yield FieldProblem(field=name, code=f"{name}_bounds")


def _wrong_together(values: Mapping[str, Any]) -> Iterator[FieldProblem]:
    """Yield problems of values that are right alone; `values`: all numbers after the change."""
    claim, contact = values["claim_working_days"], values["contact_working_days"]
    if type(claim) is type(contact) is int and contact < claim:
        yield FieldProblem(field="contact_working_days", code="before_claim")
    start, end = values["quiet_from"], values["quiet_until"]
    if (start is None) is not (end is None):
        yield FieldProblem(field="quiet_from" if start is None else "quiet_until", code="quiet_both")
    if type(start) is not int or type(end) is not int:
        return
    if start == end or 24 - (end - start) % 24 < LEAST_LOUD_HOURS:
        yield FieldProblem(field="quiet_until", code="quiet_too_long")
        return
    for name in ("opens_at", "digest_at"):
        if type(values[name]) is int and (values[name] - start) % 24 < (end - start) % 24:
            yield FieldProblem(field=name, code="in_quiet_hours")


def _numbers_of(organisation: Organisation) -> dict[str, Any]:
    return {name: getattr(organisation, name) for name in BOUNDS}


def _wrong_recipients(
    organisation: Organisation, wishes: Sequence[RecipientWish], kept_out: Collection[str]
) -> Iterator[FieldProblem]:
    yield from wrong_recipients([wish.address for wish in wishes], kept_out)
    for place, wish in enumerate(wishes):
        yield from _wrong_channel(wish, place)
    yield from too_few_stay(organisation, [wish.address for wish in wishes])


def _wrong_channel(wish: RecipientWish, place: int) -> Iterator[FieldProblem]:
    try:
        set_channel(Recipient(address=""), channel=wish.channel, phone=wish.phone)
    except Invalid as refused:
        for problem in refused.problems:
            yield FieldProblem(field=f"recipients.{place}.{problem.field}", code=problem.code)


def _set_recipients(session: Session, organisation: Organisation, wishes: Sequence[RecipientWish]) -> None:
    addresses = [checked_email(wish.address) or "" for wish in wishes]
    recipients = replace_recipients(session, organisation, addresses)
    for recipient, wish in zip(recipients, wishes, strict=True):
        phone = recipient.phone
        set_channel(recipient, channel=wish.channel, phone=wish.phone)
        if phone not in (None, recipient.phone):  # the phone may come back, and then needs a new link
            withdraw_check(session, recipient.id, Event.RECIPIENT_CHECK)


def _set_deputy(session: Session, organisation: Organisation, address: str | None) -> None:
    """Set the deputy; another address must be verified, and the check of the former one is withdrawn."""
    if address != organisation.deputy_email:
        organisation.deputy_email, organisation.deputy_verified_on = address, None
        withdraw_check(session, organisation.id, Event.DEPUTY_CHECK)


def stored(name: str, value: Any) -> Any:
    """Return a setting as the database holds it; an empty contact is an empty text."""
    if name == "deputy_email":
        return checked_email(value) if value else None
    if name == "retry_working_days":
        return value.replace(" ", "")
    if name == "contact_email":
        return checked_email(value) or "" if value else ""
    if name in ("contact_phone", "letterhead"):
        return (value or "").strip()
    if name == "logo":
        return harmless(value) if value else None
    if name == "letter_words":
        return " ".join((value or "").split())
    return "".join(sorted(value)) if name == "working_days" and value else value
