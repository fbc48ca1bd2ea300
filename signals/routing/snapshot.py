"""The routing snapshot that each process keeps in memory: receivers, and the public keys to seal with.

A process asks the database for one number (`RoutingVersion`) at most once every `refresh_seconds`. When the
number grows, the process reads a new snapshot. While the database is away, the last snapshot stays in use.
"""

import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from structlog import get_logger

from privacy.sealing import PublicKeyRefused, verify_public_key, week_start
from signals.db import at_one_moment, reading
from signals.errors import NoMailboxKey
from signals.models import (
    CoverageArea,
    MailboxPublicKey,
    MunicipalityOfPostcode,
    Organisation,
    Recipient,
    RoutingVersion,
)
from signals.routing.day_table import NoNationalDesk, Route
from signals.routing.receivers import coverage_row, onboarded_from
from signals.routing.rows import OrganisationFacts
from signals.routing.table import RoutingTable

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class SealingKey:
    """A verified public key of an organisation for the week that begins on the Monday `week`."""

    key_id: uuid.UUID
    organisation_id: uuid.UUID
    week: date
    public_key: bytes
    signature: bytes


@dataclass(frozen=True)
class RoutingSnapshot:
    """One consistent state of routing: coverage, organisations and verified keys."""

    version: int
    table: RoutingTable
    organisations: dict[uuid.UUID, OrganisationFacts]
    keys: dict[tuple[uuid.UUID, date], SealingKey]

    def route(self, postcode: str, number: int | None, on: date) -> Route:
        """Return the route of an address on a date; raise `NoMailboxKey` when no organisation receives."""
        try:
            return self.table.route(postcode, number, on)
        except NoNationalDesk:
            log.error("routing.no_national_desk")
            raise NoMailboxKey from None

    def sealing_key(self, organisation_id: uuid.UUID, on: date) -> SealingKey | None:
        """Return the key of the week of `on`; None when it does not exist or its signature was refused."""
        return self.keys.get((organisation_id, week_start(on)))

    def receiver(self, route: Route, on: date) -> tuple[OrganisationFacts, SealingKey]:
        """Return the organisation that receives a report on this route, and the key to seal the report with.

        An organisation without a valid key gives way to the national desk. Raises `NoMailboxKey`.
        """
        key = self.sealing_key(route.organisation_id, on)
        if key is None:
            desk = self.national_desk(on)
            key = None if desk is None else self.sealing_key(desk.id, on)
        if key is None:
            raise NoMailboxKey
        return self.organisations[key.organisation_id], key

    def national_desk(self, on: date) -> OrganisationFacts | None:
        """Return the organisation that receives what no other organisation covers; None without one."""
        try:
            desk_id = self.table.on(on).desk_id
        except NoNationalDesk:
            return None
        return None if desk_id is None else self.organisations[desk_id]


