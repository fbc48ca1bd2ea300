"""Behind the fences of PostgreSQL: whoever agrees to an area or an administrator can change just that."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from privacy.passwords import PasswordHasherSettings
from signals.audit.log import Actor
from signals.errors import Forbidden, NotFound
from signals.models import AccountLink, Approval, AuditEntry, CoverageArea
from signals.organisations.covering import add_area, cover_approved
from signals.routing.areas import Area
from signals.staff import approvals, team
from signals.staff.change_messages import AccountSettings
from signals.staff.invitations import Person
from signals.vocabulary import AuditAction, Role
from tests.factories import OrganisationFactory
from tests.support.fenced_team import acting, person
from tests.support.fences import FencedWorld
from tests.support.world import AMSTERDAM

SETTINGS = AccountSettings(site="https://signalen.example", hasher=PasswordHasherSettings(memory_kib=64))
PART = Area(level="pc4", area="1012", valid_from=date(2026, 11, 24))


def new_team(fenced: FencedWorld) -> UUID:
    with fenced.all_seeing.sessions.begin() as session:
        made = OrganisationFactory.build(proved_on=None)
        session.add(made)
        return made.id


def agrees(fenced: FencedWorld, actor: Actor, approval_id: UUID) -> None:
    wanted: dict[str, Any] = {"settings": SETTINGS, "approve": True, "cover": cover_approved}
    with acting(fenced.desk, actor) as session:
        approvals.decide(fenced.desk.operation(session, actor), approval_id=approval_id, **wanted)


def test_a_lead_agrees_to_an_area_and_both_teams_find_it_in_their_trail(fenced_world: FencedWorld) -> None:
    own, bea = new_team(fenced_world), person(fenced_world, Role.ADMINISTRATOR, None)
    lead = person(fenced_world, Role.LEAD)
    with acting(fenced_world.desk, bea) as session:
        acted = fenced_world.desk.operation(session, bea)
        asked = add_area(acted, organisation_id=own, area=PART)
        assert isinstance(asked, Approval)
        approval_id = asked.id
    with pytest.raises((Forbidden, NotFound)):
        agrees(fenced_world, bea, approval_id)
    agrees(fenced_world, lead, approval_id)
    with fenced_world.all_seeing.sessions() as session:
        covered = select(CoverageArea.organisation_id).where(CoverageArea.area == "1012")
        assert session.scalars(covered).all() == [own]
        entries = select(AuditEntry.organisation_id).where(AuditEntry.action == AuditAction.COVERAGE_CHANGED)
        assert set(session.scalars(entries)) == {own, AMSTERDAM}


def test_a_second_administrator_agrees_to_a_third_and_the_asker_does_not(fenced_world: FencedWorld) -> None:
    bea, boris = (person(fenced_world, Role.ADMINISTRATOR, None) for _ in range(2))
    third = Person(organisation_id=None, role=Role.ADMINISTRATOR, name="Nora", email="nora@example.org")
    with acting(fenced_world.desk, bea) as session:
        asked = team.grant(fenced_world.desk.operation(session, bea), settings=SETTINGS, person=third)
        assert isinstance(asked, Approval)
        approval_id = asked.id
    with pytest.raises((Forbidden, NotFound)):
        agrees(fenced_world, bea, approval_id)
    agrees(fenced_world, boris, approval_id)
    with fenced_world.all_seeing.sessions() as session:
        assert session.scalars(select(AccountLink)).one().staff_member.email == "nora@example.org"
