"""The register of residents' requests, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.models import RegisterEntry, StaffMember
from signals.residents import requests
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.opened import organisation_id
from signals.web.staff_kit.schemas import cursor_after, position_in


@dataclass(frozen=True, kw_only=True)
class Registered:
    """An entry of the register and the name of the officer."""

    entry: RegisterEntry
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class RegisterPage:
    """A page, newest first, and the cursor of the next one."""

    entries: list[Registered]
    next_cursor: str | None


def register_page(*, limit: int, cursor: str | None) -> RegisterPage:
    """Return a page of the own organisation's register; raise `Invalid` for a wrong cursor."""
    before = position_in(cursor)
    with desk().reading() as session:
        found = requests.register(session, organisation_id=organisation_id(), limit=limit + 1, before=before)
        page = found[:limit]
        names = _names(session, page)
    return RegisterPage(
        entries=[Registered(entry=entry, recorded_by=names[entry.recorded_by_id]) for entry in page],
        next_cursor=cursor_after(page[-1].recorded_on, page[-1].id) if len(found) > limit else None,
    )


def _names(session: Session, entries: Sequence[RegisterEntry]) -> dict[UUID, str]:
    ids = {entry.recorded_by_id for entry in entries}
    found = session.execute(select(StaffMember.id, StaffMember.name).where(StaffMember.id.in_(ids)))
    return {row.id: row.name for row in found}
