"""The keystore on a SQLite file: keys made once, bound to their row, destroyed for good, rewrapped."""

import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, Table, event, select, update
from sqlalchemy.exc import IntegrityError

from privacy.keystore import KeyGone, KeyRefused, Keystore, KeystoreEmpty, WrongMasterKey, open_keystore
from privacy.keystore_schema import (
    case_keys,
    keystore_engine,
    mailbox_keys,
    pseudonym_keys,
    secrets_table,
)
from privacy.sealing import PublicKeyRefused, summary_key, verify_public_key

MASTER, NEW_MASTER = bytes(range(32)), bytes(range(32, 64))
AMSTERDAM, GRONINGEN, HAREN = UUID(int=1), UUID(int=2), UUID(int=3)
Opener = Callable[[bytes], Keystore]
KEYS = {UUID(int=number): bytes([number]) * 32 for number in range(10, 15)}


def test_a_server_that_does_not_answer_is_said_to_be_away_within_seconds() -> None:
    """And no connection is used for so long that a network between has forgotten it."""

    class AskedToConnect(Exception):
        pass

    asked: dict[str, Any] = {}

    def connecting(_dialect: object, _record: object, _args: object, options: dict[str, Any]) -> None:
        asked.update(options)
        raise AskedToConnect

    engine = keystore_engine("postgresql+psycopg://signals_keys@keys.example/signals_keys")
    event.listen(engine, "do_connect", connecting)
    with pytest.raises(AskedToConnect):
        engine.connect()
    assert asked["connect_timeout"] <= 5
    assert engine.pool._recycle == 1800


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/keys/keystore.db"


@pytest.fixture
def another(url: str) -> Iterator[Opener]:
    """Return a function that opens the keystore under a master key, as another process does."""
    with ExitStack() as opened:

        def open_one(master: bytes) -> Keystore:
            store = open_keystore(url, master)
            opened.callback(store.dispose)
            return store

        yield open_one


@pytest.fixture
def keystore(another: Opener) -> Keystore:
    store = another(MASTER)
    store.create_schema()
    store.ensure_root()
    return store


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

    def test_nothing_of_a_destroyed_key_stays_in_it(
        self, keystore: Keystore, engine: Engine, tmp_path: Path
    ) -> None:
        keystore.store_case_keys(KEYS)
        with engine.connect() as connection:
            wrapped = list(connection.scalars(select(case_keys.c.wrapped)))
        keystore.destroy_case_keys(KEYS)
        stored = b"".join(file.read_bytes() for file in (tmp_path / "keys").iterdir())
        assert len(wrapped) == len(KEYS)
        assert not [value for value in wrapped if value in stored]

    def test_errors_do_not_quote_values(self, keystore: Keystore) -> None:
        keystore.store_case_keys(KEYS)
        with pytest.raises(IntegrityError, match="hidden"):
            keystore.store_case_keys(KEYS)


class TestMasterKey:
    def test_it_has_32_bytes(self, another: Opener) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            another(b"short")

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
        with pytest.raises(KeyRefused):
            another(NEW_MASTER).case_keys(KEYS)

    @pytest.mark.parametrize("lost", ["DELETE FROM master_versions", "DROP TABLE master_versions"])
    def test_a_store_that_was_never_made_is_told_from_one_of_another_key(
        self, keystore: Keystore, engine: Engine, lost: str
    ) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(lost)
        with pytest.raises(KeystoreEmpty):
            keystore.ping()

    def test_making_the_schema_twice_changes_nothing(self, keystore: Keystore) -> None:
        root = keystore.root_public_key()
        keystore.create_schema()
        keystore.ensure_root()
        assert keystore.root_public_key() == root


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
        with pytest.raises(KeyRefused):
            old.case_keys(KEYS)
        with pytest.raises(KeyRefused):
            old.root_public_key()

    def test_nothing_wrapped_under_the_old_master_stays_in_the_file(
        self, keystore: Keystore, engine: Engine, tmp_path: Path
    ) -> None:
        keystore.store_case_keys(KEYS)
        with engine.connect() as connection:
            wrapped = list(connection.scalars(select(case_keys.c.wrapped)))
        keystore.rewrap(NEW_MASTER)
        stored = b"".join(file.read_bytes() for file in (tmp_path / "keys").iterdir())
        assert not [value for value in wrapped if value in stored]

    def test_the_store_that_rotated_goes_on_working(self, keystore: Keystore) -> None:
        keystore.rewrap(NEW_MASTER)
        keystore.store_case_keys(KEYS)
        assert keystore.case_keys(KEYS) == KEYS

    def test_a_process_with_the_old_master_can_no_longer_write(
        self, keystore: Keystore, another: Opener
    ) -> None:
        late = another(MASTER)
        late.ping()
        keystore.rewrap(NEW_MASTER)
        with pytest.raises(WrongMasterKey):
            late.store_case_keys(KEYS)

    def test_one_damaged_row_leaves_all_under_the_old_master(
        self, keystore: Keystore, engine: Engine
    ) -> None:
        keystore.store_case_keys(KEYS)
        with engine.begin() as connection:
            connection.execute(
                update(case_keys).where(case_keys.c.key_id == UUID(int=12)).values(wrapped=b"x")
            )
        with pytest.raises(KeyRefused):
            keystore.rewrap(NEW_MASTER)
        keystore.ping()
        assert keystore.case_key(UUID(int=10)) == KEYS[UUID(int=10)]


