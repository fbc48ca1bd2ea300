"""Several servers, of which one writes, and a primary that became read-only: each finds the writer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError

from privacy.keystore import open_keystore
from signals.db import make_engine
from signals.operations.libpq import libpq, run_libpq
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.postgres


@pytest.fixture
def one_of_two(postgres_url: str, tmp_path: Path) -> str:
    """Return a url with a server that is not there before the one that is."""
    parsed = make_url(postgres_url)
    hosts = (f"{tmp_path}/away:5432", f"{parsed.query['host']}:5432")
    both = parsed.set(query={"host": hosts, "target_session_attrs": "read-write"})
    return both.render_as_string(hide_password=False)


@pytest.fixture
def engine(one_of_two: str) -> Iterator[Engine]:
    made = make_engine(one_of_two, pool_size=1)
    yield made
    made.dispose()


def _make_table(engine: Engine, name: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {name} (id integer)"))


def test_the_database_is_found_on_the_server_that_is_there(engine: Engine) -> None:
    _make_table(engine, "found")


def test_the_keystore_is_found_on_the_server_that_is_there(one_of_two: str) -> None:
    keystore = open_keystore(one_of_two, bytes(32))
    keystore.create_schema()
    keystore.ping()
    keystore.dispose()


def test_a_program_of_postgresql_finds_it_too(
    one_of_two: str, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(postgres_server.programs), prepend=":")
    run_libpq("psql", one_of_two, "--command=SELECT 1", "--output=/dev/null")


def test_a_program_gets_name_and_port_of_the_one_server_that_is_left() -> None:
    address, _ = libpq("postgresql+psycopg://u@/d?host=db1.example.org:5433&target_session_attrs=read-write")
    named = conninfo_to_dict(address)
    assert (named["host"], named["port"]) == ("db1.example.org", "5433")


def test_a_pool_leaves_a_primary_that_became_read_only(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("SET default_transaction_read_only = on"))
    with pytest.raises(DBAPIError) as refused:
        _make_table(engine, "refused")
    assert refused.value.connection_invalidated
    _make_table(engine, "taken")
