"""Test restricted signals (art. 18 AVG) on both databases: late in no list, and never joined."""

from datetime import date
from uuid import UUID

import pytest

from signals.casework import conclude_as_duplicate
from signals.casework.queue import Section, queue_page, sectioned_page
from signals.casework.workload import workload
from signals.clock import today
from signals.errors import OtherRestricted, Restricted
from signals.models import Signal
from signals.statistics.own_figures import own_figures
from signals.vocabulary import Role, SignalState
from tests.support.operations import operation
from tests.support.world import AMSTERDAM, World


@pytest.fixture
def kept(world: World) -> UUID:
    """Return the restricted one of two signals at one address."""
    world.receive(1)
    world.receive(2)
    world.worker().arrive()
    signal_id = world.signals()[0].id
    with world.sessions.begin() as session:
        session.get_one(Signal, signal_id).restricted_on = date(2026, 11, 24)
    return signal_id


def _other(world: World, kept: UUID) -> UUID:
    [other] = [signal.id for signal in world.signals() if signal.id != kept]
    return other


def test_it_is_counted_and_listed_as_open_and_never_as_late(world: World, kept: UUID) -> None:
    worker, lead = world.staff(), world.staff(role=Role.LEAD)
    with world.sessions.begin() as session:
        for signal_id in (kept, _other(world, kept)):
            session.get_one(Signal, signal_id).claimed_by_id = worker.id
    world.move(days=30)
    on = today(world.clock)
    with world.sessions() as session:
        listed = queue_page(session, organisation_id=AMSTERDAM).items
        page = sectioned_page(session, organisation_id=AMSTERDAM, on=on, reader_id=worker.id)
        [load] = [one for one in workload(session, organisation_id=AMSTERDAM, on=on) if one.open]
        figures = own_figures(operation(session, world.clock, lead)).open
    assert len(listed) == 2
    assert {row.id: row.section for row in page.items} == {
        kept: Section.LATER,
        _other(world, kept): Section.LATE,
    }
    assert (load.open, load.late) == (2, 1)
    assert (figures.by_state, figures.overdue) == ({SignalState.NEW: 2}, 1)


@pytest.mark.parametrize("way", ["into it", "it into another"])
def test_it_is_joined_with_none(world: World, kept: UUID, way: str) -> None:
    one, goes_on = (_other(world, kept), kept) if way == "into it" else (kept, _other(world, kept))
    worker = world.staff()
    with pytest.raises(Restricted) as refused, world.sessions.begin() as session:
        conclude_as_duplicate(world.operation(session, worker), signal_id=one, earlier_id=goes_on)
    assert (refused.type is OtherRestricted) is (way == "into it")  # which of the two it is about
    assert {signal.state for signal in world.signals()} == {SignalState.NEW}
