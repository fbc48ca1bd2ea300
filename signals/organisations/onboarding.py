"""Organisations: taking them on, the areas they cover, and the mailbox keys made ahead for each."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol, cast
from unicodedata import normalize

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session
from structlog import get_logger

from privacy.bulk import insert_many
from privacy.sealing import week_start
from signals.clock import Clock, today
from signals.models import CoverageArea, MailboxPublicKey, Organisation, Recipient
from signals.routing.snapshot import is_signed_by, onboarded_from, routing_changed
from signals.routing.table import OrganisationFacts
from signals.vocabulary import OrganisationKind

WEEKS_AHEAD = 4
LAST_NUMBER = 99999

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Area:
    """An area to cover from a date; `level` and `area` as in `CoverageArea`."""

    level: str
    area: str
    valid_from: date
    valid_until: date | None = None
    number_from: int | None = None
    number_to: int | None = None


def areas_overlap(one: Area, other: "Area | CoverageArea") -> bool:
    """Whether two rows of the same area share a date and a house number."""
    last_day = min(one.valid_until or date.max, other.valid_until or date.max)
    last_number = min(one.number_to or LAST_NUMBER, other.number_to or LAST_NUMBER)
    shares_number = max(one.number_from or 1, other.number_from or 1) <= last_number
    return shares_number and max(one.valid_from, other.valid_from) < last_day


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What must be there before an organisation receives (domain design, Routing)."""

    on: date
    legal_basis: str
    retention_basis: str


class PublicKeyMaker(Protocol):
    """The keystore, as far as making mailbox keys goes."""

    def make_mailbox_keys(self, pairs: Iterable[tuple[uuid.UUID, date]]) -> Sequence["PublicHalf"]:
        """The public halves for (organisation, week), made where there is none."""
        ...

    def list_mailbox_keys(self) -> Sequence["PublicHalf"]:
        """All public halves whose private ones are there."""
        ...

    def root_public_key(self) -> bytes:
        """By which its signatures are checked."""
        ...


class PublicHalf(Protocol):
    """A signed public key as the keystore gives it."""

    @property
    def key_id(self) -> uuid.UUID: ...
    @property
    def organisation_id(self) -> uuid.UUID: ...
    @property
    def week(self) -> date: ...
    @property
    def public_key(self) -> bytes: ...
    @property
    def signature(self) -> bytes: ...


def normal_name(name: str) -> str:
    """A name in its one spelling: composed signs (NFC), and single plain spaces between the words alone."""
    return " ".join(normalize("NFC", name).split())


def name_key(name: str) -> str:
    """By which two names are one and the same: whoever searches or types one need not hit its capitals."""
    return normalize("NFC", normal_name(name).casefold())


def find_by_name(session: Session, name: str) -> Organisation | None:
    """The organisation of this name as it is spelled, else the only one whose name is the same."""
    rows = session.execute(select(Organisation.id, Organisation.name)).all()
    found = [row.id for row in rows if row.name == name]
    found = found or [row.id for row in rows if name_key(row.name) == name_key(name)]
    return session.get(Organisation, found[0]) if len(found) == 1 else None


def create_organisation(
    session: Session,
    *,
    name: str,
    kind: OrganisationKind,
    areas: Sequence[Area],
    agreement: Agreement | None = None,
    recipients: Sequence[str] = (),
    recipients_verified_on: date | None = None,
    is_example: bool = False,
    contact_phone: str = "",
    contact_email: str = "",
    organisation_id: uuid.UUID | None = None,
) -> Organisation:
    """A new organisation with its coverage; receives once agreement and two verified recipients are there."""
    organisation = Organisation(
        id=organisation_id or uuid.uuid4(),
        name=name,
        kind=kind,
        is_example=is_example,
        agreement_on=agreement.on if agreement else None,
        legal_basis=agreement.legal_basis if agreement else None,
        retention_basis=agreement.retention_basis if agreement else None,
        contact_phone=contact_phone,
        contact_email=contact_email,
        recipients=[
            Recipient(position=place, address=address, verified_on=recipients_verified_on)
            for place, address in enumerate(recipients, start=1)
        ],
        coverage=[CoverageArea(**vars(area)) for area in areas],
    )
    session.add(organisation)
    session.flush()
    routing_changed(session)
    return organisation


