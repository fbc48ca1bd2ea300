"""The answered drills of each organisation, as administrators see them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.models import Drill, Organisation


@dataclass(frozen=True, kw_only=True)
class ChannelProof:
    """One organisation: its last answered drill, and its open and missed drills."""

    organisation_id: uuid.UUID
    name: str
    proved_on: date | None
    sent_on: date | None
    waits: bool
    missed: int
    suspended: bool


def channel_proofs(session: Session) -> list[ChannelProof]:
    """Return for each organisation its last answered drill; for administrators."""
    drills: dict[uuid.UUID, list[Drill]] = {}
    for drill in session.scalars(select(Drill).order_by(Drill.sent_on)):
        drills.setdefault(drill.organisation_id, []).append(drill)
    query = select(Organisation).order_by(Organisation.name)
    return [_proof(found, drills.get(found.id, [])) for found in session.scalars(query)]


def _proof(organisation: Organisation, drills: Sequence[Drill]) -> ChannelProof:
    answered = [drill.answered_on for drill in drills if drill.answered_on is not None]
    missed = 0
    for drill in reversed(drills):
        if drill.answered_on is not None:
            break
        missed += drill.missed_on is not None
    taken = {drill.suspended_from for drill in drills if drill.suspended_from is not None}
    return ChannelProof(
        organisation_id=organisation.id,
        name=organisation.name,
        proved_on=max(answered, default=None),
        sent_on=drills[-1].sent_on if drills else None,
        waits=bool(drills) and drills[-1].answered_on is None and drills[-1].missed_on is None,
        missed=missed,
        suspended=organisation.suspended_from is not None and organisation.suspended_from in taken,
    )
