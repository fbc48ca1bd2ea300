"""A small installation for tests: database, keystore, secrets, a few organisations and a clock that stands.

It is made once as a template (organisations, coverage and mailbox keys in place) and copied for each test.
"""

import base64
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

import migrations
from notifications.channels.memory import MemoryChannel
from notifications.events import Event
from notifications.models import OutboxMessage
from privacy.keystore import Keystore, open_keystore
from privacy.secret_files import load_master_key, write_new_secret_file
from signals import reference
from signals.app import close_app, create_app
from signals.audit.log import SYSTEM, Actor, AuditLog
from signals.clock import Clock, FixedClock
from signals.db import make_engine, session_factory
from signals.intake.authorisation import Prover, TrustedIssuers
from signals.intake.content import Report, Summary, open_report
from signals.intake.daily_limit import AreaLimit
from signals.intake.receiving import Intake, Received
from signals.intake.unproven_lane import UnprovenLane
from signals.keys.mailbox_keys import provision_mailbox_keys
from signals.models import SealedReport, Signal, StaffMember
from signals.models.sealed import seal_rows
from signals.operation import Operation
from signals.operations.jobs import Worker
from signals.organisations.onboarding import Agreement, create_organisation
from signals.routing.areas import Area
from signals.routing.postcodes import Address
from signals.routing.snapshot import Router
from signals.settings import (
    DatabaseSettings,
    FiguresSettings,
    FrontSettings,
    KeystoreSettings,
    LimitsSettings,
    NotificationsSettings,
    RetentionSettings,
    RoutingSettings,
    Settings,
)
from signals.vocabulary import Environment, OrganisationKind, ProcessRole, Role
from tests.support.going_live import live_since
from tests.support.operations import operation
from tests.support.token_side import GENEROUS, issuer_in

_Done = TypeVar("_Done")

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
"""Half past ten on a Tuesday in Amsterdam."""

LONG_AGO = date(2024, 1, 1)
LONG_AGO_AT_NINE = datetime(2024, 1, 1, 8, tzinfo=UTC)
AGREEMENT = Agreement(on=LONG_AGO, legal_basis="Wmo 2015, 2.1.2", retention_basis="Selectielijst")

AMSTERDAM = uuid.UUID(int=0xA363)
GRONINGEN = uuid.UUID(int=0xA014)
NATIONAL = uuid.UUID(int=0xA000)

IN_AMSTERDAM = Address(postcode="1012AB", number=12)
IN_GRONINGEN = Address(postcode="9711AA", number=1)
NOWHERE = Address(postcode="1000AA", number=1)  # well-formed, on no map


def key(number: int) -> uuid.UUID:
    """An Idempotency-Key that a reader can tell from another."""
    return uuid.UUID(int=number, version=4)


def report(address: Address = IN_AMSTERDAM, **values: Any) -> Report:
    """A report of an address; `concern_types`, `seen` and `profession` go into its summary."""
    noticed = {name: values.pop(name) for name in ("seen", "profession") if name in values}
    summary = Summary(concern_types=tuple(values.pop("concern_types", ())), **noticed)
    return Report(address=address, summary=summary, **values)


