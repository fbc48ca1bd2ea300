"""Organisations as an administrator changes them; every change is audited and reaches routing at once."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from signals.audit.grounds import Ground
from signals.audit.log import require_role
from signals.errors import Conflict, FieldProblem, Invalid, NotFound
from signals.models import Organisation
from signals.operation import Operation
from signals.organisations.addressing import coordinators
from signals.organisations.changes import announce
from signals.organisations.onboarding import create_organisation, name_key, normal_name, receives
from signals.organisations.recipients import replace_recipients, too_few_stay, wrong_recipients
from signals.organisations.team_settings import (
    StaleSettings,
    contact_problems,
    record_change,
    refuse_unknown,
    stored,
)
from signals.routing.snapshot import lock_routing, routing_changed
from signals.staff.identity import checked_email
from signals.vocabulary import OrganisationKind, Role

_OF_THE_TEAM: Final = frozenset({"contact_phone", "contact_email", "recipients"})
"""A lead changes these too, so a change makes the lead's open form stale."""
CHANGEABLE: Final = _OF_THE_TEAM | {
    "name",
    "agreement_on",
    "legal_basis",
    "retention_basis",
    "suspended_from",
}
"""The names that `change_organisation` takes."""
DECISIVE: Final = CHANGEABLE - {"contact_phone", "contact_email"}
"""A change of these decides who receives reports, or under which name: people are notified at once."""


class LastNationalDesk(Conflict):
    """No other national desk receives: reports that nobody covers could reach nobody."""

    code = "last_national_desk"


def organisations(session: Session, *, search: str = "") -> Sequence[Organisation]:
    """Return organisations by name, with recipients and coverage; `search`: a part of the name."""
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
    """Return the organisations to which a signal can be referred on a date."""
    found = organisations(session, search=search)
    return [one for one in found if one.id != besides and receives(one, on)]


def add_organisation(
    operation: Operation,
    *,
    name: str,
    kind: OrganisationKind,
    contact_phone: str = "",
    contact_email: str = "",
) -> Organisation:
    """Add an organisation, which does not receive yet. Raises `Invalid`.

    The worker makes its mailbox keys (`provision_mailbox_keys`): the desk has no right to.
    """
    require_role(operation.actor, Role.ADMINISTRATOR)
    contact = {"contact_phone": contact_phone, "contact_email": contact_email}
    _refuse(_name_problems(operation.session, name, None), contact_problems(contact))
    with _refused_as_taken():
        organisation = create_organisation(
            operation.session,
            name=normal_name(name),
            kind=kind,
            areas=[],
            **{field: stored(field, text) for field, text in contact.items()},
        )
    record_change(operation, organisation.id, Ground.ADDED)
    return organisation


def change_organisation(
    operation: Operation,
    *,
    organisation_id: uuid.UUID,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> Organisation:
    """Change the fields named in `changes` (see `CHANGEABLE`); an empty text or None empties a field.

    `recipients`: the addresses of all of them, in order; a new one counts once its reader pressed the link.
    Pass `expected_version` for a form. Raises `NotFound`, `StaleSettings`, `Invalid` with every problem, and
    `LastNationalDesk`.
    """
    require_role(operation.actor, Role.ADMINISTRATOR)
    refuse_unknown(changes, CHANGEABLE)
    session, on = operation.session, operation.today
    organisation = locked_organisation(session, organisation_id)
    if expected_version not in (None, organisation.settings_version):
        raise StaleSettings
    was_a_desk = is_lasting_desk(organisation, on)
    wanted = {name: value for name, value in changes.items() if not _is_same(organisation, name, value)}
    _refuse(_problems(session, organisation, wanted, on))
    _apply(session, organisation, wanted)
    with _refused_as_taken() if "name" in changes else nullcontext():
        session.flush()
    routing_changed(session)
    if was_a_desk and not has_lasting_desk(session, on):
        raise LastNationalDesk
    record_change(operation, organisation.id, Ground.CHANGED.of(",".join(sorted(changes))))
    if wanted.keys() & DECISIVE:
        announce(operation, organisation.id)
    return organisation


def locked_organisation(session: Session, organisation_id: uuid.UUID) -> Organisation:
    """Return an organisation with its recipients, locked. Raises `NotFound`."""
    query = select(Organisation).options(selectinload(Organisation.recipients))
    found = session.scalar(query.where(Organisation.id == organisation_id).with_for_update(of=Organisation))
    if found is None:
        raise NotFound
    return found


def has_lasting_desk(session: Session, on: date) -> bool:
    """Return whether a national desk receives and has no planned end.

    Call it after `routing_changed`: then the second of two transactions sees the change of the first.
    """
    desks = select(Organisation).where(Organisation.kind == OrganisationKind.NATIONAL)
    return any(is_lasting_desk(desk, on) for desk in session.scalars(desks))


def is_lasting_desk(organisation: Organisation, on: date) -> bool:
    """Return whether an organisation is a national desk that receives and has no planned end."""
    is_desk = organisation.kind is OrganisationKind.NATIONAL and organisation.suspended_from is None
    return is_desk and receives(organisation, on)


def _refuse(*groups: Iterator[FieldProblem]) -> None:
    problems = [problem for group in groups for problem in group]
    if problems:
        raise Invalid(*problems)


@contextmanager
def _refused_as_taken() -> Iterator[None]:
    """Refuse the second of two transactions that choose one name at the same moment."""
    try:
        yield
    except IntegrityError:
        raise Invalid(FieldProblem(field="name", code="taken")) from None


def _is_same(organisation: Organisation, name: str, value: Any) -> bool:
    """Return whether a field has this value already; nothing checks such a value again."""
    if name != "recipients":
        return bool(getattr(organisation, name) == value)
    return [one.address for one in organisation.recipients] == [checked_email(address) for address in value]


def _apply(session: Session, organisation: Organisation, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        if name == "recipients":
            replace_recipients(session, organisation, [checked_email(address) or "" for address in value])
        else:
            setattr(organisation, name, _stored(name, value))
    organisation.settings_version += bool(_OF_THE_TEAM & changes.keys())


def _stored(name: str, value: Any) -> Any:
    if name == "name":
        return normal_name(value)
    return stored(name, value.strip() if isinstance(value, str) else value)


def _problems(
    session: Session, organisation: Organisation, changes: Mapping[str, Any], on: date
) -> Iterator[FieldProblem]:
    if "name" in changes:
        yield from _name_problems(session, changes["name"], organisation.id)
    yield from contact_problems(changes)
    if (changes.get("suspended_from") or on) < on:
        yield FieldProblem(field="suspended_from", code="in_past")
    if "recipients" in changes:
        yield from wrong_recipients(changes["recipients"], coordinators(session))
        yield from too_few_stay(organisation, changes["recipients"])


def _name_problems(session: Session, name: str, own_id: uuid.UUID | None) -> Iterator[FieldProblem]:
    if not 1 <= len(normal_name(name)) <= 120:
        yield FieldProblem(field="name", code="out_of_range")
        return
    lock_routing(session)  # no index ignores capitals, so the second of two transactions waits here
    rows = session.execute(select(Organisation.id, Organisation.name))
    if any(row.id != own_id and name_key(row.name) == name_key(name) for row in rows):
        yield FieldProblem(field="name", code="taken")
