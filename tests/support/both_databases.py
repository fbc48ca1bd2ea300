"""The mark of a test of `tests.attacks` whose `desk` is to be attacked on SQLite and on PostgreSQL."""

from typing import Final

import pytest

BOTH: Final = pytest.mark.parametrize(
    "attacked",
    [
        pytest.param("installation", id="sqlite"),
        pytest.param("postgres_installation", id="postgresql", marks=pytest.mark.postgres),
    ],
    indirect=True,
)