class TestExchangedRows:
    def test_case_keys_are_refused(self, keystore: Keystore, engine: Engine) -> None:
        keystore.store_case_keys({UUID(int=10): bytes(32), UUID(int=11): bytes(32)})
        swap_wrapped(engine, case_keys, lambda c: c.key_id)
        with pytest.raises(KeyRefused):
            keystore.case_key(UUID(int=10))

    def test_mailbox_keys_are_refused(self, keystore: Keystore, engine: Engine) -> None:
        keys = keystore.make_mailbox_keys([(AMSTERDAM, date(2026, 10, 5)), (GRONINGEN, date(2026, 10, 5))])
        swap_wrapped(engine, mailbox_keys, lambda c: c.key_id)
        with pytest.raises(KeyRefused):
            keystore.mailbox_private_keys([keys[0].key_id])

    def test_pseudonym_keys_are_refused(self, keystore: Keystore, engine: Engine, another: Opener) -> None:
        keystore.pseudonym_keys_for([(AMSTERDAM, "2026-Q4"), (GRONINGEN, "2026-Q4")])
        swap_wrapped(engine, pseudonym_keys, lambda c: c.organisation_id)
        with pytest.raises(KeyRefused):
            another(MASTER).pseudonym_key(AMSTERDAM, "2026-Q4")

    def test_secrets_are_refused(self, keystore: Keystore, engine: Engine, another: Opener) -> None:
        keystore.secret("audit-mac")
        swap_wrapped(engine, secrets_table, lambda c: c.name)
        with pytest.raises(KeyRefused):
            another(MASTER).secret("audit-mac")


class TestMailboxKeys:
    def test_one_is_signed_by_the_root(self, keystore: Keystore) -> None:
        key = keystore.make_mailbox_key(AMSTERDAM, date(2026, 10, 5))
        verify_public_key(
            keystore.root_public_key(),
            key_id=key.key_id,
            organisation_id=AMSTERDAM,
            week=date(2026, 10, 5),
            public_key=key.public_key,
            signature=key.signature,
        )
        with pytest.raises(PublicKeyRefused):
            verify_public_key(
                keystore.root_public_key(),
                key_id=key.key_id,
                organisation_id=GRONINGEN,
                week=date(2026, 10, 5),
                public_key=key.public_key,
                signature=key.signature,
            )

    def test_the_same_week_gives_the_same_key(self, keystore: Keystore) -> None:
        monday = keystore.make_mailbox_key(AMSTERDAM, date(2026, 10, 5))
        sunday = keystore.make_mailbox_key(AMSTERDAM, date(2026, 10, 11))
        assert monday == sunday
        assert monday.week == date(2026, 10, 5)

    def test_many_come_in_the_order_of_the_pairs(self, keystore: Keystore) -> None:
        existing = keystore.make_mailbox_key(GRONINGEN, date(2026, 10, 12))
        pairs = [
            (GRONINGEN, date(2026, 10, 12)),
            (AMSTERDAM, date(2026, 10, 5)),
            (AMSTERDAM, date(2026, 10, 12)),
        ]
        keys = keystore.make_mailbox_keys(pairs)
        assert [(key.organisation_id, key.week) for key in keys] == pairs
        assert keys[0] == existing
        assert len(keystore.list_mailbox_keys()) == 3

    def test_two_at_once_make_one(self, keystore: Keystore, another: Opener) -> None:
        stores = [another(MASTER) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda store: store.make_mailbox_key(AMSTERDAM, date(2026, 10, 5)), stores))
        assert set(made) == set(keystore.list_mailbox_keys())
        assert len(keystore.list_mailbox_keys()) == 1

    def test_a_destroyed_one_is_left_out(self, keystore: Keystore) -> None:
        key = keystore.make_mailbox_key(AMSTERDAM, date(2026, 10, 5))
        assert keystore.destroy_mailbox_keys([key.key_id]) == 1
        assert keystore.mailbox_private_keys([key.key_id]) == {}
        assert keystore.list_mailbox_keys() == []

    def test_without_a_root_there_are_none(self, another: Opener) -> None:
        store = another(MASTER)
        store.create_schema()
        with pytest.raises(KeyGone):
            store.make_mailbox_key(AMSTERDAM, date(2026, 10, 5))


