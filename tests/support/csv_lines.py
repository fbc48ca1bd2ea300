"""Files of organisations, and what became of their lines."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

import migrations
from signals.clock import FixedClock
from signals.db import make_engine, session_factory
from signals.models import Organisation, RoutingVersion
from signals.models.sealed import seal_rows
from signals.organisations.csv_import import OrganisationImport, import_organisations
from tests.support.desk_fixtures import PlainKeys
from tests.support.operations import operation

CLOCK = FixedClock(datetime(2026, 11, 24, 9, 30, tzinfo=UTC))


FULL = "name,kind,level,area,valid_from,agreement_on,legal_basis,retention_basis,recipient_1,recipient_2\n"


SHORT = "name,kind,level,area,valid_from\n"


TEAM = (
    "Team Zuid,social_work,municipality,GM0363,2026-01-01,2026-01-01,Wmo,Lijst,a@example.org,b@example.org\n"
)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    engine: Engine = make_engine(f"sqlite:///{tmp_path}/signals.db")
    seal_rows(engine, PlainKeys().secret)
    for tables in migrations.TARGET:  # what an address was asked lies in the outbox
        tables.create_all(engine)
    with session_factory(engine)() as session:
        session.add(RoutingVersion(id=1, version=1))
        session.commit()
        yield session
    engine.dispose()


def take(session: Session, text: str) -> OrganisationImport:
    return import_organisations(operation(session, CLOCK), file=io.StringIO(text))


def reasons(session: Session, text: str) -> list[tuple[int, str, str]]:
    result = take(session, text)
    assert result.changes == ()
    assert session.scalars(select(Organisation)).all() == []
    return [(one.line, one.column, one.reason) for one in result.rejected]


def team(session: Session) -> Organisation:
    return session.scalars(select(Organisation).where(Organisation.name == "Team Zuid")).one()
