"""A person of a team whose database role sees only its own rows."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from signals.audit.log import Actor
from signals.db import set_local
from signals.models import StaffMember
from signals.vocabulary import Role
from tests.support.fences import FencedWorld
from tests.support.world import AMSTERDAM, World


@contextmanager
def acting(world: World, actor: Actor) -> Iterator[Session]:
    """A transaction of the desk's role in which its caller is named, as the web layer does."""
    with world.sessions.begin() as session:
        set_local(session, organisation=str(actor.organisation_id or ""), staff=str(actor.id))
        yield session


def person(fenced: FencedWorld, role: Role, organisation_id: object = AMSTERDAM) -> Actor:
    made = fenced.all_seeing.staff(role=role)
    actor = Actor(id=made.id, role=role, organisation_id=made.organisation_id)
    if organisation_id != AMSTERDAM:
        with fenced.all_seeing.sessions.begin() as session:
            session.get_one(StaffMember, made.id).organisation_id = organisation_id  # type: ignore[assignment]
        actor = Actor(id=made.id, role=role, organisation_id=organisation_id)  # type: ignore[arg-type]
    return actor
