"""The demo: example organisations, live signals, figures of two years, and an account for each role.

Everything is one transaction of the database, so that a seeding that was killed left nothing behind
and the national desk's row is the marker that it was done. Reports go through the real intake and
arrival. All addresses are invented.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from privacy.keystore import Keystore
from privacy.passwords import PasswordHasherSettings
from privacy.secret_files import load_master_key
from signals.arrival.batches import ArrivalDesk
from signals.audit.log import AuditLog
from signals.audit.trail import TrailKeys, link_entries
from signals.clock import AMSTERDAM, Clock, FixedClock, SystemClock, today
from signals.db import is_sqlite, make_engine, session_factory
from signals.demo.accounts import Passwords, add_accounts, renew_accounts, write_accounts
from signals.demo.facts import add_facts, release_all
from signals.demo.one_transaction import OneTransaction
from signals.demo.organisations import (
    add_organisations,
    drop_past_mailbox_keys,
    is_seeded,
    make_past_mailbox_keys,
)
from signals.demo.progress import Progress, silent, visible
from signals.demo.stories import FIRST_DAY_BACK, STORIES
from signals.demo.telling import StoryTeller, choose_words, settle_old_messages
from signals.errors import SettingsProblem
from signals.intake.daily_limit import AreaLimit
from signals.intake.receiving import Intake
from signals.keys.mailbox_keys import provision_mailbox_keys
from signals.keys.opening import open_keys
from signals.operations.installation import prepare_keystore
from signals.routing.snapshot import Router
from signals.settings import Settings
from signals.statistics.counting import located_by
from signals.statistics.releasing import Releasing
from signals.vocabulary import Environment

ACCOUNTS_FILE = Path("demo/accounts.json")
"""Within the data folder: the accounts of the demo, for their owner only."""

_LOCK = 0x5EED
_SEED = 1012


def seed_demo(settings: Settings, *, show_progress: bool = False, clock: Clock | None = None) -> bool:
    """Fill a migrated database with the demo; False when it was there already.

    Two fresh demos of one day are equal but for keys, ids, receipts, references and passwords. When the
    demo is there and its file of accounts is not, passwords and tokens are made anew and written again.
    Raises `SettingsProblem` in production, `KeysUnusable` without keystore or master key.
    """
    if settings.environment is Environment.PRODUCTION:
        raise SettingsProblem(['the demo is refused in environment = "production"'])
    prepare_keystore(settings)
    keystore = open_keys(settings)
    engine = make_engine(settings.database.url)
    try:
        with visible() if show_progress else nullcontext(silent) as progress:
            return _Seeding(settings, engine, keystore, clock or SystemClock(), progress).run()
    finally:
        keystore.dispose()
        engine.dispose()


def demo_is_there(settings: Settings, engine: Engine) -> bool:
    """Whether `seed_demo` has nothing to do: neither the demo nor its file of accounts is missing."""
    return (settings.data_folder / ACCOUNTS_FILE).exists() and is_seeded(session_factory(engine))


class _Seeding:
    """One run, in the order of the story: organisations, people, reports day by day, what was done."""

    def __init__(
        self, settings: Settings, engine: Engine, keystore: Keystore, clock: Clock, progress: Progress
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._keystore = keystore
        self._clock = clock
        self._progress = progress
        self._accounts_file = settings.data_folder / ACCOUNTS_FILE

    def run(self) -> bool:
        with self._one_at_a_time() as door:
            sessions = door.sessions()
            if is_seeded(sessions):
                self._mend_accounts(sessions)
                return False
            self._seed(door, sessions)
            return True

    def _mend_accounts(self, sessions: sessionmaker[Session]) -> None:
        """Passwords are kept nowhere but in the file: when it is gone, there must be new ones."""
        if self._accounts_file.exists():
            return
        with Passwords(self._hasher) as passwords, sessions.begin() as session:
            accounts = renew_accounts(
                session, self._clock, keystore=self._keystore, audit=self._audit, passwords=passwords
            )
            passwords.store_hashes(session, progress=self._progress)
        write_accounts(self._accounts_file, accounts)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[OneTransaction]:
        """The one transaction; a second seeding waits here (on SQLite, writers stand in line already)."""
        with self._engine.begin() as connection:
            if not is_sqlite(self._engine):
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            door = OneTransaction(self._engine, connection)
            try:
                yield door
            finally:
                door.dispose()

    def _seed(self, door: OneTransaction, sessions: sessionmaker[Session]) -> None:
        on = today(self._clock)
        first_day = on - timedelta(days=FIRST_DAY_BACK)
        past = FixedClock(datetime.combine(first_day, time(8), AMSTERDAM).astimezone(UTC))
        with Passwords(self._hasher) as passwords:
            with sessions.begin() as session:
                add_organisations(session)
                choose_words(session)
                make_past_mailbox_keys(session, self._keystore, since=first_day, on=on)
                provision_mailbox_keys(session, self._clock, keystore=self._keystore)
                accounts = add_accounts(
                    session,
                    past,
                    now=self._clock,
                    keystore=self._keystore,
                    audit=self._audit,
                    passwords=passwords,
                )
            self._teller(door, sessions, past).tell(STORIES, progress=self._progress)
            with sessions.begin() as session:
                add_facts(session, on=on)
            release_all(self._releasing(door, sessions), self._clock, progress=self._progress)
            with sessions.begin() as session:
                drop_past_mailbox_keys(session, self._keystore, on=on)
                settle_old_messages(session, self._clock)
                self._link_audit(session)
                passwords.store_hashes(session, progress=self._progress)
        write_accounts(self._accounts_file, accounts)

    def _teller(self, door: OneTransaction, sessions: sessionmaker[Session], past: FixedClock) -> StoryTeller:
        return StoryTeller(
            sessions=sessions,
            intake=self._intake(door),
            arrival=self._arrival(sessions),
            keystore=self._keystore,
            audit=self._audit,
            clock=past,
            now=self._clock.now(),
        )

    def _intake(self, door: OneTransaction) -> Intake:
        settings = self._settings
        return Intake(
            engine=door,
            router=Router(door, root_public_key=self._keystore.root_public_key()),
            front_secret=load_master_key(settings.front.secret_file),
            area_limit=AreaLimit(settings.limits.open_reports_per_area_and_day),
        )

    def _arrival(self, sessions: sessionmaker[Session]) -> ArrivalDesk:
        return ArrivalDesk(
            sessions=sessions,
            keystore=self._keystore,
            audit=self._audit,
            desk_url=f"{self._settings.server.public_url.rstrip('/')}/desk",
            delay_minutes=0,
            rng=random.Random(_SEED),  # noqa: S311 - the same demo every time
        )

    def _releasing(self, door: OneTransaction, sessions: sessionmaker[Session]) -> Releasing:
        return Releasing(
            sessions=sessions,
            keys=self._keystore,
            locate=located_by(Router(door, root_public_key=None)),
            chance=random.Random(_SEED),  # noqa: S311 - as above
            remembers=False,  # a demo whose database was thrown away is made anew
        )

    def _link_audit(self, session: Session) -> None:
        """Entries with moments of the past: a worker that linked newer ones first would pass them over."""
        keys = TrailKeys(mac_key=self._keystore.secret("audit"), root=self._keystore.root_signing_key())
        while link_entries(session, self._clock, keys=keys):
            continue

    @cached_property
    def _audit(self) -> AuditLog:
        return AuditLog(self._keystore.secret("audit"))

    @property
    def _hasher(self) -> PasswordHasherSettings:
        return PasswordHasherSettings(memory_kib=self._settings.sessions.password_memory_kib)
