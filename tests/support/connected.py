"""Systems that are connected already, without the people who ask and approve."""

from uuid import UUID

from sqlalchemy import select

from signals.models import Connection, Organisation
from signals.models.connection import SystemKind
from tests.support.desk_side import AMSTERDAM, Desk


def connect(desk: Desk, kind: SystemKind, settings: dict[str, str]) -> UUID:
    """Connect a system of Anna's team; return the organisation's id."""
    with desk.begin() as operation:
        query = select(Organisation.id).where(Organisation.name == AMSTERDAM)
        own: UUID = operation.session.scalars(query).one()
        values = {"organisation_id": own, "kind": kind, "settings": settings}
        operation.session.add(Connection(**values, connected_on=operation.today))
    return own
