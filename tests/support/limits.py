"""A day on which an area comes near its limit."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from signals.clock import today
from signals.db import session_factory
from signals.models import AreaDay, Organisation
from tests.factories import AreaDayFactory
from tests.support.desk_side import AMSTERDAM, Desk


def near_the_limit(desk: Desk, name: str = AMSTERDAM, **values: Any) -> UUID:
    with session_factory(desk.engine).begin() as session:
        team = session.scalars(select(Organisation.id).where(Organisation.name == name)).one()
        row = AreaDayFactory.build(organisation_id=team, day=today(desk.clock), **values)
        session.add(row)
        session.flush()
        return row.id


def raises(desk: Desk, area_day_id: UUID) -> int:
    with Session(desk.engine) as session:
        return session.get_one(AreaDay, area_day_id).raises
