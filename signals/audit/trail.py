"""Link the entries of the audit trail into a signed chain; verify, read and prune that chain.

Each entry is committed alone, with its own MAC, so openings do not wait for one another. One worker at a time
links entries. Arrivals are linked when their day is over: the moments of the heads around them would tell
when a report came in.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import ColumnElement, CursorResult, Select, delete, func, insert, or_, select, tuple_
from sqlalchemy.orm import Session

from privacy.audit_chain import (
    GENESIS,
    Checkpoint,
    Finding,
    FindingKind,
    SignedHead,
    chain_link,
    sign_head,
    verify_rows,
)
from signals.audit.entries import linked_rows, unlinked_rows
from signals.audit.grounds import Ground
from signals.audit.log import SYSTEM, AuditLog, day_only
from signals.clock import Clock, today
from signals.db import is_sqlite
from signals.models import AuditEntry, AuditHead, AuditLink
from signals.vocabulary import AuditAction

KEPT = timedelta(days=731)
"""Retention of the trail: 24 months; then entries are deleted up to a signed head."""
BATCH = 1000
_LOCK = 0x4175_6469
_SLACK = timedelta(days=2)
"""How much older than the last linked entry an unlinked one may be: arrivals carry midnight only."""


@dataclass(frozen=True, kw_only=True)
class TrailKeys:
    """The MAC key and the root key that signs heads, both from the keystore."""

    mac_key: bytes = field(repr=False)
    root: Ed25519PrivateKey = field(repr=False)

    @property
    def root_public(self) -> bytes:
        return self.root.public_key().public_bytes_raw()


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """Conditions on entries; an entry must meet all of them."""

    organisation_id: uuid.UUID | None = None
    actor_id: uuid.UUID | None = None
    subject_id: uuid.UUID | None = None
    action: AuditAction | None = None
    since: datetime | None = None
    until: datetime | None = None


def link_entries(session: Session, clock: Clock, *, keys: TrailKeys) -> int:
    """Link the oldest `BATCH` entries and sign a new head; return how many. One worker at a time."""
    if not _have_turn(session):
        return 0
    head = _last_head(session)
    ripe = _unlinked(day_only(today(clock)), since=_since(session, head))
    waiting = session.execute(ripe.limit(BATCH)).all()
    if not waiting:
        return 0
    rows = list(_links(keys.mac_key, head, waiting))
    session.execute(insert(AuditLink), rows)
    _sign(session, keys.root, rows[-1]["position"], rows[-1]["link"], clock.now())
    return len(rows)


def verify_trail(
    session: Session, clock: Clock, *, keys: TrailKeys, known_head: SignedHead | None = None
) -> tuple[Finding, ...]:
    """Return each kind of tampering with the position of its first sign; empty for a whole trail.

    `known_head` is a head kept outside this database (`signals audit head`). Only that head shows a removal
    of the end of the trail together with its heads. Pass a session that has not read yet.
    """
    _see_one_moment(session)
    heads = [_signed(head) for head in session.scalars(select(AuditHead).order_by(AuditHead.position))]
    start = _start(session, heads, clock.now())
    found = verify_rows(
        keys.mac_key,
        linked_rows(session, start.position),
        root_public=keys.root_public,
        heads=[*heads, known_head] if known_head else heads,
        start=start,
        unlinked=unlinked_rows(session, clock.now()),
    )
    return tuple(sorted([*found, *_unsigned(session)], key=lambda finding: finding.position))


def _see_one_moment(session: Session) -> None:
    """Read links and prunings of other processes completely or not at all."""
    if not is_sqlite(session):  # SQLite does so by itself
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def moment_before(session: Session, position: int) -> datetime | None:
    """Return when the last entry before a position was written, or None without such an entry."""
    return session.scalar(
        select(AuditEntry.at)
        .join(AuditLink, AuditLink.entry_id == AuditEntry.id)
        .where(AuditLink.position < position)
        .order_by(AuditLink.position.desc())
        .limit(1)
    )


def latest_head(session: Session) -> SignedHead | None:
    """Return the last signed head, to keep outside this database."""
    head = _last_head(session)
    return _signed(head) if head else None


def prune_trail(session: Session, clock: Clock, *, audit: AuditLog) -> int:
    """Delete entries older than 24 months, up to a signed head that stays as the new beginning.

    The function writes an entry of its own, and returns how many entries are gone.
    """
    oldest_kept = clock.now() - KEPT
    checkpoint = session.scalar(
        select(AuditHead).where(AuditHead.at <= oldest_kept).order_by(AuditHead.position.desc()).limit(1)
    )
    if checkpoint is None:
        return 0
    through = checkpoint.position
    linked = select(AuditLink.entry_id).where(AuditLink.position <= through)
    done = session.execute(delete(AuditEntry).where(AuditEntry.id.in_(linked)))
    session.execute(delete(AuditLink).where(AuditLink.position <= through))
    session.execute(delete(AuditHead).where(AuditHead.position < through))
    count = cast("CursorResult[Any]", done).rowcount
    if count:
        audit.record(
            session, clock, actor=SYSTEM, action=AuditAction.AUDIT_PRUNED, ground=Ground.THROUGH.of(through)
        )
    return count


def read_entries(
    session: Session,
    wanted: AuditFilter,
    *,
    limit: int = 50,
    before: tuple[datetime, uuid.UUID] | None = None,
) -> Sequence[AuditEntry]:
    """Return a page of entries, newest first; `before` is (at, id) of the last entry of the page before."""
    query = (
        select(AuditEntry).where(*_conditions(wanted)).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    )
    if before is not None:
        query = query.where(tuple_(AuditEntry.at, AuditEntry.id) < before)
    return session.scalars(query.limit(limit)).all()


def _conditions(wanted: AuditFilter) -> Iterator[ColumnElement[bool]]:
    for column, value in (
        (AuditEntry.organisation_id, wanted.organisation_id),
        (AuditEntry.actor_id, wanted.actor_id),
        (AuditEntry.subject_id, wanted.subject_id),
        (AuditEntry.action, wanted.action),
    ):
        if value is not None:
            yield column == value
    if wanted.since is not None:
        yield AuditEntry.at >= wanted.since
    if wanted.until is not None:
        yield AuditEntry.at < wanted.until


def _have_turn(session: Session) -> bool:
    """Tell whether this worker may link: SQLite's writers wait in line, PostgreSQL's first worker wins."""
    return is_sqlite(session) or bool(session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))))


def _last_head(session: Session) -> AuditHead | None:
    return session.scalar(select(AuditHead).order_by(AuditHead.position.desc()).limit(1))


def _since(session: Session, head: AuditHead | None) -> datetime | None:
    """Return from which moment on entries may be unlinked; None means from the first one.

    Workers link the oldest entries first, so nothing much older than the last linked entry is unlinked. The
    moment of a head says less: it may be days later. The earlier of both also hides no entry after a clock
    that was ahead.
    """
    last = moment_before(session, head.position + 1) if head else None
    return min(last, head.at) - _SLACK if head and last else None


def _unlinked(day: datetime, *, since: datetime | None) -> Select[uuid.UUID, bytes]:
    """Select entries to link: acts at once, arrivals of days before this one."""
    query = (
        select(AuditEntry.id, AuditEntry.mac)
        .outerjoin(AuditLink, AuditLink.entry_id == AuditEntry.id)
        .where(
            AuditLink.position.is_(None),
            or_(AuditEntry.action != AuditAction.SIGNAL_ARRIVED, AuditEntry.at < day),
        )
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    return query if since is None else query.where(AuditEntry.at >= since)


def _links(mac_key: bytes, head: AuditHead | None, waiting: Sequence[Any]) -> Iterator[dict[str, Any]]:
    position, link = (head.position, head.link) if head else (0, GENESIS)
    for place, entry in enumerate(waiting, start=position + 1):
        link = chain_link(mac_key, link, entry.mac, place)
        yield {"position": place, "entry_id": entry.id, "link": link}


def _sign(session: Session, root: Ed25519PrivateKey, position: int, link: bytes, now: datetime) -> None:
    signature = sign_head(root, position, link, now)
    session.add(AuditHead(position=position, link=link, at=now, signature=signature))
    session.flush()


def _start(session: Session, heads: Sequence[SignedHead], now: datetime) -> Checkpoint:
    """Return where the trail begins: at its genesis, or after the signed head of the last pruning.

    A head younger than the retention period is no lawful beginning: somebody removed entries before it.
    """
    first = session.scalar(select(func.min(AuditLink.position)))
    for head in heads:
        if head.at <= now - KEPT and (first is None or head.position == first - 1):
            return Checkpoint(position=head.position, link=head.link)
    return Checkpoint()


def _unsigned(session: Session) -> Iterator[Finding]:
    """Yield a finding for links after the last head; a worker writes each link with a head.

    The query for links comes first, so a worker that links meanwhile causes no finding.
    """
    last = session.scalar(select(func.max(AuditLink.position))) or 0
    signed = session.scalar(select(func.max(AuditHead.position))) or 0
    if last > signed:
        yield Finding(kind=FindingKind.UNSIGNED, position=signed + 1)


def _signed(head: AuditHead) -> SignedHead:
    return SignedHead(position=head.position, link=head.link, at=head.at, signature=head.signature)
