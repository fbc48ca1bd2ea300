"""The demo: example organisations, live signals, figures of two years, and an account for each role.

Start at `seed_demo`. One transaction of the database holds everything, so that a killed run leaves nothing
behind. Reports go through the real intake and arrival. All addresses are invented.
"""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from privacy.keystore import Keystore
from privacy.passwords import PasswordHasherSettings
from privacy.secret_files import load_master_key
from signals.arrival.batches import ArrivalDesk
from signals.audit.log import SYSTEM, AuditLog
from signals.audit.trail import TrailKeys, link_entries
from signals.clock import AMSTERDAM, Clock, FixedClock, SystemClock, today
from signals.db import is_sqlite, make_engine, session_factory
from signals.demo.accounts import add_people, issue_accounts, write_accounts
from signals.demo.data import stories
from signals.demo.facts import add_facts, release_all
from signals.demo.one_transaction import OneTransaction
from signals.demo.organisations import add_organisations, is_seeded
from signals.demo.telling import StoryTeller, settle_old_messages
from signals.errors import SettingsProblem
from signals.intake.daily_limit import AreaLimit
from signals.intake.receiving import Intake
from signals.keys.mailbox_keys import provision_mailbox_keys
from signals.keys.opening import open_keys
from signals.operation import Operation
from signals.operations.installation import prepare_keystore
from signals.organisations.csv_file import Progress, silent
from signals.routing.snapshot import Router
from signals.settings import Settings
from signals.statistics.counting import located_by
from signals.statistics.releasing import Releasing
from signals.vocabulary import Environment

ACCOUNTS_FILE = Path("demo/accounts.json")
"""The accounts of the demo, within the data folder; only its owner may read it."""

_WEEKS = 11
"""Every report is younger than this."""

_LOCK = 0x5EED
_SEED = 1012


def seed_demo(settings: Settings, *, progress: Progress = silent, clock: Clock | None = None) -> bool:
    """Fill a migrated database with the demo; return False when it was there.

    Two fresh demos of one day differ only in keys, ids, receipts, references and passwords. When only the
    file of accounts is missing, everybody gets a new password and token.
    Raises `SettingsProblem` in production, `KeysUnusable` without keystore or master key.
    """
    if settings.environment is Environment.PRODUCTION:
        raise SettingsProblem(['the demo is refused in environment = "production"'])
    prepare_keystore(settings)
    with ExitStack() as opened:
        keystore = open_keys(settings)
        opened.callback(keystore.dispose)
        engine = make_engine(settings.database.url)
        opened.callback(engine.dispose)
        door = opened.enter_context(_one_transaction(engine))
        return _Seeding(settings, door, keystore, clock or SystemClock(), progress).run()


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


class _Seeding:
    """One run: organisations, people, reports day by day with their follow-up, figures, accounts."""

    def __init__(
        self, settings: Settings, door: OneTransaction, keystore: Keystore, clock: Clock, progress: Progress
    ) -> None:
        self._settings = settings
        self._door = door
        self._sessions = door.sessions()
        self._keystore = keystore
        self._audit = AuditLog(keystore.secret("audit"))
        self._clock = clock
        self._progress = progress

    def run(self) -> bool:
        is_new = not is_seeded(self._sessions)
        if is_new:
            self._fill()
        file = self._settings.data_folder / ACCOUNTS_FILE
        if is_new or not file.exists():
            hasher = PasswordHasherSettings(memory_kib=self._settings.sessions.password_memory_kib)
            with self._sessions.begin() as session:
                accounts = issue_accounts(self._operation(session, self._clock), hasher)
                self._link_audit(session)
            write_accounts(file, accounts)
        return is_new

    def _fill(self) -> None:
        on = today(self._clock)
        weeks = [self._morning_of(on - timedelta(weeks=back)) for back in range(_WEEKS, -1, -1)]
        with self._sessions.begin() as session:
            add_organisations(session)
            for week in weeks:
                provision_mailbox_keys(self._operation(session, week))
            add_people(self._operation(session, weeks[0]))
        self._teller(weeks[0]).tell(list(stories()), progress=self._progress)
        with self._sessions.begin() as session:
            add_facts(session, on=on)
        release_all(self._releasing(), self._clock, progress=self._progress)
        with self._sessions.begin() as session:
            settle_old_messages(session, self._clock)

    def _teller(self, past: FixedClock) -> StoryTeller:
        settings = self._settings
        return StoryTeller(
            sessions=self._sessions,
            intake=Intake(
                engine=self._door,
                router=Router(self._door, root_public_key=self._keystore.root_public_key()),
                front_secret=load_master_key(settings.front.secret_file),
                area_limit=AreaLimit(settings.limits.open_reports_per_area_and_day),
            ),
            arrival=ArrivalDesk(
                sessions=self._sessions,
                keystore=self._keystore,
                audit=self._audit,
                desk_url=f"{settings.server.public_url.rstrip('/')}/desk",
                delay_minutes=0,
                rng=random.Random(_SEED),  # noqa: S311 - the same demo every time
            ),
            keystore=self._keystore,
            audit=self._audit,
            clock=past,
            now=self._clock.now(),
        )

    def _releasing(self) -> Releasing:
        return Releasing(
            sessions=self._sessions,
            keys=self._keystore,
            locate=located_by(Router(self._door, root_public_key=None)),
            chance=random.Random(_SEED),  # noqa: S311 - as above
            remembers=False,  # a second demo starts without the ledger of the first
        )

    def _operation(self, session: Session, clock: Clock) -> Operation:
        return Operation(
            session=session, clock=clock, actor=SYSTEM, audit=self._audit, keystore=self._keystore
        )

    def _link_audit(self, session: Session) -> None:
        """Link entries with moments of the past now: a worker that links newer ones first skips them."""
        keys = TrailKeys(mac_key=self._keystore.secret("audit"), root=self._keystore.root_signing_key())
        while link_entries(session, self._clock, keys=keys):
            continue

    @staticmethod
    def _morning_of(day: date) -> FixedClock:
        return FixedClock(datetime.combine(day, time(8), AMSTERDAM).astimezone(UTC))
