"""Read the audit trail: an entry about the reading comes first, and known ids become names."""

import base64
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.audit.grounds import Ground
from signals.audit.trail import AuditFilter, read_entries
from signals.casework.access import known_names
from signals.errors import FieldProblem, Invalid
from signals.models import AuditEntry, StaffMember
from signals.vocabulary import AuditAction
from signals.web.staff_kit.context import desk, operation
from signals.web.staff_kit.opened import organisation_id
from signals.web.staff_kit.schemas import in_utc

MAX_PAGE: Final = 200
MOST_EXPORTED: Final = 20_000
COLUMNS: Final = (
    "at", "actor", "actor_id", "actor_role", "action", "subject", "subject_id", "ground", "outcome",
)  # fmt: skip

_PAGE_OF_EXPORT: Final = 1000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Line:
    """An entry with the names behind its ids; a name that the reader may not know is empty."""

    entry: AuditEntry
    actor: str
    subject: str

    @property
    def is_of_a_day(self) -> bool:
        """Return whether only the day is known: of an arrival no moment is kept."""
        return self.entry.action is AuditAction.SIGNAL_ARRIVED


@dataclass(frozen=True, kw_only=True)
class TrailPage:
    """A page, newest first, and the cursor of the next one."""

    lines: list[Line]
    next_cursor: str | None


def trail_page(wanted: AuditFilter, *, limit: int, cursor: str | None) -> TrailPage:
    """Return a page of the caller's own organisation; raise `Invalid` for a wrong cursor."""
    own, before = replace(wanted, organisation_id=organisation_id()), _position(cursor)
    _record_reading(Ground.PAGE)
    with desk().reading() as session:
        entries = list(read_entries(session, own, limit=limit + 1, before=before))
        lines = _lines(session, entries[:limit])
    more = len(entries) > limit
    return TrailPage(lines=lines, next_cursor=_cursor_after(entries[limit - 1]) if more else None)


def trail_csv(wanted: AuditFilter) -> str:
    """Return the trail as CSV (RFC 4180) with a header line; raise `Invalid` for more than 20,000 entries."""
    own = replace(wanted, organisation_id=organisation_id())
    _record_reading(Ground.CSV)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    with desk().reading() as session:
        for place, line in enumerate(_all_lines(session, own)):
            if place == MOST_EXPORTED:
                raise Invalid(FieldProblem(field="since", code="too_many"))
            writer.writerow([_harmless(cell) for cell in _cells(line)])
    return out.getvalue()


def people(session: Session) -> Sequence[StaffMember]:
    """Return the staff of the caller's organisation, to filter the trail by."""
    query = select(StaffMember).where(StaffMember.organisation_id == organisation_id())
    return session.scalars(query.order_by(StaffMember.name, StaffMember.id)).all()


def _record_reading(ground: Ground) -> None:
    with operation() as reading:
        reading.record(AuditAction.AUDIT_READ, ground=ground)


def _all_lines(session: Session, wanted: AuditFilter) -> Iterator[Line]:
    before: tuple[datetime, UUID] | None = None
    while entries := read_entries(session, wanted, limit=_PAGE_OF_EXPORT, before=before):
        yield from _lines(session, entries)
        before = (entries[-1].at, entries[-1].id)
        session.expunge_all()


def _lines(session: Session, entries: Sequence[AuditEntry]) -> list[Line]:
    actors = {entry.actor_id for entry in entries if entry.actor_id}
    subjects = {entry.subject_id for entry in entries if entry.subject_id}
    names = known_names(session, organisation_id=organisation_id(), ids=actors | subjects)
    return [
        Line(
            entry=entry,
            actor=names.get(entry.actor_id, "") if entry.actor_id else "",
            subject=names.get(entry.subject_id, "") if entry.subject_id else "",
        )
        for entry in entries
    ]


def _cells(line: Line) -> tuple[str, ...]:
    entry = line.entry
    return (
        entry.at.date().isoformat() if line.is_of_a_day else in_utc(entry.at),
        line.actor,
        str(entry.actor_id or ""),
        entry.actor_role,
        entry.action.value,
        line.subject,
        str(entry.subject_id or ""),
        entry.ground,
        entry.outcome,
    )


def _harmless(cell: str) -> str:
    """Quote a name that begins like a formula: a spreadsheet would run it."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _cursor_after(entry: AuditEntry) -> str:
    micros = (entry.at - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(micros.to_bytes(8, "big") + entry.id.bytes).decode()


def _position(cursor: str | None) -> tuple[datetime, UUID] | None:
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii"))
        return _EPOCH + timedelta(microseconds=int.from_bytes(raw[:8], "big")), UUID(bytes=raw[8:])
    except (ValueError, OverflowError):
        raise Invalid(FieldProblem(field="cursor", code="invalid_value")) from None
