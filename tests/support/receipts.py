"""A desk on PostgreSQL whose keystore's database checks receipts, as `signals keys grants` makes it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from privacy.keystore import DeskKeystore, open_keystore
from privacy.keystore_schema import keystore_engine
from privacy.secret_files import load_master_key
from signals.audit.log import Actor
from signals.clock import SystemClock
from signals.db import make_engine, session_factory, set_local
from signals.models import Signal
from signals.operation import Operation
from signals.operations import database_roles, receipt_fence
from signals.operations.database_roles import Roles
from tests.support.fences import OWNER, make_owner
from tests.support.moved_keystore import moved_keystore
from tests.support.operations import operation
from tests.support.postgres import SUPERUSER, PostgresServer
from tests.support.world import World, fill_another, make_world

DESK = Roles().desk
_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class FencedDesk:
    """A world of all rights, and what a desk's process has: its role in both databases."""

    world: World
    engine: Engine
    keystore: DeskKeystore = field(repr=False)
    server: PostgresServer
    names: tuple[str, str]

    def operation(self, session: Session, actor: Actor) -> Operation:
        """Return an operation of the desk, which names its caller."""
        set_local(session, organisation=str(actor.organisation_id), staff=str(actor.id))
        return operation(session, SystemClock(), actor, keystore=self.keystore)

    def session(self) -> Session:
        return session_factory(self.engine)()

    def url(self, number: int, role: str) -> str:
        """Return the address of the database (0) or of the keystore (1) for a role."""
        return self.server.url(self.names[number]).replace(f"//{SUPERUSER}@", f"//{role}@", 1)

    def arrive(self, number: int = 1) -> Signal:
        """Return a signal of Amsterdam that has just arrived."""
        before = {signal.id for signal in self.world.signals()}
        self.world.receive(number)
        self.world.worker().arrive()
        return next(signal for signal in self.world.signals() if signal.id not in before)


@pytest.fixture
def fenced_desk(postgres_server: PostgresServer, template: Path, tmp_path: Path) -> Iterator[FencedDesk]:
    """Make two databases with owners and roles; the world works as the owner of the keystore."""
    number = next(_numbers)
    names = (f"receipts_{number}", f"receipt_keys_{number}")
    for name in names:
        postgres_server.create_database(name)
        make_owner(postgres_server, name)

    def url(name: str, role: str) -> str:
        return postgres_server.url(name).replace(f"//{SUPERUSER}@", f"//{role}@", 1)

    rows, keys = make_engine(url(names[0], OWNER)), keystore_engine(url(names[1], OWNER))
    fill_another(rows, template)
    database_roles.apply(rows, Roles(), create=True)
    for role in Roles().names:
        postgres_server.execute(f"ALTER ROLE {role} LOGIN")
    made = make_world(template, tmp_path, postgres_server.url(names[0]))
    made.keystore.dispose()
    world = replace(made, keystore=moved_keystore(tmp_path, url(names[1], OWNER)))
    receipt_fence.apply(rows, keys, desk=DESK)
    world.clock.moment = datetime.now(UTC)  # the database has no other clock
    world.worker().provision_keys()
    desk = open_keystore(url(names[1], DESK), load_master_key(tmp_path / "master.key"), of_desk=True)
    assert isinstance(desk, DeskKeystore)
    engine = make_engine(url(names[0], DESK))
    yield FencedDesk(world=world, engine=engine, keystore=desk, server=postgres_server, names=names)
    for closed in (rows, keys, engine, desk):
        closed.dispose()
    world.close()
