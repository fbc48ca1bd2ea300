"""A desk that is served at an address of its own, with a team that signs in at a provider."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from signals.app import make_worker
from signals.clock import FixedClock
from signals.db import make_engine
from signals.models import IdentityProvider, Organisation, StaffMember, StaffSession
from signals.settings import ServerSettings, Settings
from tests.support.desk_side import AMSTERDAM, Desk, Person, desk_of
from tests.support.identity_provider import SECRET, Provider, Visitor, provider_at
from tests.support.installations import Installation
from tests.support.prism import free_port

SECRET_FILE = "amsterdam.secret"


@dataclass(frozen=True, kw_only=True)
class Site:
    """The desk, the provider of Anna's team, and the first visitor."""

    desk: Desk
    provider: Provider
    visitor: Visitor

    @property
    def url(self) -> str:
        return self.provider.site

    @property
    def team(self) -> UUID:
        return UUID(self.provider.team)

    def move(self, **by: float) -> None:
        self.desk.clock.moment += timedelta(**by)

    def change(self, **values: str) -> None:
        """Change the team's provider, past the two people who agree to it."""
        with Session(self.desk.engine) as session, session.begin():
            found = session.scalars(
                select(IdentityProvider).where(IdentityProvider.organisation_id == self.team)
            )
            for name, value in values.items():
                setattr(next(iter(found)), name, value)

    def member(self, name: str = "anna") -> StaffMember:
        with Session(self.desk.engine) as session:
            return session.scalars(
                select(StaffMember).where(StaffMember.email == f"{name}@example.org")
            ).one()

    def sessions(self, name: str = "anna") -> list[StaffSession]:
        """Return the live sessions of somebody's browsers."""
        with Session(self.desk.engine) as session:
            return list(
                session.scalars(
                    select(StaffSession).where(
                        StaffSession.staff_member_id == self.member(name).id,
                        StaffSession.kind == "page",
                        StaffSession.revoked_at.is_(None),
                    )
                )
            )

    def check_sessions(self) -> int:
        worker = make_worker(self.desk.settings, clock=self.desk.clock, engine=self.desk.engine)
        try:
            return worker.check_sessions()
        finally:
            worker.keystore.dispose()


@contextmanager
def provider_site(
    settings: Settings, engine: Engine, clock: FixedClock, people: Mapping[str, Person], provider: Provider
) -> Iterator[Site]:
    """Serve the desk; the clock is that of the machine, as the provider's is."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    clock.moment, folder = datetime.now(UTC), provider.plan_file.parent
    sessions = replace(settings.sessions, provider_secrets_folder=folder)
    here = replace(settings, server=ServerSettings(public_url=provider.site), sessions=sessions)
    (folder / SECRET_FILE).write_text(SECRET)
    with desk_of(here, engine, clock, people) as desk, _served(desk.app, provider.site):
        with Session(engine) as session, session.begin():
            session.add(provider_row(provider))
        provider.reset()
        yield Site(desk=desk, provider=provider, visitor=Visitor(provider.site))


@contextmanager
def _served(app: Flask, url: str) -> Iterator[None]:
    server = make_server("127.0.0.1", int(url.rpartition(":")[2]), app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def provider_row(provider: Provider, **values: str) -> IdentityProvider:
    usual = {
        "issuer": provider.issuer,
        "client_id": f"signals-{provider.port}",
        "secret_file": SECRET_FILE,
        "domains": "example.org",
        "factors": "mfa",
    }
    return IdentityProvider(organisation_id=UUID(provider.team), **usual | values)


@pytest.fixture(scope="session")
def provider(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider for all tests: to start one takes longer than most of them."""
    with Session(make_engine(f"sqlite:///{installation.folder}/signals.db")) as session:
        team = session.scalars(select(Organisation.id).where(Organisation.name == AMSTERDAM)).one()
    folder = tmp_path_factory.mktemp("provider")
    with provider_at(folder / "plan.json", f"http://localhost:{free_port()}", team) as made:
        yield made


@pytest.fixture
def site(
    desk_settings: Settings,
    engine: Engine,
    clock: FixedClock,
    people: Mapping[str, Person],
    provider: Provider,
) -> Iterator[Site]:
    with provider_site(desk_settings, engine, clock, people, provider) as made:
        yield made
