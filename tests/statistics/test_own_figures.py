"""A lead's own figures, on both databases: of the own organisation, for nobody else."""

from datetime import date
from uuid import UUID

import pytest

from signals.errors import Forbidden
from signals.statistics.own_figures import OwnFigures, own_figures
from signals.vocabulary import Role, SignalState
from tests.support.figures import Story, live
from tests.support.operations import operation
from tests.support.world import AMSTERDAM, GRONINGEN, IN_GRONINGEN, World

ON = date(2026, 11, 24)


def figures(world: World, organisation_id: UUID = AMSTERDAM, role: Role = Role.LEAD) -> OwnFigures:
    actor = world.staff(organisation_id, role)
    with world.sessions() as session:
        return own_figures(operation(session, world.clock, actor))


def test_a_lead_sees_the_own_organisation_and_no_other(world: World) -> None:
    live(world, [Story(received_on=ON), Story(received_on=ON), Story(received_on=ON, address=IN_GRONINGEN)])
    assert figures(world, AMSTERDAM).open.by_state == {SignalState.NEW: 2}
    assert figures(world, GRONINGEN).open.by_state == {SignalState.NEW: 1}


def test_open_signals_past_their_deadline_are_told(world: World) -> None:
    live(world, [Story(received_on=ON), Story(received_on=ON)])
    before = figures(world).open
    world.move(days=30)
    after = figures(world).open
    assert (before.by_state, before.overdue, after.overdue) == ({SignalState.NEW: 2}, 0, 2)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.LEAD])
def test_nobody_but_a_lead_has_own_figures(world: World, role: Role) -> None:
    with pytest.raises(Forbidden):
        figures(world, role=role)