class Router:
    """Routes from a snapshot of the database; one per process, shared by its threads."""

    def __init__(
        self,
        engine: Engine,
        *,
        root_public_key: bytes | None,
        refresh_seconds: float = 1.0,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._asking, self._reading = reading(engine), at_one_moment(engine)
        self._root = root_public_key
        self._refresh_seconds = refresh_seconds
        self._ticks = ticks
        self._lock = threading.Lock()
        self._snapshot: RoutingSnapshot | None = None
        self._asked_at = float("-inf")
        self._refused: set[uuid.UUID] = set()

    def route(self, postcode: str, number: int | None, on: date) -> Route:
        """Return the route of an address on a date: longest match, onboarded organisations only."""
        return self.snapshot().route(postcode, number, on)

    def snapshot(self) -> RoutingSnapshot:
        """Return the current state, at most `refresh_seconds` old.

        While one thread reads a new snapshot, the other threads use the old one. Raises only when no snapshot
        was ever read: the database's own error, or `NoMailboxKey` without a national desk.
        """
        now = self._ticks()
        current = self._snapshot
        if current is not None and now - self._asked_at < self._refresh_seconds:
            return current
        if self._lock.acquire(blocking=current is None):
            try:
                return self._refreshed(now)
            finally:
                self._lock.release()
        assert current is not None
        return current

    def check(self, on: date) -> None:
        """Raise `LookupError` without a national desk and its key: a report could be refused."""
        snapshot = self.snapshot()
        desk = snapshot.national_desk(on)
        if desk is None or snapshot.sealing_key(desk.id, on) is None:
            raise LookupError("no national desk with a key of this week")

    def _refreshed(self, now: float) -> RoutingSnapshot:
        current = self._snapshot
        if current is not None and now <= self._asked_at:
            return current
        try:
            snapshot = self._read(current)
        except (SQLAlchemyError, NoNationalDesk) as error:
            log.warning("routing.not_refreshed", error=type(error).__name__)
            if current is None:
                raise (NoMailboxKey() if isinstance(error, NoNationalDesk) else error) from None
            snapshot = current
        self._snapshot, self._asked_at = snapshot, now
        return snapshot

    def _read(self, current: RoutingSnapshot | None) -> RoutingSnapshot:
        if current is not None:
            with self._asking.connect() as connection:
                if current.version == _version(connection):
                    return current
        with self._reading.connect() as connection:
            return self._load(connection, _version(connection))

    def _load(self, connection: Connection, version: int) -> RoutingSnapshot:
        organisations = list(_organisations(connection))
        rows = map(coverage_row, connection.execute(select(CoverageArea.__table__)))
        runs, ranges = official_postcodes(connection.execute(select(MunicipalityOfPostcode.__table__)))
        return RoutingSnapshot(
            version,
            RoutingTable.build(rows, organisations, pc6_municipalities=runs, pc6_ranges=ranges),
            {facts.id: facts for facts in organisations},
            {(key.organisation_id, key.week): key for key in self._keys(connection)},
        )

    def _keys(self, connection: Connection) -> Iterable[SealingKey]:
        for row in connection.execute(select(MailboxPublicKey.__table__)):
            if self._is_genuine(row):
                yield SealingKey(**{each.name: getattr(row, each.name) for each in fields(SealingKey)})

    def _is_genuine(self, row: Any) -> bool:
        """Return whether the root signed this very row; log each refused row once."""
        if self._root is None:
            return False
        if is_signed_by(self._root, row):
            return True
        if row.key_id not in self._refused:
            self._refused.add(row.key_id)
            log.error("routing.mailbox_key_refused", key_id=str(row.key_id))
        return False


def is_signed_by(root: bytes, row: Any) -> bool:
    """Return whether a root signed this very row of public keys."""
    return _signed_by(root, row.key_id, row.organisation_id, row.week, row.public_key, row.signature)


@lru_cache(maxsize=8192)
def _signed_by(
    root: bytes,
    key_id: uuid.UUID,
    organisation_id: uuid.UUID,
    week: date,
    public_key: bytes,
    signature: bytes,
) -> bool:
    """Cache the check: it costs 100 us, and 400 organisations have keys of several weeks."""
    try:
        verify_public_key(
            root,
            key_id=key_id,
            organisation_id=organisation_id,
            week=week,
            public_key=public_key,
            signature=signature,
        )
    except PublicKeyRefused:
        return False
    return True


def _version(connection: Connection) -> int:
    return connection.scalar(select(RoutingVersion.version)) or 0


def lock_organisations(session: Session, ids: Collection[uuid.UUID] | None = None) -> None:
    """Lock these organisations (None: all) until the transaction ends; new rows may still refer to them.

    Every change of routing locks in one order: first all its organisations by id, then routing (by
    `lock_routing` or `routing_changed`). In another order two transactions could wait for each other.
    """
    in_order = select(Organisation.id).order_by(Organisation.id).with_for_update(key_share=True)
    session.execute(in_order if ids is None else in_order.where(Organisation.id.in_(ids)))


def routing_changed(session: Session) -> None:
    """Notify every process, in this transaction, that organisations, coverage or public keys changed."""
    session.execute(update(RoutingVersion).values(version=RoutingVersion.version + 1))


def lock_routing(session: Session) -> None:
    """Lock routing until the transaction ends, so that a check stays true; see `lock_organisations`."""
    session.execute(select(RoutingVersion.version).with_for_update())


# Named one by one: the front's database role may read no more of an organisation.
_ORGANISATION_COLUMNS = (
    Organisation.id,
    Organisation.name,
    Organisation.kind,
    Organisation.agreement_on,
    Organisation.legal_basis,
    Organisation.retention_basis,
    Organisation.suspended_from,
    Organisation.proved_on,
)


def _organisations(connection: Connection) -> Iterable[OrganisationFacts]:
    verified: dict[uuid.UUID, list[date]] = {}
    for organisation_id, on in connection.execute(select(Recipient.organisation_id, Recipient.verified_on)):
        if on is not None:
            verified.setdefault(organisation_id, []).append(on)
    for row in connection.execute(select(*_ORGANISATION_COLUMNS)):
        yield OrganisationFacts(
            id=row.id,
            name=row.name,
            kind=row.kind,
            receives_from=onboarded_from(row, verified.get(row.id, [])),
            receives_until=row.suspended_from,
        )


def official_postcodes(rows: Iterable[Any]) -> tuple[dict[str, str], list[tuple[str, int, int, str]]]:
    """Return the official address file: municipality by postcode, and ranges of split postcodes."""
    whole: dict[str, str] = {}
    ranges: list[tuple[str, int, int, str]] = []
    for row in rows:
        if row.number_from == 0:
            whole[row.first_pc6] = row.municipality_code
        else:
            ranges.append((row.first_pc6, row.number_from, row.number_to, row.municipality_code))
    return whole, ranges
