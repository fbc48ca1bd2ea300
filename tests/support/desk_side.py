"""The staff side with two teams, a coordinator and signals that arrived through the real intake."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from privacy.keystore import Keystore, open_keystore
from privacy.passwords import PasswordHasherSettings
from privacy.secret_files import load_master_key
from signals.app import close_app, create_app
from signals.arrival.batches import ArrivalDesk
from signals.arrival.envelopes import ArrivalChecks
from signals.audit.log import SYSTEM, Actor, AuditLog
from signals.clock import Clock, FixedClock
from signals.db import session_factory
from signals.models import AuditEntry, Organisation, Signal
from signals.operation import Operation
from signals.routing.snapshot import Router
from signals.settings import SessionsSettings, Settings
from signals.staff.accounts import add_staff, issue_token
from signals.vocabulary import AuditAction, ProcessRole, Role
from tests.support.described import assert_as_described
from tests.support.operations import operation

PASSWORD = "een lange zin als wachtwoord"
QUICK = PasswordHasherSettings(memory_kib=64)
BASE = "/api/v1"
AMSTERDAM = "Voorbeeld Welzijn Amsterdam"
GRONINGEN = "Voorbeeld Welzijn Groningen"
PEOPLE = (
    ("anna", Role.WORKER, AMSTERDAM, "nl"),
    ("bram", Role.WORKER, AMSTERDAM, "nl"),
    ("lena", Role.LEAD, AMSTERDAM, "en"),
    ("gerda", Role.WORKER, GRONINGEN, "nl"),
    ("coen", Role.COORDINATOR, None, "nl"),
    ("bea", Role.ADMINISTRATOR, None, "nl"),
    ("fleur", Role.PRIVACY_OFFICER, AMSTERDAM, "nl"),
    ("floor", Role.PRIVACY_OFFICER, GRONINGEN, "nl"),
)


@dataclass(frozen=True, kw_only=True)
class Person:
    """One who signs in; `token` is a program's token of theirs."""

    email: str
    totp_secret: str = field(repr=False)
    token: str = field(repr=False)

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The application, its parts, and everybody by first name."""

    app: Flask
    client: FlaskClient
    clock: FixedClock
    engine: Engine
    keystore: Keystore
    people: Mapping[str, Person]
    settings: Settings

    def arrive(self, postcode: str = "1012AB", number: int = 12, **more: Any) -> UUID:
        """Send a report as a carrier does, let it arrive, and return its signal's id."""
        before = self._ids()
        body = {"postcode": postcode, "house_number": number, **more}
        sent = self.client.post(f"{BASE}/signals", json=body, headers={"Idempotency-Key": str(uuid4())})
        assert sent.status_code == 201, sent.get_data(as_text=True)
        desk = ArrivalDesk(
            sessions=session_factory(self.engine),
            keystore=self.keystore,
            audit=AuditLog(self.keystore.secret("audit")),
            checks=ArrivalChecks(
                router=Router(self.engine, root_public_key=None),
                notes_enabled=self.settings.notes.enabled,
                unproven_per_day=12,
            ),
            desk_url="http://desk.example/desk",
        )
        assert desk.arrive(self.clock) == 1
        (new,) = self._ids() - before
        return new

    def call(self, who: str, method: str, path: str, **more: Any) -> TestResponse:
        """Call the API with this person's token; the answer must fit its description."""
        headers = {**self.people[who].bearer, **more.pop("headers", {})}
        answer = self.client.open(f"{BASE}{path}", method=method, headers=headers, **more)
        assert_as_described(self.app, method, path, answer)
        return answer

    def operation(self, session: Session, actor: Actor = SYSTEM) -> Operation:
        """Return an operation of this application in a session."""
        return operation(session, self.clock, actor, keystore=self.keystore)

    @contextmanager
    def begin(self) -> Iterator[Operation]:
        """Open an operation of the system in a session, and commit it."""
        with Session(self.engine) as session, session.begin():
            yield self.operation(session)

    def code(self, who: str) -> str:
        """A fresh code of this person's authenticator: the clock moves on, for each works once."""
        self.clock.moment += timedelta(seconds=30)
        return pyotp.TOTP(self.people[who].totp_secret).at(self.clock.moment)

    def entries(self, action: AuditAction) -> list[AuditEntry]:
        """Return the audit entries of one action, oldest first; entries of one moment have no order."""
        with Session(self.engine) as session:
            query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.at)
            return list(session.scalars(query))

    def _ids(self) -> set[UUID]:
        with Session(self.engine) as session:
            return set(session.scalars(select(Signal.id)))


@pytest.fixture
def desk_settings(front_settings: Settings) -> Settings:
    """Settings of front and desk in one process, with cheap password checks."""
    sessions = SessionsSettings(password_memory_kib=QUICK.memory_kib)
    return replace(front_settings, role=ProcessRole.ALL, sessions=sessions)


@pytest.fixture
def desk(
    desk_settings: Settings, engine: Engine, clock: FixedClock, people: Mapping[str, Person]
) -> Iterator[Desk]:
    """The staff side of the test's organisations, with everybody in `PEOPLE`."""
    with desk_of(desk_settings, engine, clock, people) as made:
        yield made


@contextmanager
def desk_of(
    settings: Settings, engine: Engine, clock: FixedClock, people: Mapping[str, Person]
) -> Iterator[Desk]:
    """The staff side of an installation to which `add_people` added these."""
    keystore = open_keystore(settings.keystore.url, load_master_key(settings.keystore.master_key_file))
    app = create_app(settings, clock=clock, engine=engine)
    yield Desk(
        app=app,
        client=app.test_client(),
        clock=clock,
        engine=engine,
        keystore=keystore,
        people=people,
        settings=settings,
    )
    close_app(app)
    keystore.dispose()


def add_people(session: Session, clock: Clock, keystore: Keystore) -> dict[str, Person]:
    """Give everybody in `PEOPLE` an account and a program's token; `AMSTERDAM` and `GRONINGEN` are there."""
    audit = AuditLog(keystore.secret("audit"))
    organisations = {o.name: o.id for o in session.scalars(select(Organisation))}
    people = {}
    for name, role, organisation, language in PEOPLE:
        new = add_staff(
            operation(session, clock, audit=audit, keystore=keystore),
            organisation_id=organisations[organisation] if organisation else None,
            role=role,
            name=f"{name.capitalize()} Voorbeeld",
            email=f"{name}@example.org",
            password=PASSWORD,
            language=language,
            hasher=QUICK,
        )
        token = issue_token(operation(session, clock, audit=audit), member=new.member, label="test")
        people[name] = Person(email=new.member.email, totp_secret=new.totp_secret, token=token)
    return people


@pytest.fixture
def signal_id(desk: Desk) -> UUID:
    """A new signal of Anna's and Bram's team."""
    return desk.arrive(concern_types=["frail"], seen="once")
