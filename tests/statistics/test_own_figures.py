"""A lead's live figures, on both databases: of the own organisation, of what is kept, for nobody else."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from signals.errors import Forbidden
from signals.statistics.own_figures import OwnFigures, Tried, own_figures
from signals.vocabulary import AttemptKind, AttemptResult, Outcome, Role, SignalState
from tests.support.figures import Story, live
from tests.support.operations import operation
from tests.support.world import AMSTERDAM, GRONINGEN, IN_GRONINGEN, World

IN_Q3 = date(2026, 8, 17)
CONTACT = (AttemptKind.VISIT, AttemptResult.CONTACT, 28)
LETTER = (AttemptKind.LETTER, AttemptResult.NO_ANSWER, 4)
ENDED = Story(
    received_on=IN_Q3,
    claimed_after=26,
    attempts=(LETTER, LETTER, CONTACT),
    concluded_on=IN_Q3 + timedelta(days=3),
    outcome=Outcome.TALK_SUFFICED,
    newly_known=True,
    repeat=True,
)


def figures(world: World, organisation_id: UUID = AMSTERDAM, role: Role = Role.LEAD) -> OwnFigures:
    actor = world.staff(organisation_id, role)
    with world.sessions() as session:
        return own_figures(operation(session, world.clock, actor))


def test_a_lead_sees_the_own_organisation_and_no_other(world: World) -> None:
    live(world, [ENDED, ENDED, Story(received_on=IN_Q3, address=IN_GRONINGEN)])
    mine, theirs = figures(world, AMSTERDAM), figures(world, GRONINGEN)
    assert [(each.quarter, each.signals, each.repeats) for each in mine.received] == [("2026-Q3", 2, 2)]
    assert (theirs.received[0].signals, theirs.concluded, theirs.tried) == (1, [], [])
    assert theirs.open.by_state == {SignalState.NEW: 1}


def test_the_figures_tell_hours_outcomes_and_what_was_tried(world: World) -> None:
    live(world, [ENDED])
    found = figures(world)
    (received,) = found.received
    assert (received.hours_to_claim, received.hours_to_contact) == (2, 0)
    (concluded,) = found.concluded
    assert (concluded.outcomes, concluded.signals) == ({Outcome.TALK_SUFFICED: 1}, 1)
    assert (concluded.known_asked, concluded.newly_known) == (1, 1)
    assert found.tried == [Tried(kinds="mixed", number="3", signals=1, reached=1)]
    assert found.open.by_state == {}


def test_open_signals_past_their_deadline_are_told(world: World) -> None:
    live(world, [Story(received_on=date(2026, 11, 24)), Story(received_on=date(2026, 11, 24))])
    before = figures(world).open
    world.move(days=30)
    after = figures(world).open
    assert (before.by_state, before.overdue, after.overdue) == ({SignalState.NEW: 2}, 0, 2)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.LEAD])
def test_nobody_but_a_lead_has_own_figures(world: World, role: Role) -> None:
    with pytest.raises(Forbidden):
        figures(world, role=role)