@dataclass(kw_only=True)
class World:
    """One installation at `NOW`, on a database of its own; close it when done."""

    folder: Path
    settings: Settings
    engine: Engine
    keystore: Keystore
    clock: FixedClock
    _closing: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        seal_rows(self.engine, self.keystore.secret)

    @property
    def sessions(self) -> sessionmaker[Session]:
        return session_factory(self.engine)

    @property
    def audit(self) -> AuditLog:
        return AuditLog(self.keystore.secret("audit"))

    def operation(self, session: Session, actor: Actor = SYSTEM) -> Operation:
        """Return an operation of this installation in a session."""
        return operation(session, self.clock, actor, audit=self.audit, keystore=self.keystore)

    @contextmanager
    def begin(self, actor: Actor = SYSTEM) -> Iterator[Operation]:
        """Open an operation in a session, and commit it."""
        with self.sessions.begin() as session:
            yield self.operation(session, actor)

    def do(self, actor: Actor, act: Callable[..., _Done], *values: Any, **named: Any) -> _Done:
        """Let somebody do one thing, in a transaction of its own."""
        with self.begin(actor) as operation:
            return act(operation, *values, **named)

    def rows(self, query: Any) -> Sequence[Any]:
        """Return what a query finds, one value of each row."""
        with self.sessions() as session:
            return session.scalars(query).all()

    def row(self, query: Any) -> Any:
        """Return the only value that a query finds."""
        (found,) = self.rows(query)
        return found

    def email_of(self, actor: Actor) -> str:
        """Return the address of a member of staff."""
        return str(self.row(select(StaffMember.email).where(StaffMember.id == actor.id)))

    def notified(self, event: Event) -> set[str]:
        """Return the recipients of the messages about an event."""
        return set(self.rows(select(OutboxMessage.recipient).where(OutboxMessage.event == event)))

    def router(self, **values: Any) -> Router:
        """A router of its own, as another process would have; it asks the database at every call."""
        usual: dict[str, Any] = {"root_public_key": self.keystore.root_public_key(), "refresh_seconds": 0.0}
        return Router(self.engine, **usual | values)

    def intake(
        self,
        *,
        limit: int = 500,
        notes: bool = False,
        router: Router | None = None,
        lane: LimitsSettings = GENEROUS,
        prover: Prover | None = None,
    ) -> Intake:
        """The public side's way in, as one process has it."""
        return Intake(
            engine=self.engine,
            router=router or self.router(),
            front_secret=load_master_key(self.settings.front.secret_file),
            area_limit=AreaLimit(limit),
            lane=UnprovenLane(lane),
            prover=prover or TrustedIssuers(file=self.settings.front.issuers_file, origin="example.org"),
            notes_enabled=notes,
        )

    def receive(self, number: int, address: Address = IN_AMSTERDAM, **values: Any) -> Received:
        """Pass on a report under the n-th key, through the one process of the public side."""
        return self._door.receive(self.clock, key=key(number), report=report(address, **values))

    @cached_property
    def _door(self) -> Intake:
        return self.intake()

    def worker(self, **settings: Any) -> Worker:
        """The jobs, sending to memory; `settings` replace those of `Settings`."""
        return Worker(
            settings=replace(self.settings, **settings),
            clock=self.clock,
            engine=self.engine,
            sessions=self.sessions,
            keystore=self.keystore,
            audit=self.audit,
            router=self._door.router,
            channels={"email": MemoryChannel()},
        )

    def another_keystore(self) -> Keystore:
        """The same keystore as another process opens it."""
        opened = open_keystore(
            self.settings.keystore.url, load_master_key(self.settings.keystore.master_key_file)
        )
        self._closing.callback(opened.dispose)
        return opened

    def app(self, role: ProcessRole = ProcessRole.FRONT, **settings: Any) -> Flask:
        """The application of a role; `settings` replace those of `Settings`."""
        changed = replace(self.settings, role=role, **settings)
        app = create_app(changed, clock=self.clock, engine=self.engine)
        self._closing.callback(close_app, app)
        return app

    def client(self, **settings: Any) -> FlaskClient:
        """A client of the public side."""
        return self.app(**settings).test_client()

    def move(self, **step: float) -> None:
        """Let time pass; `step` as of `timedelta`."""
        self.clock.moment += timedelta(**step)

    def count(self, model: type[Any]) -> int:
        return int(self.row(select(func.count()).select_from(model)))

    def sealed(self) -> Sequence[SealedReport]:
        """Return the sealed reports that wait."""
        return self.rows(select(SealedReport).order_by(SealedReport.signal_id))

    def signals(self) -> Sequence[Signal]:
        return self.rows(select(Signal).order_by(Signal.id))

    def addresses(self) -> dict[Address, Signal]:
        """Return the signals by address; two signals of one address are an error here."""
        found = [(open_report(self.keystore, signal).address, signal) for signal in self.signals()]
        assert len({address for address, _ in found}) == len(found)
        return dict(found)

    def staff(self, organisation_id: uuid.UUID | None = AMSTERDAM, role: Role = Role.WORKER) -> Actor:
        """A member of a team, who cannot sign in."""
        member = StaffMember(
            organisation_id=organisation_id,
            role=role,
            name="Medewerker",
            email=f"{uuid.uuid4()}@example.org",
            language="nl",
            password_hash="not a hash",
            totp_sealed=b"not a sealed secret",
            created_at=self.clock.now(),
        )
        with self.sessions.begin() as session:
            session.add(member)
        return Actor(id=member.id, role=role, organisation_id=organisation_id, name=member.name)

    def close(self) -> None:
        self._closing.close()
        self.keystore.dispose()
        self.engine.dispose()