class TestCaseKeys:
    def test_many_are_stored_at_once_and_found(self, keystore: Keystore) -> None:
        keystore.store_case_keys(KEYS)
        assert keystore.case_keys([*KEYS, UUID(int=99)]) == KEYS
        assert keystore.case_key(UUID(int=10)) == KEYS[UUID(int=10)]

    def test_none_are_stored_from_nothing(self, keystore: Keystore) -> None:
        keystore.store_case_keys({})
        assert keystore.counts()["case_keys"] == 0

    def test_an_id_that_exists_stores_none_of_the_batch(self, keystore: Keystore) -> None:
        keystore.store_case_keys({UUID(int=12): bytes(32)})
        with pytest.raises(IntegrityError):
            keystore.store_case_keys(KEYS)
        assert list(keystore.case_key_ids()) == [UUID(int=12)]

    def test_a_destroyed_one_is_gone(self, keystore: Keystore) -> None:
        keystore.store_case_keys(KEYS)
        assert keystore.destroy_case_keys([UUID(int=10), UUID(int=99)]) == 1
        with pytest.raises(KeyGone):
            keystore.case_key(UUID(int=10))

    def test_destroying_none_is_allowed(self, keystore: Keystore) -> None:
        assert keystore.destroy_case_keys([]) == 0

    def test_the_sweep_sees_those_made_before_a_date(self, keystore: Keystore) -> None:
        keystore.store_case_keys({UUID(int=1): bytes(32)}, created_on=date(2026, 10, 1))
        keystore.store_case_keys({UUID(int=2): bytes(32)}, created_on=date(2026, 10, 2))
        assert list(keystore.case_key_ids(date(2026, 10, 2))) == [UUID(int=1)]
        assert list(keystore.case_key_ids()) == [UUID(int=1), UUID(int=2)]

    def test_the_sweep_goes_on_over_many_pages_while_it_destroys(
        self, keystore: Keystore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("privacy.keystore.cases.CHUNK", 2)
        keystore.store_case_keys(KEYS)
        seen = []
        for key_id in keystore.case_key_ids():
            seen.append(key_id)
            keystore.destroy_case_keys([key_id])
        assert seen == list(KEYS)
        assert keystore.counts()["case_keys"] == 0


class TestPseudonymKeys:
    def test_each_organisation_and_quarter_has_its_own(self, keystore: Keystore) -> None:
        pairs = [(AMSTERDAM, "2026-Q3"), (AMSTERDAM, "2026-Q4"), (GRONINGEN, "2026-Q4")]
        keys = keystore.pseudonym_keys_for(pairs)
        assert set(keys) == set(pairs)
        assert len({bytes(key) for key in keys.values()}) == 3

    def test_it_stays_the_same(self, keystore: Keystore, another: Opener) -> None:
        key = keystore.pseudonym_key(AMSTERDAM, "2026-Q4")
        assert len(key) == 32
        assert keystore.pseudonym_key(AMSTERDAM, "2026-Q4") == key
        assert another(MASTER).pseudonym_key(AMSTERDAM, "2026-Q4") == key

    def test_two_at_once_make_one(self, keystore: Keystore, another: Opener) -> None:
        stores = [another(MASTER) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda store: store.pseudonym_key(AMSTERDAM, "2026-Q4"), stores))
        assert len(set(made)) == 1
        assert keystore.counts()["pseudonym_keys"] == 1

    def test_asking_for_existing_ones_makes_none(self, keystore: Keystore) -> None:
        key = keystore.pseudonym_key(AMSTERDAM, "2026-Q4")
        assert keystore.pseudonym_keys(AMSTERDAM, ["2026-Q4", "2026-Q3"]) == {"2026-Q4": key}
        assert keystore.matching_keys([(AMSTERDAM, "2026-Q3")]) == {(AMSTERDAM, "2026-Q3"): ()}
        assert keystore.counts()["pseudonym_keys"] == 1

    def test_one_made_elsewhere_is_seen_at_once(self, keystore: Keystore, another: Opener) -> None:
        keystore.matching_keys([(AMSTERDAM, "2026-Q4")])
        key = another(MASTER).pseudonym_key(AMSTERDAM, "2026-Q4")
        assert keystore.matching_keys([(AMSTERDAM, "2026-Q4")])[AMSTERDAM, "2026-Q4"] == (key,)

    def test_the_keystore_destroys_pseudonym_keys_of_old_quarters(self, keystore: Keystore) -> None:
        old = keystore.pseudonym_key(AMSTERDAM, "2025-Q3")
        kept = keystore.pseudonym_key(AMSTERDAM, "2025-Q4")
        assert keystore.destroy_pseudonym_keys("2025-Q4") == 1
        assert keystore.pseudonym_keys(AMSTERDAM, ["2025-Q3", "2025-Q4"]) == {"2025-Q4": kept}
        assert keystore.pseudonym_key(AMSTERDAM, "2025-Q3") != old

    def test_a_successor_matches_under_its_own_key_first_and_the_adopted_one(
        self, keystore: Keystore
    ) -> None:
        haren = keystore.pseudonym_key(HAREN, "2026-Q4")
        groningen = keystore.pseudonym_key(GRONINGEN, "2026-Q4")
        assert keystore.adopt_pseudonym_keys(HAREN, GRONINGEN) == 1
        pair = (GRONINGEN, "2026-Q4")
        assert keystore.matching_keys([pair]) == {pair: (groningen, haren)}
        assert keystore.pseudonym_key(GRONINGEN, "2026-Q4") == groningen
        assert keystore.pseudonym_keys(HAREN, ["2026-Q4"]) == {}

    def test_an_adopted_key_is_never_used_for_new_pseudonyms(self, keystore: Keystore) -> None:
        haren = keystore.pseudonym_key(HAREN, "2026-Q4")
        keystore.adopt_pseudonym_keys(HAREN, GRONINGEN)
        assert keystore.pseudonym_key(GRONINGEN, "2026-Q4") != haren

    def test_adopted_keys_are_handed_on_in_the_next_merger(self, keystore: Keystore) -> None:
        haren = keystore.pseudonym_key(HAREN, "2026-Q4")
        keystore.adopt_pseudonym_keys(HAREN, GRONINGEN)
        keystore.adopt_pseudonym_keys(GRONINGEN, AMSTERDAM)
        assert keystore.matching_keys([(AMSTERDAM, "2026-Q4")])[AMSTERDAM, "2026-Q4"] == (haren,)

    def test_adopting_from_one_without_keys_changes_nothing(self, keystore: Keystore) -> None:
        assert keystore.adopt_pseudonym_keys(HAREN, GRONINGEN) == 0

    def test_the_cache_forgets_a_key_that_another_process_destroyed_after_a_minute(
        self, keystore: Keystore, another: Opener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [1000.0]
        monkeypatch.setattr("privacy.keystore.pseudonym_keys.time.monotonic", lambda: now[0])
        key = keystore.pseudonym_key(AMSTERDAM, "2025-Q3")
        another(MASTER).destroy_pseudonym_keys("2025-Q4")
        now[0] += 59
        assert keystore.pseudonym_keys(AMSTERDAM, ["2025-Q3"]) == {"2025-Q3": key}
        now[0] += 2
        assert keystore.pseudonym_keys(AMSTERDAM, ["2025-Q3"]) == {}


class TestSecrets:
    def test_a_name_always_gives_the_same_32_bytes(self, keystore: Keystore, another: Opener) -> None:
        secret = keystore.secret("audit-mac")
        assert len(secret) == 32
        assert another(MASTER).secret("audit-mac") == secret
        assert keystore.secret("totp_seal") != secret

    def test_two_at_once_make_one(self, keystore: Keystore, another: Opener) -> None:
        stores = [another(MASTER) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(lambda store: store.secret("audit-mac"), stores))) == 1

    @pytest.mark.parametrize("name", ["", "root/ed25519", "Audit", "a b", "a" * 65])
    def test_no_other_name_is_taken(self, keystore: Keystore, name: str) -> None:
        with pytest.raises(ValueError, match="name"):
            keystore.secret(name)

    def test_the_root_is_made_once(self, keystore: Keystore, another: Opener) -> None:
        other = another(MASTER)
        other.ensure_root()
        assert other.root_public_key() == keystore.root_public_key()
        assert keystore.root_signing_key().public_key().public_bytes_raw() == keystore.root_public_key()

    def test_counts_are_of_rows(self, keystore: Keystore) -> None:
        keystore.store_case_keys(KEYS)
        assert keystore.counts() == {
            "case_keys": 5,
            "mailbox_keys": 0,
            "master_versions": 1,
            "pseudonym_keys": 0,
            "secrets": 1,
        }
