"""A preview of an import blocks nobody and waits for nobody."""

import io
import threading

import pytest
from sqlalchemy import func, select

from notifications.models import OutboxMessage
from signals.db import at_one_moment, reading_session
from signals.models import Organisation
from signals.organisations.csv_import import ChangeKind, import_organisations, preview_organisations
from signals.organisations.recipients import ask_for_proof
from signals.routing.snapshot import lock_organisations, lock_routing
from signals.vocabulary import Role
from tests.support.fenced_team import acting, person
from tests.support.fences import FencedWorld
from tests.support.world import AMSTERDAM, World

FILE = (
    "name,kind,level,area,valid_from,recipient_1,recipient_2\n"
    "Team Zuid,social_work,pc4,1012,2027-01-01,een@zuid.example.org,twee@zuid.example.org\n"
    "voorbeeld welzijn amsterdam,social_work,pc4,1013,2027-01-01,,\n"
)


def test_a_look_at_a_file_is_had_while_somebody_else_writes_and_leaves_nothing(world: World) -> None:
    seen: list[ChangeKind] = []

    def look() -> None:
        with reading_session(world.sessions, at_one_moment(world.engine)) as session:
            looked = preview_organisations(session, world.clock, file=io.StringIO(FILE))
        seen.extend(change.kind for change in looked.changes)

    with world.sessions.begin() as writer:
        lock_organisations(writer, [AMSTERDAM])
        lock_routing(writer)
        looking = threading.Thread(target=look)
        looking.start()
        looking.join(timeout=15)
        assert seen == [
            ChangeKind.ORGANISATION_ADDED,
            ChangeKind.AREA_ADDED,
            ChangeKind.STILL_NOT_ONBOARDED,
            ChangeKind.AREA_ADDED,
        ]
    with world.sessions() as session:
        assert session.scalar(select(func.count()).where(Organisation.name == "Team Zuid")) == 0


@pytest.mark.postgres
def test_an_administrator_takes_a_file_over_behind_the_fences(fenced_world: FencedWorld) -> None:
    desk, bea = fenced_world.desk, person(fenced_world, Role.ADMINISTRATOR, None)
    with fenced_world.all_seeing.sessions.begin() as session:
        team = session.get_one(Organisation, AMSTERDAM)
        team.recipients[0].verified_on = None
    with fenced_world.worker.sessions.begin() as session:
        assert ask_for_proof(desk.operation(session), public_url="https://a.example") == 1
    file = io.StringIO(FILE.replace("1013,2027-01-01,", "1013,2027-01-01,nieuw@example.org"))
    with acting(desk, bea) as session:
        done = import_organisations(desk.operation(session, bea), file=file)
    assert done.rejected == ()
    with fenced_world.all_seeing.sessions() as session:
        assert session.scalars(select(OutboxMessage.recipient)).all() == []
        first = session.get_one(Organisation, AMSTERDAM).recipients[0]
        assert (first.address, first.verified_on) == ("nieuw@example.org", None)