def make_template(folder: Path) -> None:
    """Write `signals.db`, `keystore.db` and the secrets of a world into a folder."""
    for name in ("master.key", "front.key", "issuer.key"):
        write_new_secret_file(folder / name)
    keystore = _keystore_in(folder)
    keystore.create_schema()
    keystore.ensure_root()
    engine = make_engine(f"sqlite:///{folder}/signals.db")
    migrations.upgrade(engine)
    fill(engine, keystore, FixedClock(NOW))
    engine.dispose()
    keystore.dispose()


def fill_another(engine: Engine, folder: Path) -> None:
    """Migrate an empty database and give it what a template in a folder holds, with the same keys."""
    migrations.upgrade(engine)
    keystore = _keystore_in(folder)
    fill(engine, keystore, FixedClock(NOW))
    keystore.dispose()


def fill(engine: Engine, keystore: Keystore, clock: Clock) -> None:
    """Two example organisations, every GGD, the national desk, and their mailbox keys."""
    seal_rows(engine, keystore.secret)
    with session_factory(engine).begin() as session:
        made = [
            create_organisation(
                session,
                organisation_id=organisation_id,
                name=name,
                kind=kind,
                areas=[Area(level=level, area=area, valid_from=LONG_AGO)],
                agreement=AGREEMENT,
                recipients=[f"een@{area.lower()}.example.org", f"twee@{area.lower()}.example.org"],
                is_example=True,
            )
            for organisation_id, name, kind, level, area in _organisations()
        ]
        live_since(operation(session, FixedClock(LONG_AGO_AT_NINE), keystore=keystore), *made)
        provision_mailbox_keys(operation(session, clock, keystore=keystore))


def make_world(template: Path, folder: Path, database_url: str | None = None) -> World:
    """A world in an empty folder: a copy of a template, on the given database or a copy of the template's."""
    for name in ("signals.db", "keystore.db", "master.key", "front.key", "issuer.key"):
        shutil.copyfile(template / name, folder / name)
        (folder / name).chmod(0o600)
    keystore = _keystore_in(folder)
    url = database_url or f"sqlite:///{folder}/signals.db"
    return World(
        folder=folder,
        settings=_settings(folder, url, keystore.root_public_key()),
        engine=make_engine(url, pool_size=20),
        keystore=keystore,
        clock=FixedClock(NOW),
    )


def _organisations() -> Iterable[tuple[uuid.UUID, str, OrganisationKind, str, str]]:
    social_work, ggd = OrganisationKind.SOCIAL_WORK, OrganisationKind.GGD
    yield AMSTERDAM, "Voorbeeld Welzijn Amsterdam", social_work, "municipality", "GM0363"
    yield GRONINGEN, "Voorbeeld Welzijn Groningen", social_work, "municipality", "GM0014"
    yield NATIONAL, "Landelijk meldpunt", OrganisationKind.NATIONAL, "national", "NL"
    for place, region in enumerate(reference.ggd_regions().values(), start=0xB000):
        yield uuid.UUID(int=place), region.name, ggd, "ggd_region", region.code


def _keystore_in(folder: Path) -> Keystore:
    return open_keystore(f"sqlite:///{folder}/keystore.db", load_master_key(folder / "master.key"))


def _settings(folder: Path, url: str, root: bytes) -> Settings:
    return Settings(
        role=ProcessRole.FRONT,
        environment=Environment.TEST,
        data_folder=folder,
        database=DatabaseSettings(url=url),
        keystore=KeystoreSettings(
            url=f"sqlite:///{folder}/keystore.db", master_key_file=folder / "master.key"
        ),
        front=FrontSettings(
            secret_file=folder / "front.key",
            root_public_key=base64.b64encode(root).decode(),
            issuers_file=folder / "issuers.json",
        ),
        issuer=issuer_in(folder),
        limits=GENEROUS,
        routing=RoutingSettings(refresh_seconds=0),
        notifications=NotificationsSettings(delay_minutes=30),
        retention=RetentionSettings(journal_file=folder / "deletions.journal"),
        figures=FiguresSettings(ledger_file=folder / "figures.ledger"),
    )
