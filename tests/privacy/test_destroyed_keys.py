"""A destroyed key leaves the files of PostgreSQL too, which keep a deleted row for a while."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import OperationalError

from privacy.keystore import Keystore
from privacy.keystore.errors import KeystoreNotOwned
from privacy.keystore_schema import case_keys, keystore_engine
from tests.support.keystores import KEYS, MASTER
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.postgres

GONE, KEPT = list(KEYS)[:2]


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    made = keystore_engine(postgres_url)
    yield made
    made.dispose()


@pytest.fixture
def keystore(engine: Engine) -> Keystore:
    made = Keystore(engine, MASTER)
    made.create_schema()
    made.store_case_keys(KEYS)
    return made


def test_a_rewrite_leaves_no_destroyed_key_in_the_data_files(
    keystore: Keystore, engine: Engine, postgres_server: PostgresServer
) -> None:
    with engine.connect() as connection:
        wrapped = {row.key_id: row.wrapped for row in connection.execute(select(case_keys))}
    keystore.destroy_case_keys([GONE])
    assert _files_with(wrapped[GONE], postgres_server), "PostgreSQL itself keeps it"
    assert keystore.rewrite() == 5
    assert _files_with(wrapped[GONE], postgres_server) == []
    assert _files_with(wrapped[KEPT], postgres_server)
    assert keystore.case_key(KEPT) == KEYS[KEPT]


def test_a_rewrite_gives_way_to_who_uses_a_table_and_keeps_no_limit(
    keystore: Keystore, engine: Engine
) -> None:
    with engine.begin() as other:
        other.execute(select(case_keys)).all()
        with pytest.raises(OperationalError, match="lock timeout"):
            keystore.rewrite()
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW lock_timeout")) == "30s"
    assert keystore.rewrite() == 5


def test_a_rewrite_by_a_role_that_does_not_own_the_tables_is_refused(
    keystore: Keystore, postgres_url: str
) -> None:
    stranger = keystore_engine(f"{postgres_url}&options=-c%20role%3Dpg_read_all_data")
    with pytest.raises(KeystoreNotOwned):
        Keystore(stranger, MASTER).rewrite()
    stranger.dispose()


def _files_with(value: bytes, server: PostgresServer) -> list[Path]:
    """Return the files of tables and indexes with these bytes, once everything was written to them."""
    server.execute("CHECKPOINT")
    files = (file for file in (server.data_folder / "base").rglob("*") if file.is_file())
    return [file for file in files if value in file.read_bytes()]
