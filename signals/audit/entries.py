"""Read the rows of the audit trail as the chain checks them: plain columns in the order of their places.

The time to verify a million entries is the time to read them, so rows do not become objects. Ids (text in
SQLite) and moments are needed as bytes only.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    and_,
    case,
    func,
    null,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from privacy.audit_chain import ChainRow
from privacy.audit_macs import entry_message, ground_and_outcome, moment_text, who_and_what
from signals.db import is_sqlite
from signals.models import AuditEntry, AuditLink
from signals.vocabulary import AuditAction

PAGE: Final = 8000
"""Rows in memory at once."""
_ROOMY: Final = ("mmap_size = 1073741824", "cache_size = -65536")
"""SQLite keeps entries in the order of random ids: use a cache of 64 MiB and map the rest."""
_ALONE: Final = "SET LOCAL max_parallel_workers_per_gather = 0"
"""PostgreSQL starts a parallel worker as slowly as it reads a page, and the worker takes a core."""
LINK_WITHIN: Final = timedelta(hours=1)

_entries: Final = cast(Table, AuditEntry.__table__).c
_links: Final = cast(Table, AuditLink.__table__).c


def linked_rows(session: Session, after: int) -> Iterator[ChainRow]:
    """Yield linked entries by position; a link without its entry is left out and breaks the chain."""
    connection = session.connection()
    read = _reader(connection)
    query = _columns(connection, _links.position, _links.link)
    query = query.join_from(AuditLink.__table__, AuditEntry.__table__, _links.entry_id == _entries.id)
    query = query.order_by(_links.position).limit(PAGE)
    for page in _pages(connection, query, after):
        yield from map(read, page)


def unlinked_rows(session: Session, now: datetime) -> Iterator[tuple[bool, ChainRow]]:
    """Yield the entries that no worker has linked, and for each whether it should have been by now."""
    connection = session.connection()
    # The moment of an arrival is midnight, and it is linked when its day is over.
    late = and_(_entries.at < now - LINK_WITHIN, _entries.action != AuditAction.SIGNAL_ARRIVED)
    query = _columns(connection, case((late, 1), else_=0), null()).select_from(AuditEntry.__table__)
    # SQLite then reads entries and links side by side in the order of ids, in a quarter of the time.
    query = query.outerjoin(AuditLink.__table__, _links.entry_id == _entries.id).where(
        _links.position.is_(None)
    )
    read = _reader(connection)
    for row in _fetched(connection, query):
        yield row[0] == 1, read(row)


def _pages(connection: Connection, query: Select[Any], after: int) -> Iterator[Sequence[Any]]:
    """Yield pages; on PostgreSQL a thread fetches the next page while this process checks one."""
    if is_sqlite(connection):
        for pragma in _ROOMY:
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        while page := _fetched(connection, query.where(_links.position > after)):
            yield page
            after = page[-1][0]
        return
    connection.exec_driver_sql(_ALONE)
    with ThreadPoolExecutor(1) as ahead:
        page = _fetched(connection, query.where(_links.position > after))
        while page:
            coming = ahead.submit(_fetched, connection, query.where(_links.position > page[-1][0]))
            yield page
            page = coming.result()


def _fetched(connection: Connection, query: Select[Any]) -> Sequence[Any]:
    """Return rows as the driver gives them: none of these columns needs a conversion."""
    return connection.execute(query).cursor.fetchall()


def _columns(connection: Connection, position: Any, link: Any) -> Select[Any]:
    """Select position, link, MAC, and the facts in the order of `entry_message`."""
    as_id, as_moment = (_text, _text) if is_sqlite(connection) else (func.uuid_send, _iso_moment)
    return select(
        position.label("position"),
        link.label("link"),
        _entries.mac,
        as_id(_entries.id),
        as_moment(_entries.at),
        as_id(_entries.actor_id),
        _entries.actor_role,
        as_id(_entries.organisation_id),
        _text(_entries.action),  # also an action that this version does not know
        as_id(_entries.subject_id),
        _entries.ground,
        _entries.outcome,
    )


def _text(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return type_coerce(column, String())


def _iso_moment(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')


def _reader(connection: Connection) -> Callable[[Any], ChainRow]:
    return _from_sqlite if is_sqlite(connection) else _from_postgresql


def _from_postgresql(row: Any) -> ChainRow:
    position, link, mac, entry_id, moment, actor, role, organisation, action, subject, ground, outcome = row
    before = who_and_what(actor, role, organisation, action)
    after = ground_and_outcome(ground, outcome)
    return position, link, mac, entry_message(entry_id, moment_text(moment), before, subject, after), entry_id


def _from_sqlite(row: Any) -> ChainRow:
    position, link, mac, entry_id, moment, actor, role, organisation, action, subject, ground, outcome = row
    try:
        raw = _from_hex(entry_id)
        message = entry_message(
            raw,
            moment_text(moment.replace(" ", "T", 1) + "+00:00"),
            _who_and_what(actor, role, organisation, action),
            _from_hex(subject) if subject else None,
            ground_and_outcome(ground, outcome),
        )
    except ValueError:  # somebody replaced an id by other text: the chain reports an edit
        raw = message = b""
    return position, link, mac, message, raw


@lru_cache(maxsize=4096)  # few people and actions, each in thousands of entries
def _who_and_what(actor: str | None, role: str, organisation: str | None, action: str) -> bytes:
    """Do the same for ids as SQLite keeps them."""
    actor_id = _from_hex(actor) if actor else None
    return who_and_what(actor_id, role, _from_hex(organisation) if organisation else None, action)


_from_hex: Final = bytes.fromhex
