"""What an administrator changes: organisations, what each lacks before it receives, and what it covers.

Every change is audited under the organisation that it is about, and tells every process of routing, in one
transaction.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from notifications.events import Event
from signals.audit.log import Actor, AuditLog, require_role
from signals.clock import Clock, today
from signals.errors import Conflict, FieldProblem, Invalid, NotFound
from signals.models import CoverageArea, Organisation
from signals.organisations.addressing import coordinators
from signals.organisations.onboarding import create_organisation, name_key, normal_name, receives
from signals.organisations.recipients import leaving, replace_recipients, withdraw_check, wrong_recipients
from signals.organisations.team_settings import StaleSettings, refuse_unknown
from signals.routing.areas import Area, area_problems, areas_overlap
from signals.routing.receivers import LEAST_RECIPIENTS
from signals.routing.snapshot import lock_routing, routing_changed
from signals.staff.identity import checked_email, normal_email
from signals.vocabulary import AuditAction, OrganisationKind, Role

CHANGEABLE: Final = frozenset(
    {
        "name",
        "agreement_on",
        "legal_basis",
        "retention_basis",
        "suspended_from",
        "contact_phone",
        "contact_email",
        "recipients",
    }
)
"""What `change_organisation` takes."""
_OF_THE_TEAM: Final = frozenset({"contact_phone", "contact_email", "recipients"})
"""What a lead changes too, so that whoever read it before is told that it is no longer so."""


class CoverageOverlaps(Conflict):
    """This area is covered already on some of these dates."""

    code = "coverage_overlaps"


class LastNationalDesk(Conflict):
    """No other national desk receives: reports that nobody covers could reach nobody."""

    code = "last_national_desk"


@dataclass(frozen=True, kw_only=True)
class RecipientEntry:
    """Where an organisation hears of new signals; counts only once its address is verified."""

    address: str = field(repr=False)
    verified_on: date | None = None


def organisations(session: Session, *, search: str = "") -> Sequence[Organisation]:
    """All organisations by name, or those whose name contains the text; recipients and coverage loaded."""
    query = (
        select(Organisation)
        .options(selectinload(Organisation.recipients), selectinload(Organisation.coverage))
        .order_by(Organisation.name)
    )
    wanted = search.replace("\0", "").strip()  # PostgreSQL takes no text that holds one
    if wanted:
        query = query.where(Organisation.name.icontains(wanted, autoescape=True))
    return session.scalars(query).all()


def receiving(
    session: Session, on: date, *, besides: uuid.UUID | None, search: str = ""
) -> list[Organisation]:
    """Organisations to which a signal can be referred on a date."""
    return [
        found
        for found in organisations(session, search=search)
        if found.id != besides and receives(found, on)
    ]


def add_organisation(
    session: Session,
    clock: Clock,
    *,
    actor: Actor,
    audit: AuditLog,
    name: str,
    kind: OrganisationKind,
    contact_phone: str = "",
    contact_email: str = "",
) -> Organisation:
    """A new organisation, which receives nothing yet; `Invalid` for a name that another has, in any capitals.

    The worker makes its mailbox keys (`provision_mailbox_keys`): the desk may not.
    """
    require_role(actor, Role.ADMINISTRATOR)
    _refuse(_name_problems(session, name, None), _contact_problems(contact_email))
    with _refused_as_taken():
        organisation = create_organisation(
            session,
            name=normal_name(name),
            kind=kind,
            areas=[],
            contact_phone=contact_phone.strip(),
            contact_email=checked_email(contact_email) or "",
        )
    _record(session, clock, audit, actor, organisation.id, AuditAction.ORGANISATION_CHANGED, "added")
    return organisation


def change_organisation(
    session: Session,
    clock: Clock,
    *,
    actor: Actor,
    audit: AuditLog,
    organisation_id: uuid.UUID,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> Organisation:
    """Change what `changes` names (see `CHANGEABLE`), also what is needed before an organisation receives.

    `recipients`: all of them, as `RecipientEntry`, in order. An empty text or None empties a field. With
    `expected_version` they are a form's, in which a day may have been left standing beside another address,
    and by which nobody may stop to receive unseen. Raises `NotFound`, `StaleSettings`, `Invalid` with every
    problem, and `LastNationalDesk`.
    """
    require_role(actor, Role.ADMINISTRATOR)
    refuse_unknown(changes, CHANGEABLE)
    organisation = _organisation(session, organisation_id)
    if expected_version not in (None, organisation.settings_version):
        raise StaleSettings
    was_a_desk = is_lasting_desk(organisation, today(clock))
    wanted = {name: value for name, value in changes.items() if not _is_so(organisation, name, value)}
    _refuse(_problems(session, organisation, wanted, today(clock)))
    if expected_version is not None and "recipients" in wanted:
        _refuse(_left_standing(organisation, wanted["recipients"], today(clock)))
    for name, value in wanted.items():
        if name == "recipients":
            _set_recipients(session, organisation, value)
        else:
            setattr(organisation, name, _stored(name, value))
    organisation.settings_version += bool(_OF_THE_TEAM & wanted.keys())
    with _refused_as_taken() if "name" in changes else nullcontext():
        session.flush()
    routing_changed(session)
    if was_a_desk and not has_lasting_desk(session, today(clock)):
        raise LastNationalDesk
    ground = f"changed:{','.join(sorted(changes))}"[:80]
    _record(session, clock, audit, actor, organisation.id, AuditAction.ORGANISATION_CHANGED, ground)
    return organisation


def areas(session: Session, *, organisation_id: uuid.UUID | None = None) -> Sequence[CoverageArea]:
    """Coverage of one organisation or of all, the organisation loaded; by level, area and date."""
    query = (
        select(CoverageArea)
        .options(selectinload(CoverageArea.organisation))
        .order_by(CoverageArea.level, CoverageArea.area, CoverageArea.valid_from, CoverageArea.id)
    )
    if organisation_id is not None:
        query = query.where(CoverageArea.organisation_id == organisation_id)
    return session.scalars(query).all()


def add_area(
    session: Session, clock: Clock, *, actor: Actor, audit: AuditLog, organisation_id: uuid.UUID, area: Area
) -> CoverageArea:
    """Let an organisation cover an area from a date on.

    Raises `NotFound`, `Invalid` for an area that does not exist, and `CoverageOverlaps` when the same area
    is covered on one of these dates, by whomever.
    """
    require_role(actor, Role.ADMINISTRATOR)
    organisation = _organisation(session, organisation_id)
    _refuse(area_problems(area))
    lock_routing(session)
    _refuse_overlap(session, area)
    added = CoverageArea(**vars(area), organisation=organisation)
    session.add(added)
    session.flush()
    routing_changed(session)
    _record(
        session, clock, audit, actor, organisation_id, AuditAction.COVERAGE_CHANGED, f"added:{area.level}"
    )
    return added


def end_area(
    session: Session, clock: Clock, *, actor: Actor, audit: AuditLog, area_id: uuid.UUID, valid_until: date
) -> CoverageArea:
    """Let a coverage end on a date (excluded), today at the earliest: what was routed stays explained.

    Raises `NotFound`, and `Invalid` for a date that lies in the past or makes it last longer.
    """
    require_role(actor, Role.ADMINISTRATOR)
    area = session.get(CoverageArea, area_id)
    if area is None:
        raise NotFound
    _organisation(session, area.organisation_id)  # held before routing, as by whoever changes an organisation
    session.refresh(area, with_for_update=True)
    too_late = area.valid_until is not None and valid_until > area.valid_until
    if valid_until < max(today(clock), area.valid_from) or valid_until == area.valid_from or too_late:
        raise Invalid(FieldProblem(field="valid_until", code="out_of_range"))
    area.valid_until = valid_until
    session.flush()
    routing_changed(session)
    ground = f"ended:{area.level}"
    _record(session, clock, audit, actor, area.organisation_id, AuditAction.COVERAGE_CHANGED, ground)
    return area


def _organisation(session: Session, organisation_id: uuid.UUID) -> Organisation:
    query = select(Organisation).options(selectinload(Organisation.recipients))
    found = session.scalar(query.where(Organisation.id == organisation_id).with_for_update(of=Organisation))
    if found is None:
        raise NotFound
    return found


def has_lasting_desk(session: Session, on: date) -> bool:
    """Whether a national desk receives and goes on; after `routing_changed`, so that of two at once the
    second sees what the first did.
    """
    desks = select(Organisation).where(Organisation.kind == OrganisationKind.NATIONAL)
    return any(is_lasting_desk(desk, on) for desk in session.scalars(desks))


def is_lasting_desk(organisation: Organisation, on: date) -> bool:
    is_desk = organisation.kind is OrganisationKind.NATIONAL and organisation.suspended_from is None
    return is_desk and receives(organisation, on)


def _refuse(*groups: Iterator[FieldProblem]) -> None:
    problems = [problem for group in groups for problem in group]
    if problems:
        raise Invalid(*problems)


@contextmanager
def _refused_as_taken() -> Iterator[None]:
    """Of two who choose one name at the same moment the second is told, as if the first had been sooner."""
    try:
        yield
    except IntegrityError:
        raise Invalid(FieldProblem(field="name", code="taken")) from None


def _is_so(organisation: Organisation, name: str, value: Any) -> bool:
    """Whether it is so already: what nobody changes is not looked at anew either."""
    if name != "recipients":
        return bool(getattr(organisation, name) == value)
    there = [(one.address, one.verified_on) for one in organisation.recipients]
    return there == [(entry.address.strip(), entry.verified_on) for entry in value]


def _stored(name: str, value: Any) -> Any:
    if name == "contact_email":
        return checked_email(value) or ""
    if name == "name":
        return normal_name(value)
    return value.strip() if isinstance(value, str) else value


def _problems(
    session: Session, organisation: Organisation, changes: Mapping[str, Any], on: date
) -> Iterator[FieldProblem]:
    if "name" in changes:
        yield from _name_problems(session, changes["name"], organisation.id)
    if "contact_email" in changes:
        yield from _contact_problems(changes["contact_email"])
    if "recipients" in changes:
        yield from wrong_recipients([entry.address for entry in changes["recipients"]], coordinators(session))
        yield from _checks_to_come(changes["recipients"], on)
        if receives(organisation, on) and len(changes["recipients"]) < LEAST_RECIPIENTS:
            yield FieldProblem(field="recipients", code="keep_two")


def _name_problems(session: Session, name: str, own_id: uuid.UUID | None) -> Iterator[FieldProblem]:
    if not 1 <= len(normal_name(name)) <= 120:
        yield FieldProblem(field="name", code="out_of_range")
        return
    lock_routing(session)  # no index knows of capitals: of two at once the second waits, and is told
    rows = session.execute(select(Organisation.id, Organisation.name))
    if any(row.id != own_id and name_key(row.name) == name_key(name) for row in rows):
        yield FieldProblem(field="name", code="taken")


def _contact_problems(address: str) -> Iterator[FieldProblem]:
    if address.strip() and checked_email(address) is None:
        yield FieldProblem(field="contact_email", code="invalid")


def _checks_to_come(entries: Sequence[RecipientEntry], on: date) -> Iterator[FieldProblem]:
    for place, entry in enumerate(entries):
        if entry.verified_on is not None and entry.verified_on > on:
            yield FieldProblem(field=f"recipients.{place}.verified_on", code="in_the_future")


def _left_standing(
    organisation: Organisation, entries: Sequence[RecipientEntry], on: date
) -> Iterator[FieldProblem]:
    """What a form may say that nobody meant; a program is answered whether the organisation `receives`."""
    yield from _checks_of_the_former(organisation, entries)
    if receives(organisation, on) and _counting(organisation, entries) < LEAST_RECIPIENTS:
        yield FieldProblem(field="recipients", code="keep_two")


def _checks_of_the_former(
    organisation: Organisation, entries: Sequence[RecipientEntry]
) -> Iterator[FieldProblem]:
    """A day that was left standing beside another address: on it the one before was checked, not this one."""
    addresses = [checked_email(entry.address) or "" for entry in entries]
    days = {one.verified_on for one in leaving(organisation, addresses) if one.verified_on is not None}
    known = {"", *(normal_email(one.address) for one in organisation.recipients)}
    for place, entry in enumerate(entries):
        if addresses[place] not in known and entry.verified_on in days:
            yield FieldProblem(field=f"recipients.{place}.verified_on", code="check_of_the_former")


def _counting(organisation: Organisation, entries: Sequence[RecipientEntry]) -> int:
    """How many count, or did: by an address that goes or comes nobody stops to receive unseen; one that is
    taken back is a decision.
    """
    counted = {normal_email(one.address) for one in organisation.recipients if one.verified_on is not None}
    return sum(entry.verified_on is not None or checked_email(entry.address) in counted for entry in entries)


def _set_recipients(session: Session, organisation: Organisation, entries: Sequence[RecipientEntry]) -> None:
    addresses = [checked_email(entry.address) or "" for entry in entries]
    recipients = replace_recipients(session, organisation, addresses)
    for recipient, entry in zip(recipients, entries, strict=True):
        if recipient.verified_on is not None and entry.verified_on is None:
            withdraw_check(session, recipient.id, Event.RECIPIENT_CHECK)
        recipient.verified_on = entry.verified_on


def _refuse_overlap(session: Session, area: Area) -> None:
    query = select(CoverageArea).where(CoverageArea.level == area.level, CoverageArea.area == area.area)
    for other in session.scalars(query):
        if areas_overlap(area, other):
            raise CoverageOverlaps


def _record(
    session: Session,
    clock: Clock,
    audit: AuditLog,
    actor: Actor,
    organisation_id: uuid.UUID,
    action: AuditAction,
    ground: str,
) -> None:
    audit.record(
        session,
        clock,
        actor=actor,
        action=action,
        subject_id=organisation_id,
        ground=ground,
        organisation_id=organisation_id,
    )
