"""Figures as each process' own database role: the front reads releases only where they are public."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from signals.models import StaffMember
from signals.operations import database_roles as grants
from signals.settings import FiguresSettings
from signals.staff.sessions import open_session
from signals.vocabulary import ProcessRole, Role
from signals.web.staff_kit.auth import COOKIE
from tests.support.fences import OWNER, ROLES, FencedWorld, worker_of
from tests.support.releases import store_releases
from tests.support.world import AMSTERDAM, IN_AMSTERDAM, IN_GRONINGEN

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

PUBLIC = FiguresSettings(public=True)
ADDRESSES = ("/figures", "/figures/open-data.zip", "/api/v1/statistics/releases/2026-Q3/tables/follow_up")


@pytest.fixture
def released(fenced_world: FencedWorld) -> FencedWorld:
    store_releases(fenced_world.all_seeing.engine, ["2026-Q3", "2025"])
    return fenced_world


@pytest.fixture
def public(released: FencedWorld) -> Iterator[FencedWorld]:
    _grant(released, public_figures=True)
    yield released
    _grant(released, public_figures=False)


def test_the_front_shows_public_figures_with_the_rights_for_them(public: FencedWorld) -> None:
    client = public.front.app(ProcessRole.FRONT, figures=PUBLIC).test_client()
    assert [client.get(address).status_code for address in ADDRESSES] == [200] * len(ADDRESSES)


def test_without_those_rights_the_front_reads_no_release(released: FencedWorld) -> None:
    client = released.front.app(ProcessRole.FRONT, figures=PUBLIC).test_client()
    assert [client.get(address).status_code for address in ADDRESSES] == [503] * len(ADDRESSES)


def test_a_coordinator_reads_releases_through_the_desks_role(released: FencedWorld) -> None:
    client = _signed_in(released, Role.COORDINATOR)
    assert client.get("/figures").status_code == 200
    assert client.get("/figures/releases/2025/attempts.csv").status_code == 200


def test_a_lead_reads_the_own_teams_figures_and_no_other_teams(released: FencedWorld) -> None:
    for number, address in enumerate((IN_AMSTERDAM, IN_AMSTERDAM, IN_GRONINGEN), start=1):
        released.front.receive(number, address)
    worker_of(released.worker).arrive()
    page = _signed_in(released, Role.LEAD).get("/desk/figures")
    assert page.status_code == 200
    assert "<td>2</td>" in page.text


def _grant(world: FencedWorld, *, public_figures: bool) -> None:
    owner = world.database.engine(OWNER)
    grants.apply(owner, ROLES, public_figures=public_figures)
    owner.dispose()


def _signed_in(world: FencedWorld, role: Role) -> FlaskClient:
    everything = world.all_seeing
    member_id = everything.staff(AMSTERDAM, role).id
    with everything.sessions.begin() as session:
        member = session.get_one(StaffMember, member_id)
        token, _ = open_session(session, member, "page", everything.clock.now(), timedelta(hours=8))
    client = world.desk.app(ProcessRole.DESK).test_client()
    client.set_cookie(COOKIE, token)
    return client
