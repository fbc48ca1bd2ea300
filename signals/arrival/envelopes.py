"""Take reports that wait, open their envelopes, and seal each anew under a key of its own."""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple, cast

from sqlalchemy import Connection, Integer, Table, literal_column, select
from sqlalchemy.orm import Session
from structlog import get_logger

from privacy.sealing import MailboxPrivateKey, SealingError
from signals.errors import NoMailboxKey
from signals.intake.content import (
    Report,
    Summary,
    check_what_came,
    context_of,
    report_that_may_stay,
    seal_what_came,
)
from signals.models import IdempotencyKey, SealedReport, Signal
from signals.models.base import new_id
from signals.models.place import NEIGHBOURHOOD
from signals.routing.places import Place, places_of
from signals.routing.postcodes import Address
from signals.routing.snapshot import Router
from signals.vocabulary import ConcernType, Profession

log = get_logger(__name__)

REPORTS: Final = cast(Table, SealedReport.__table__)


class Waiting(NamedTuple):
    """The columns of a sealed report that arrival reads."""

    receipt_hash: bytes
    signal_id: uuid.UUID
    organisation_id: uuid.UUID
    mailbox_key_id: uuid.UUID
    schema_version: int
    received_on: date
    unrouted: bool
    profession: Profession | None
    refused_on: date | None
    envelope: bytes
    has_key: int | None
    is_signal: int | None


@dataclass(frozen=True, slots=True)
class Case:
    """A report that opened: its row, its address, and its content under a key of its own."""

    row: Waiting
    key_id: uuid.UUID
    key: bytes = field(repr=False)
    address: Address = field(repr=False)
    content: bytes
    summary: bytes
    outside_area: bool = False
    concern_types: tuple[ConcernType, ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class ArrivalChecks:
    """The checks of each report, wherever it was sealed: whoever writes to the database can seal one too."""

    router: Router
    notes_enabled: bool
    unproven_per_day: int

    def read(self, text: bytes, row: Waiting) -> Report:
        """Return the report without what must not stay; raise `SealingError`."""
        return report_that_may_stay(text, received_on=row.received_on, notes_enabled=self.notes_enabled)

    def receiver(self, address: Address, row: Waiting) -> uuid.UUID:
        """Return the sealed receiver, or the national desk if the address lies outside its area."""
        desk_id = self.desk_id(row)
        try:
            route = self.router.route(address.postcode, address.number, row.received_on)
        except NoMailboxKey:
            return row.organisation_id
        is_inside = row.organisation_id in (route.organisation_id, desk_id)
        return row.organisation_id if is_inside or desk_id is None else desk_id

    def desk_id(self, row: Waiting) -> uuid.UUID | None:
        """Return the national desk that opens the report if its address lies outside the sealed area."""
        desk = self.router.snapshot().national_desk(row.received_on)
        return None if desk is None else desk.id


@dataclass(frozen=True, slots=True)
class _Opened:
    row: Waiting
    text: bytes = field(repr=False)
    address: Address = field(repr=False)
    summary: Summary = field(repr=False)
    outside_area: bool = False


# Not EXISTS: for that PostgreSQL may read all signals into a table of its own. As values they are looked up.
_ONE = select(literal_column("1", Integer))
_HAS_KEY = _ONE.where(IdempotencyKey.receipt_hash == REPORTS.c.receipt_hash).scalar_subquery()
_IS_SIGNAL = _ONE.where(Signal.id == REPORTS.c.signal_id).scalar_subquery()
_WAITING = (
    select(*(REPORTS.c[name] for name in Waiting._fields[:-2]), _HAS_KEY, _IS_SIGNAL)
    .order_by(REPORTS.c.signal_id)
    .with_for_update(skip_locked=True, of=REPORTS)
)


def take(connection: Connection, limit: int, refused_after: uuid.UUID | None = None) -> list[Waiting]:
    """Lock a batch that no other worker has, in the order of random ids, not of arrival.

    With `refused_after`, lock reports that were refused before, from that id on.
    """
    query = _WAITING.where(REPORTS.c.refused_on.is_(None))
    if refused_after is not None:
        query = _WAITING.where(REPORTS.c.refused_on.is_not(None), REPORTS.c.signal_id > refused_after)
    return [Waiting._make(row) for row in connection.execute(query.limit(limit))]


def open_each(
    session: Session,
    waiting: Sequence[Waiting],
    mailboxes: Mapping[uuid.UUID, MailboxPrivateKey],
    receivers: Mapping[uuid.UUID, object],
    checks: ArrivalChecks,
) -> list[Case]:
    """Return the reports that came through intake, open, and have a receiver; seal them anew with a place."""
    opened = [
        found
        for row in waiting
        if _came_through_intake(row) and row.organisation_id in receivers
        if (found := _opened(row, mailboxes.get(row.mailbox_key_id), checks)) is not None
    ]
    places = places_of(session, {found.address for found in opened}, NEIGHBOURHOOD)
    return [_case_of(found, places[found.address]) for found in opened]


def _came_through_intake(row: Waiting) -> bool:
    """Return whether intake wrote the report, which writes a key with it, and wrote it once.

    The front's database role can write an envelope alone. The day's limit does not count that one.
    """
    if row.has_key and not row.is_signal:
        return True
    event = "arrival.came_twice" if row.is_signal else "arrival.came_without_key"
    log.error(event, signal_id=str(row.signal_id))
    return False


def _opened(row: Waiting, mailbox: MailboxPrivateKey | None, checks: ArrivalChecks) -> _Opened | None:
    """Return the opened report; None for an envelope that was swapped, damaged or sealed as nonsense.

    Anybody who can write to the database can seal nonsense, because the public keys lie beside it.
    """
    if mailbox is None:
        log.error("arrival.mailbox_key_gone", signal_id=str(row.signal_id), key_id=str(row.mailbox_key_id))
        return None
    sealed_as = context_of(row.signal_id, row.organisation_id, row.mailbox_key_id, row.schema_version)
    event = "arrival.envelope_refused"
    try:
        text = mailbox.open(row.envelope, sealed_as)
        event = "arrival.content_refused"
        return _checked(row, text, checks)
    except SealingError as error:
        log.error(event, signal_id=str(row.signal_id), error=type(error).__name__)
    return None


def _checked(row: Waiting, text: bytes, checks: ArrivalChecks) -> _Opened:
    text = checks.read(text, row).canonical()
    address, summary = check_what_came(text)
    summary = summary.proved(row.profession)
    receiver = checks.receiver(address, row)
    if receiver == row.organisation_id:
        return _Opened(row, text, address, summary)
    log.warning(
        "arrival.outside_area", signal_id=str(row.signal_id), organisation_id=str(row.organisation_id)
    )
    to_desk = row._replace(organisation_id=receiver, unrouted=True)
    return _Opened(to_desk, text, address, summary, outside_area=True)


def _case_of(found: _Opened, place: Place) -> Case:
    key_id, key = new_id(), secrets.token_bytes(32)
    context = context_of(found.row.signal_id, found.row.organisation_id, key_id)
    sealed = seal_what_came(found.text, found.summary.at(place), key, context)
    return Case(
        found.row,
        key_id,
        key,
        found.address,
        *sealed,
        outside_area=found.outside_area,
        concern_types=found.summary.concern_types,
    )
