"""Settings of a transaction, by which PostgreSQL decides on rows: their names become part of a statement."""

import pytest

from signals.db import make_engine, set_local


@pytest.mark.postgres
@pytest.mark.parametrize("name", ["staff', '', true), set_config('signals.staff", "two words", "1st", ""])
def test_an_unknown_name_of_a_setting_never_becomes_part_of_a_statement(postgres_url: str, name: str) -> None:
    engine = make_engine(postgres_url)
    with engine.connect() as connection, pytest.raises(ValueError, match="no name of a setting"):
        set_local(connection, **{name: "x"})
    engine.dispose()
