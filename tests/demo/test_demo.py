"""The demo is complete, the same every time, and all there or not at all."""

import json
import shutil
import stat
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from privacy.keystore import Keystore, open_keystore
from privacy.passwords import verify_password
from privacy.secret_files import load_master_key
from signals.clock import FixedClock, today
from signals.db import make_engine
from signals.demo import ACCOUNTS_FILE, seed_demo
from signals.demo.organisations import organisation_id
from signals.errors import SettingsProblem
from signals.intake.content import open_report
from signals.models import Organisation, OrganisationYear, Signal
from signals.operations.installation import migrate
from signals.settings import Settings
from signals.staff.identity import open_totp
from signals.staff.sessions import SessionKind, authenticate
from signals.statistics.publications import publications, read_table
from signals.vocabulary import OPEN_STATES, Action, Environment, SignalState
from tests.support.installation import install, opened, settings_in

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SUNDAY_NIGHT = datetime(2026, 11, 21, 23, 10, tzinfo=UTC)
"""Ten past midnight of a Sunday in Amsterdam."""

TOKENS: tuple[SessionKind, ...] = ("token",)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A demo that tests only look at."""
    return seeded(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def changeable(demo: Settings, tmp_path: Path) -> Settings:
    """A copy that a test may change."""
    shutil.copytree(demo.data_folder.parent, tmp_path, dirs_exist_ok=True)
    return settings_in(tmp_path)


def seeded(folder: Path, moment: datetime = NOW) -> Settings:
    install(folder)
    settings = settings_in(folder)
    assert seed_demo(settings, clock=FixedClock(moment))
    return settings


def keystore_of(settings: Settings) -> Keystore:
    return open_keystore(settings.keystore.url, load_master_key(settings.keystore.master_key_file))


def accounts_of(settings: Settings) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((settings.data_folder / ACCOUNTS_FILE).read_text())
    return found


def told(settings: Settings) -> list[tuple[Any, ...]]:
    """Everything that a demo tells, but for ids, references and keys."""
    keystore = keystore_of(settings)
    with opened(settings) as session:
        names = {one.id: one.name for one in session.scalars(select(Organisation))}
        query = select(Signal).options(
            selectinload(Signal.attempts), selectinload(Signal.history), selectinload(Signal.notes)
        )
        found = [
            (
                names[signal.organisation_id],
                signal.received_on,
                open_report(keystore, signal).canonical(),
                signal.repeat,
                [(change.action, change.at) for change in signal.history],
                [(attempt.kind, attempt.result, attempt.attempted_at) for attempt in signal.attempts],
                str(signal.outcome),
                signal.notified_on,
                len(signal.notes),
            )
            for signal in session.scalars(query)
        ]
    keystore.dispose()
    return sorted(found)


def test_some_forty_signals_are_in_every_state(demo: Settings) -> None:
    with opened(demo) as session:
        states = Counter(session.scalars(select(Signal.state)))
        reopened = [
            c for s in session.scalars(select(Signal)) for c in s.history if c.action is Action.REOPEN
        ]
        overdue = select(func.count()).where(
            Signal.due_on < NOW.date(), Signal.state != SignalState.CONCLUDED
        )
        counts = session.scalar(overdue), session.scalar(select(func.count()).where(Signal.repeat))
    assert 35 <= sum(states.values()) <= 45
    assert set(states) == OPEN_STATES | {SignalState.CONCLUDED}
    assert reopened
    assert all(count and count >= 3 for count in counts)


def test_a_team_of_the_demo_has_totals_of_its_own_years(demo: Settings) -> None:
    with opened(demo) as session:
        mine = OrganisationYear.organisation_id == organisation_id("amsterdam")
        found = session.scalars(select(OrganisationYear).where(mine).order_by(OrganisationYear.year)).all()
    assert [total.year for total in found] == ["2024", "2025"]
    assert all(0 < total.reached < total.concluded < total.received for total in found)


def test_the_file_of_accounts_is_its_owners_and_has_the_agreed_keys(demo: Settings) -> None:
    path = demo.data_folder / ACCOUNTS_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keys = ["organisation", "organisation_id", "role", "email", "password", "totp_secret", "token"]
    assert all(list(account) == keys for account in accounts_of(demo))


def test_every_account_works(demo: Settings) -> None:
    keystore, clock = keystore_of(demo), FixedClock(NOW)
    with opened(demo) as session:
        for account in accounts_of(demo):
            found = authenticate(session, clock, token=account["token"], kinds=TOKENS, idle_minutes=60)
            member = found.staff_member
            assert member.email == account["email"]
            assert verify_password(member.password_hash, account["password"])
            assert open_totp(keystore, member) == account["totp_secret"]
            assert str(member.organisation_id) == str(account["organisation_id"])
    keystore.dispose()


def test_no_address_can_be_read_on_disk(demo: Settings) -> None:
    files = [path for path in demo.data_folder.rglob("*") if path.is_file()]
    assert any(path.name == "signals.db" for path in files)
    for needle in (b"1012AB", b"9711AA", b"3811CB"):
        assert [path.name for path in files if needle in path.read_bytes()] == []


def test_a_second_time_changes_nothing(changeable: Settings) -> None:
    before, accounts = told(changeable), accounts_of(changeable)
    assert not seed_demo(changeable, clock=FixedClock(NOW))
    assert (told(changeable), accounts_of(changeable)) == (before, accounts)


def test_a_lost_file_of_accounts_is_replaced_and_the_old_tokens_end(changeable: Settings) -> None:
    lost = accounts_of(changeable)
    (changeable.data_folder / ACCOUNTS_FILE).unlink()
    assert not seed_demo(changeable, clock=FixedClock(NOW))
    assert [account["email"] for account in accounts_of(changeable)] == [account["email"] for account in lost]
    assert not {a["token"] for a in accounts_of(changeable)} & {a["token"] for a in lost}
    test_every_account_works(changeable)


def test_two_demos_of_one_day_tell_the_same(demo: Settings, tmp_path: Path) -> None:
    assert told(seeded(tmp_path)) == told(demo)


def test_killed_half_way_it_leaves_nothing_and_the_next_run_makes_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo: Settings
) -> None:
    install(tmp_path)
    settings = settings_in(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("signals.demo.telling._act", _killed)
        with pytest.raises(KeyboardInterrupt):
            seed_demo(settings, clock=FixedClock(NOW))
    with opened(settings) as session:
        assert [session.scalar(select(func.count(of))) for of in (Organisation.id, Signal.id)] == [0, 0]
    assert seed_demo(settings, clock=FixedClock(NOW))
    assert told(settings) == told(demo)


def _killed(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_nothing_lies_ahead_on_a_sunday_night(tmp_path: Path) -> None:
    settings = seeded(tmp_path, SUNDAY_NIGHT)
    with opened(settings) as session:
        signals = session.scalars(select(Signal).options(selectinload(Signal.history))).all()
        moments = [change.at for signal in signals for change in signal.history if change.at]
        assert max(moments) <= SUNDAY_NIGHT
        assert max(signal.received_on for signal in signals) == today(FixedClock(SUNDAY_NIGHT))


def test_it_is_refused_in_production(tmp_path: Path) -> None:
    settings = Settings(environment=Environment.PRODUCTION, data_folder=tmp_path)
    with pytest.raises(SettingsProblem, match="demo"):
        seed_demo(settings)


@pytest.mark.postgres
def test_on_postgresql_it_tells_the_same(demo: Settings, postgres_url: str, tmp_path: Path) -> None:
    install(tmp_path)
    config = tmp_path / "config.toml"
    config.write_text(config.read_text() + f'\n[database]\nurl = "{postgres_url}"\n')
    settings = settings_in(tmp_path)
    engine = make_engine(settings.database.url)
    migrate(engine)
    engine.dispose()
    assert seed_demo(settings, clock=FixedClock(NOW))
    assert told(settings) == told(demo)
    with opened(settings) as session, opened(demo) as other:
        assert [read_table(row) for row in publications(session)] == [
            read_table(row) for row in publications(other)
        ]
    assert not seed_demo(settings, clock=FixedClock(NOW))