def onboarded_on(organisation: Organisation) -> date | None:
    """From when the organisation receives; None while something is missing."""
    verified = [r.verified_on for r in organisation.recipients if r.verified_on is not None]
    return onboarded_from(
        organisation.agreement_on, organisation.legal_basis, organisation.retention_basis, verified
    )


def facts_of(organisation: Organisation) -> OrganisationFacts:
    """What routing goes by of an organisation."""
    return OrganisationFacts(
        id=organisation.id,
        name=organisation.name,
        kind=organisation.kind,
        receives_from=onboarded_on(organisation),
        receives_until=organisation.suspended_from,
    )


def receives(organisation: Organisation, on: date) -> bool:
    """Whether an organisation is onboarded and not suspended on a date: as routing says of it."""
    return facts_of(organisation).receives(on)


def mailbox_keys_are_whole(session: Session, clock: Clock, *, keystore: PublicKeyMaker) -> bool:
    """Whether `provision_mailbox_keys` would find nothing to do; a look that writes nothing."""
    missing, lost = _missing_and_lost(session, today(clock), keystore)
    return not missing and not lost


def provision_mailbox_keys(session: Session, clock: Clock, *, keystore: PublicKeyMaker) -> int:
    """Make the mailbox keys of this week and the next four for every organisation; returns how many are new.

    The private halves stay in the keystore; the signed public halves go where the front reads them.
    A public half whose private one is gone, as after a restore of the keystore from a copy, is replaced:
    what is sealed to it nobody can read.
    """
    missing, lost = _missing_and_lost(session, today(clock), keystore)
    if lost:
        log.error("mailbox_keys.private_half_gone", count=len(lost))
        session.execute(delete(MailboxPublicKey).where(MailboxPublicKey.key_id.in_(lost)))
    made = keystore.make_mailbox_keys(sorted(missing)) if missing else []
    new = _publish(session, made)
    if new or lost:
        routing_changed(session)
    return new


def _lost(rows: Sequence[Any], keystore: PublicKeyMaker) -> set[uuid.UUID]:
    """Those that this keystore's root signed and that it has no more. What another root signed is left: this
    may be the wrong keystore, and the front refuses it anyway.
    """
    kept = {half.key_id for half in keystore.list_mailbox_keys()}
    root = keystore.root_public_key()
    return {row.key_id for row in rows if row.key_id not in kept and is_signed_by(root, row)}


def _publish(session: Session, halves: Sequence[PublicHalf]) -> int:
    """How many are new: another worker may have published the same ones since we looked."""
    if not halves:
        return 0
    names = ("key_id", "organisation_id", "week", "public_key", "signature")
    columns = {name: [getattr(half, name) for half in halves] for name in names}
    return insert_many(session.connection(), cast(Table, MailboxPublicKey.__table__), columns, unless=())


def _missing_and_lost(
    session: Session, on: date, keystore: PublicKeyMaker
) -> tuple[set[tuple[uuid.UUID, date]], set[uuid.UUID]]:
    """(Organisation, week) without a key, and ids of public halves whose private one is gone."""
    wanted = set(_wanted(session, on))
    # Of the weeks to come: a sweep may be taking the keys of those that are over.
    ahead = select(MailboxPublicKey.__table__).where(MailboxPublicKey.week >= week_start(on))
    rows = session.execute(ahead).all()
    lost = _lost(rows, keystore)  # after the rows were read: a private half is there before its public one
    return wanted - {(row.organisation_id, row.week) for row in rows if row.key_id not in lost}, lost


def _wanted(session: Session, on: date) -> Iterable[tuple[uuid.UUID, date]]:
    this_week = week_start(on)
    for organisation_id in session.scalars(select(Organisation.id)):
        for ahead in range(WEEKS_AHEAD + 1):
            yield organisation_id, this_week + timedelta(weeks=ahead)
