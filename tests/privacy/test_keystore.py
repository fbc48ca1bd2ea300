"""The keystore on a SQLite file: keys made once, bound to their row, destroyed for good, rewrapped."""

import stat
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import pytest
from sqlalchemy import Engine, Table, select, update
from sqlalchemy.exc import IntegrityError

from privacy.keystore import KeyGone, KeyRefused, Keystore, KeystoreEmpty, WrongMasterKey
from privacy.keystore_schema import case_keys, keystore_engine, mailbox_keys, pseudonym_keys, secrets_table
from privacy.sealing import summary_key
from tests.support.keystores import AMSTERDAM, GRONINGEN, KEYS, MASTER, NEW_MASTER, Opener


def test_a_server_that_does_not_answer_is_said_to_be_away_within_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And no connection is used for so long that a network between has forgotten it."""
    connect = Mock(side_effect=ConnectionError)
    monkeypatch.setattr("privacy.postgresql._Listening.connect", connect)
    engine = keystore_engine("postgresql+psycopg://signals_keys@keys.example/signals_keys")
    with pytest.raises(ConnectionError):
        engine.connect()
    assert connect.call_args.kwargs["connect_timeout"] <= 5
    assert engine.pool._recycle == 1800


@pytest.fixture
def engine(keystore: Keystore, url: str) -> Iterator[Engine]:
    """Return the rows underneath, as an attacker with the file changes them."""
    engine = keystore_engine(url)
    yield engine
    engine.dispose()


def swap_wrapped(engine: Engine, table: Table, rows: Callable[[Any], Any]) -> None:
    with engine.begin() as connection:
        first, second = connection.execute(select(table).order_by(*table.primary_key.columns)).all()
        for row, wrapped in ((first, second.wrapped), (second, first.wrapped)):
            column = rows(table.c)
            connection.execute(
                update(table).where(column == row._mapping[column.name]).values(wrapped=wrapped)
            )


class TestFile:
    def test_only_its_owner_may_read_it(self, keystore: Keystore, tmp_path: Path) -> None:
        files = list((tmp_path / "keys").iterdir())
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert {file.name for file in files} >= {"keystore.db", "keystore.db-wal"}

    def test_a_file_that_others_could_read_is_closed_to_them(
        self, keystore: Keystore, another: Opener, tmp_path: Path
    ) -> None:
        path = tmp_path / "keys" / "keystore.db"
        path.chmod(0o644)
        another(MASTER).ping()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    @pytest.mark.parametrize(
        ("pragma", "value"), [("secure_delete", 1), ("journal_mode", "wal"), ("synchronous", 2)]
    )
    def test_it_writes_durably_and_deletes_for_good(self, engine: Engine, pragma: str, value: object) -> None:
        with engine.connect() as connection:
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value

    def test_no_key_lies_readable_in_it(self, keystore: Keystore, tmp_path: Path) -> None:
        keystore.store_case_keys(KEYS)
        pseudonym_key = keystore.pseudonym_key(AMSTERDAM, "2026-Q4")
        mailbox = keystore.make_mailbox_key(AMSTERDAM, date(2026, 10, 5))
        private_key = keystore.mailbox_private_keys([mailbox.key_id])[mailbox.key_id]
        stored = b"".join(file.read_bytes() for file in (tmp_path / "keys").iterdir())
        assert mailbox.public_key in stored
        assert not [key for key in (*KEYS.values(), pseudonym_key, private_key) if key in stored]

    @pytest.mark.parametrize(
        "end",
        [lambda keystore: keystore.destroy_case_keys(KEYS), lambda keystore: keystore.rewrap(NEW_MASTER)],
        ids=["destroyed", "wrapped anew"],
    )
    def test_nothing_wrapped_stays_in_it_once_its_time_is_over(
        self, keystore: Keystore, engine: Engine, tmp_path: Path, end: Callable[[Keystore], object]
    ) -> None:
        keystore.store_case_keys(KEYS)
        with engine.connect() as connection:
            wrapped = list(connection.scalars(select(case_keys.c.wrapped)))
        end(keystore)
        stored = b"".join(file.read_bytes() for file in (tmp_path / "keys").iterdir())
        assert len(wrapped) == len(KEYS)
        assert not [value for value in wrapped if value in stored]

    def test_errors_do_not_quote_values(self, keystore: Keystore) -> None:
        keystore.store_case_keys(KEYS)
        with pytest.raises(IntegrityError, match="hidden"):
            keystore.store_case_keys(KEYS)


class TestMasterKey:
    def test_another_one_is_told_apart(self, keystore: Keystore, another: Opener) -> None:
        keystore.ping()
        with pytest.raises(WrongMasterKey):
            another(NEW_MASTER).ping()

    def test_another_one_cannot_write(self, keystore: Keystore, another: Opener) -> None:
        with pytest.raises(WrongMasterKey):
            another(NEW_MASTER).store_case_keys(KEYS)
        assert keystore.counts()["case_keys"] == 0

    def test_another_one_reads_nothing(self, keystore: Keystore, another: Opener) -> None:
        keystore.store_case_keys(KEYS)
        with pytest.raises(WrongMasterKey):
            another(NEW_MASTER).case_keys(KEYS)

    @pytest.mark.parametrize("lost", ["DELETE FROM master_versions", "DROP TABLE master_versions"])
    def test_a_store_that_was_never_made_is_told_from_one_of_another_key(
        self, keystore: Keystore, engine: Engine, lost: str
    ) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(lost)
        with pytest.raises(KeystoreEmpty):
            keystore.ping()


class TestRewrap:
    def test_everything_opens_under_the_new_master(self, keystore: Keystore, another: Opener) -> None:
        keystore.store_case_keys(KEYS)
        mailbox = keystore.make_mailbox_key(AMSTERDAM, date(2026, 10, 5))
        private_keys = keystore.mailbox_private_keys([mailbox.key_id])
        pseudonym_key = keystore.pseudonym_key(AMSTERDAM, "2026-Q4")
        secret, root = keystore.secret("audit-mac"), keystore.root_public_key()
        assert keystore.rewrap(NEW_MASTER) == 2 * len(KEYS) + 4
        renewed = another(NEW_MASTER)
        renewed.ping()
        assert renewed.case_keys(KEYS) == KEYS
        assert renewed.summary_keys(KEYS) == {one: summary_key(key) for one, key in KEYS.items()}
        assert renewed.mailbox_private_keys([mailbox.key_id]) == private_keys
        assert renewed.pseudonym_key(AMSTERDAM, "2026-Q4") == pseudonym_key
        assert (renewed.secret("audit-mac"), renewed.root_public_key()) == (secret, root)

    def test_the_old_master_opens_nothing_any_more(self, keystore: Keystore, another: Opener) -> None:
        keystore.store_case_keys(KEYS)
        keystore.rewrap(NEW_MASTER)
        old = another(MASTER)
        with pytest.raises(WrongMasterKey):
            old.ping()
        with pytest.raises(WrongMasterKey):
            old.case_keys(KEYS)
        with pytest.raises(WrongMasterKey):
            old.root_public_key()

    def test_a_process_with_the_old_master_can_no_longer_write(
        self, keystore: Keystore, another: Opener
    ) -> None:
        late = another(MASTER)
        late.ping()
        keystore.rewrap(NEW_MASTER)
        with pytest.raises(WrongMasterKey):
            late.store_case_keys(KEYS)

    def test_one_damaged_row_stays_as_it_is_and_holds_up_no_other(
        self, keystore: Keystore, engine: Engine
    ) -> None:
        keystore.store_case_keys(KEYS)
        with engine.begin() as connection:
            connection.execute(
                update(case_keys).where(case_keys.c.key_id == UUID(int=12)).values(wrapped=b"x")
            )
        assert keystore.rewrap(NEW_MASTER) == 2 * len(KEYS)
        keystore.ping()
        assert keystore.case_keys(KEYS) == {one: key for one, key in KEYS.items() if one != UUID(int=12)}


class TestExchangedRows:
    def test_case_keys_are_refused(self, keystore: Keystore, engine: Engine) -> None:
        keystore.store_case_keys({UUID(int=10): bytes(32), UUID(int=11): bytes(32)})
        swap_wrapped(engine, case_keys, lambda c: c.key_id)
        with pytest.raises(KeyGone):
            keystore.case_key(UUID(int=10))

    def test_mailbox_keys_are_refused(self, keystore: Keystore, engine: Engine) -> None:
        keys = keystore.make_mailbox_keys([(AMSTERDAM, date(2026, 10, 5)), (GRONINGEN, date(2026, 10, 5))])
        swap_wrapped(engine, mailbox_keys, lambda c: c.key_id)
        assert keystore.mailbox_private_keys([keys[0].key_id]) == {}

    def test_pseudonym_keys_are_refused(self, keystore: Keystore, engine: Engine, another: Opener) -> None:
        keystore.pseudonym_keys_for([(AMSTERDAM, "2026-Q4"), (GRONINGEN, "2026-Q4")])
        swap_wrapped(engine, pseudonym_keys, lambda c: c.organisation_id)
        assert another(MASTER).pseudonym_keys_for([(AMSTERDAM, "2026-Q4")]) == {}

    def test_secrets_are_refused(self, keystore: Keystore, engine: Engine, another: Opener) -> None:
        keystore.secret("audit-mac")
        swap_wrapped(engine, secrets_table, lambda c: c.name)
        with pytest.raises(KeyRefused):
            another(MASTER).secret("audit-mac")
