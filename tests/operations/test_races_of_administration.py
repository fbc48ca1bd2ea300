"""Two people who change organisations and areas at once, on both databases."""

import io
import uuid
from datetime import date

import pytest
from sqlalchemy import func, select, update

from signals.audit.log import Actor
from signals.errors import Invalid
from signals.models import CoverageArea, Drill, Organisation
from signals.notices.drills import DrillReport
from signals.organisations import administration
from signals.organisations.administration import add_organisation
from signals.organisations.covering import CoverageOverlaps, add_area
from signals.organisations.csv_import import ChangeKind, import_organisations
from signals.routing.areas import Area
from signals.vocabulary import OrganisationKind, Role
from tests.support.meanwhile import meanwhile
from tests.support.world import AMSTERDAM, GRONINGEN, World

ADMINISTRATOR = Actor(id=uuid.UUID(int=9), role=Role.ADMINISTRATOR, organisation_id=None)


# Administration
def test_the_second_of_two_organisations_with_one_name_is_refused(world: World) -> None:
    def add(name: str) -> None:
        world.do(ADMINISTRATOR, add_organisation, name=name, kind=OrganisationKind.SOCIAL_WORK)

    with (
        pytest.raises(Invalid) as refused,
        meanwhile(world.engine, "FROM organisations", lambda: add("team  zuid")),
    ):
        add("Team Zuid")
    assert [(problem.field, problem.code) for problem in refused.value.problems] == [("name", "taken")]


def test_an_area_is_never_given_to_two_organisations_at_once(world: World) -> None:
    area = Area(level="pc4", area="1012", valid_from=date(2027, 1, 1))

    def cover(organisation_id: uuid.UUID) -> None:
        world.do(ADMINISTRATOR, add_area, organisation_id=organisation_id, area=area)

    with (
        pytest.raises(CoverageOverlaps),
        meanwhile(world.engine, "FROM coverage_areas", lambda: cover(GRONINGEN)),
    ):
        cover(AMSTERDAM)
    with world.sessions() as session:
        assert session.scalar(select(func.count()).where(CoverageArea.area == "1012")) == 1


def test_a_file_of_organisations_that_two_people_import_at_once_is_taken_over_once(world: World) -> None:
    taken: list[list[ChangeKind]] = []

    def take() -> None:
        file = io.StringIO(
            "name,kind,level,area,valid_from\n"
            "Team Zuid,social_work,pc4,1012,2027-01-01\n"
            "Voorbeeld Welzijn Groningen,social_work,pc4,9711,2027-01-01\n"
        )
        with world.sessions.begin() as session:
            done = import_organisations(world.operation(session), file=file)
            taken.append([change.kind for change in done.changes])

    with meanwhile(world.engine, "FROM organisations", take):
        take()
    assert [ChangeKind.UNCHANGED] * 2 in taken
    with world.sessions() as session:
        added = select(func.count()).where(CoverageArea.area.in_(("1012", "9711")))
        assert session.scalar(added) == 2


# Drills
def test_an_end_that_was_set_by_hand_is_kept_when_drills_are_missed_at_that_moment(world: World) -> None:
    """In either order the end stands, or an answer to the drill gives it back."""
    by_hand = date(2026, 12, 31)
    with world.sessions.begin() as session:
        session.execute(update(Organisation).where(Organisation.id != AMSTERDAM).values(agreement_on=None))

    missed_once(world, AMSTERDAM)
    send_drills(world, AMSTERDAM)
    world.move(days=14)
    with meanwhile(world.engine, "FROM drills", lambda: change(world, AMSTERDAM, suspended_from=by_hand)):
        follow_up(world)
    with world.sessions() as session:
        ends = {*session.scalars(select(Drill.planned_end))}
        assert by_hand in {session.get_one(Organisation, AMSTERDAM).suspended_from, *ends}


@pytest.mark.parametrize("edited", [AMSTERDAM, GRONINGEN], ids=["amsterdam", "groningen"])
def test_a_change_of_a_team_and_a_loss_of_routing_by_two_teams_do_not_deadlock(
    world: World, edited: uuid.UUID
) -> None:
    """Organisations are held before routing, all of them: on PostgreSQL one of the two was broken off."""
    missed_once(world, AMSTERDAM, GRONINGEN)
    send_drills(world, AMSTERDAM, GRONINGEN)
    world.move(days=14)
    with meanwhile(
        world.engine, "UPDATE routing_version", lambda: change(world, edited, contact_phone="020 1234567")
    ):
        assert world.worker().drill().suspended == 2
    assert phone_of(world, edited) == "020 1234567"


def missed_once(world: World, *organisation_ids: uuid.UUID) -> None:
    send_drills(world, *organisation_ids)
    world.move(days=14)
    assert follow_up(world).missed == len(organisation_ids)


def follow_up(world: World) -> DrillReport:
    with world.sessions.begin() as session:
        return world.worker().drills().follow_up(world.operation(session))


def send_drills(world: World, *organisation_ids: uuid.UUID) -> None:
    with world.sessions.begin() as session:
        world.worker().drills().send(world.operation(session), organisation_ids=organisation_ids)


def change(world: World, organisation_id: uuid.UUID, **changes: object) -> None:
    """Change an organisation as an administrator does on the page of a team."""
    world.do(
        ADMINISTRATOR, administration.change_organisation, organisation_id=organisation_id, changes=changes
    )


def phone_of(world: World, organisation_id: uuid.UUID) -> str | None:
    with world.sessions() as session:
        return session.get_one(Organisation, organisation_id).contact_phone
