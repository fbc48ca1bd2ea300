"""A registered comparison for tests: a team that takes part, and draws of a known arm."""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from signals.comparisons.draws import Draw, draws_of, seal_draw, secret_of
from signals.comparisons.plan import Plan
from signals.comparisons.register import plan_for, register, take_part
from signals.models import Comparison, ComparisonDraw, Publication
from signals.statistics.comparing import table_for
from signals.vocabulary import ComparisonArm, Role
from tests.support.world import AMSTERDAM, NOW, World

CODE: Final = "C001"
TODAY: Final = NOW.date()
TWO: Final = (ComparisonArm.VISIT_FIRST, ComparisonArm.CARD_FIRST)
ENDS_ON: Final = date(2027, 11, 30)


def plan(**changes: Any) -> Plan:
    """Return a plan of 293 signals an arm, registered today."""
    usual: dict[str, Any] = {
        "question": "Werkt een kaart eerst?",
        "arms": TWO,
        "base_percent": 20,
        "target_percent": 30,
        "ends_on": ENDS_ON,
        "ethics_reference": "METC 2026-12",
    }
    return plan_for(TODAY, **usual | changes)


def begin(world: World, teams: Sequence[uuid.UUID] = (AMSTERDAM,), **changes: Any) -> None:
    """Register a comparison, the first one, and let teams take part."""
    coordinator = world.staff(None, Role.COORDINATOR)
    leads = [world.staff(team, Role.LEAD) for team in teams]
    with world.sessions.begin() as session:
        register(world.operation(session, coordinator), plan(**changes))
        for lead in leads:
            take_part(world.operation(session, lead), code=CODE, takes_part=True)


def draw_of(world: World, signal_id: uuid.UUID) -> Draw:
    """Return the draw of a signal, opened."""
    with world.sessions() as session:
        return draws_of(session.connection(), world.keystore, [signal_id])[signal_id]


def let_draw(
    world: World, signal_id: uuid.UUID, arm: ComparisonArm | None, revealed_on: date | None = TODAY
) -> None:
    """Give a signal of Amsterdam this draw."""
    draw = Draw(code=CODE, arm=arm, revealed_on=revealed_on)
    sealed = seal_draw(draw, world.keystore.secret(secret_of(CODE)), signal_id)
    with world.sessions.begin() as session:
        row = session.scalar(select(ComparisonDraw).where(ComparisonDraw.signal_id == signal_id))
        if row is None:
            row = ComparisonDraw(signal_id=signal_id, organisation_id=AMSTERDAM, code=CODE)
            session.add(row)
        row.sealed = sealed


def store_result(engine: Engine, cells: Mapping[str, tuple[int, int, int, int]]) -> None:
    """Store a released result: of each arm those with contact (order kept or not), then those without."""
    with Session(engine) as session, session.begin():
        table = table_for(session.get_one(Comparison, CODE))
        numbers = [number for four in cells.values() for number in four]
        content = {
            "dimensions": {each.name: each.codes for each in table.dimensions},
            "sensitivity": table.sensitivity,
            "cells": [[*cell, number] for cell, number in zip(table.cells, numbers, strict=True)],
        }
        row = Publication(period=CODE, code=table.code, epsilon="0.50", drawn_on=ENDS_ON)
        row.content, row.signature = json.dumps(content), bytes(64)
        session.add(row)
