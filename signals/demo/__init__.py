"""The demo: example organisations, live signals, figures of two years, and an account for each role.

Start at `seed_demo`. One transaction of the database holds everything, so that a killed run leaves nothing
behind. Reports go through the real intake and arrival. All addresses are invented.
"""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, select, text

from privacy.keystore import Keystore
from privacy.passwords import PasswordHasherSettings
from privacy.secret_files import load_master_key
from signals.audit.log import AuditLog
from signals.clock import Clock, FixedClock, SystemClock
from signals.db import is_sqlite, make_engine, session_factory
from signals.demo.accounts import add_people, issue_accounts, write_accounts
from signals.demo.data import stories
from signals.demo.facts import add_facts, release_all
from signals.demo.one_transaction import OneTransaction
from signals.demo.organisations import add_organisations, add_places, go_live, is_seeded
from signals.demo.telling import ProofOfStories, StoryTeller, settle_old_messages
from signals.errors import SettingsProblem
from signals.intake.daily_limit import AreaLimit
from signals.intake.receiving import Intake
from signals.intake.unproven_lane import UnprovenLane
from signals.keys.mailbox_keys import provision_mailbox_keys
from signals.keys.opening import open_keys
from signals.models import Organisation
from signals.models.sealed import seal_rows
from signals.notices.channels import make_channels
from signals.operations.installation import prepare_keystore
from signals.operations.jobs import Worker
from signals.routing.snapshot import Router
from signals.settings import LimitsSettings, Settings
from signals.vocabulary import Environment

ACCOUNTS_FILE = Path("demo/accounts.json")
"""The accounts of the demo, within the data folder; only its owner may read it."""

_WEEKS = 11
"""Every report is younger than this."""

_WEEKS_LIVE = 60
"""The teams have been live for longer than a year."""

_LANE = ("unproven_reports_per_area_and_day", "unproven_reports_per_area_and_hour")
_LOCK = 0x5EED
_SEED = 1012


def seed_demo(settings: Settings, *, clock: Clock | None = None) -> bool:
    """Fill a migrated database with the demo; return False when it was there.

    Two fresh demos of one day differ only in keys, ids, receipts, references and passwords. When only the
    file of accounts is missing, everybody gets a new password and token.
    Raises `SettingsProblem` in production, `KeysUnusable` without keystore or master key.
    """
    if settings.environment is Environment.PRODUCTION:
        raise SettingsProblem(['the demo is refused in environment = "production"'])
    prepare_keystore(settings)
    with ExitStack() as opened:
        keystore = opened.enter_context(open_keys(settings))
        engine = make_engine(settings.database.url)
        opened.callback(engine.dispose)
        seal_rows(engine, keystore.secret)
        door = opened.enter_context(_one_transaction(engine))
        worker = _worker(settings, door, keystore, (clock or SystemClock()).now())
        return _seed(worker, door)


def demo_is_there(settings: Settings, engine: Engine) -> bool:
    """Return whether `seed_demo` has nothing to do."""
    return (settings.data_folder / ACCOUNTS_FILE).exists() and is_seeded(session_factory(engine))


@contextmanager
def _one_transaction(engine: Engine) -> Iterator[OneTransaction]:
    """Open the one transaction. A second run waits here; on SQLite, writers queue anyway."""
    with engine.begin() as connection:
        if not is_sqlite(engine):
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        door = OneTransaction(engine, connection)
        try:
            yield door
        finally:
            door.dispose()


def _worker(settings: Settings, door: OneTransaction, keystore: Keystore, now: datetime) -> Worker:
    return Worker(
        settings=settings,
        clock=FixedClock(now),
        engine=door,
        sessions=door.sessions(),
        keystore=keystore,
        audit=AuditLog(keystore.secret("audit")),
        channels=make_channels(settings),
        router=Router(door, root_public_key=keystore.root_public_key()),
        rng=random.Random(_SEED),  # noqa: S311 - the same demo every time
    )


def _seed(worker: Worker, door: OneTransaction) -> bool:
    is_new = not is_seeded(worker.sessions)
    if is_new:
        _fill(worker, door)
    file = worker.settings.data_folder / ACCOUNTS_FILE
    if is_new or not file.exists():
        hasher = PasswordHasherSettings(memory_kib=worker.settings.sessions.password_memory_kib)
        with worker.begin() as operation:
            accounts = issue_accounts(operation, hasher)
        worker.link_audit()  # now: a worker that links newer entries first skips those of the demo's past
        write_accounts(file, accounts)
    return is_new


def _fill(worker: Worker, door: OneTransaction) -> None:
    """Let organisations and people begin, tell what happened day by day, and release the figures."""
    now = worker.clock.now()
    past = [replace(worker, clock=FixedClock(now - timedelta(weeks=back))) for back in range(_WEEKS, -1, -1)]
    with replace(worker, clock=FixedClock(now - timedelta(weeks=_WEEKS_LIVE))).begin() as operation:
        add_organisations(operation.session, operation.today)
        add_people(operation)
        everybody = operation.session.scalars(select(Organisation)).all()
        go_live(operation, drills=worker.drills(), organisations=everybody)
    add_places(past[0].begin)
    with past[0].begin() as operation:
        for week in past:
            provision_mailbox_keys(week.operation(operation.session))
    told = list(stories())
    intake = Intake(
        engine=door,
        router=worker.router,
        front_secret=load_master_key(worker.settings.front.secret_file),
        area_limit=AreaLimit(worker.settings.limits.open_reports_per_area_and_day),
        lane=UnprovenLane(LimitsSettings(**dict.fromkeys(_LANE, len(told)))),
        prover=ProofOfStories(),
        in_transaction=True,
    )
    StoryTeller(worker=past[0], intake=intake, now=now).tell(told)
    with worker.begin() as operation:
        add_facts(operation.session, keys=operation.keystore, on=operation.today)
    release_all(worker, random.Random(_SEED))  # noqa: S311 - as above
    with worker.begin() as operation:
        settle_old_messages(operation)
