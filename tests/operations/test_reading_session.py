"""Sessions that only read: what they leave behind, and what they do not."""

from sqlalchemy import Engine, select, text

from signals.db import at_one_moment, reading_session
from signals.models import Organisation
from tests.support.world import AMSTERDAM, World

PREPARES_AFTER = 5  # executions, of psycopg


def _name(world: World) -> str:
    return world.row(select(Organisation.name).where(Organisation.id == AMSTERDAM))


def test_a_reading_session_does_not_store_changes_to_its_objects(world: World) -> None:
    before = _name(world)
    with reading_session(world.sessions, at_one_moment(world.engine)) as session:
        session.scalars(select(Organisation).where(Organisation.id == AMSTERDAM)).one().name = "other"
    assert _name(world) == before


def test_statements_stay_prepared_from_one_reader_to_the_next(postgres_world: World) -> None:
    readers = at_one_moment(postgres_world.engine)
    for _ in range(PREPARES_AFTER + 1):
        with reading_session(postgres_world.sessions, readers) as session:
            session.scalars(select(Organisation.name)).all()
    assert _prepared(readers) > 0


def _prepared(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(text("SELECT count(*) FROM pg_prepared_statements")) or 0
