"""Numbered migrations of the database, run from Python: `upgrade`, `downgrade`, `differences`.

They run up and down with rows in place on SQLite and on PostgreSQL. `versions/HEAD` names the
newest, so that two migrations written side by side collide in git.
"""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData

import notifications.models
import signals.models

TARGET: list[MetaData] = [signals.models.Base.metadata, notifications.models.Base.metadata]


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to `revision`; one process at a time (a second one waits, then finds it done)."""
    command.upgrade(_config(engine), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the database back to `revision` (`base` is empty)."""
    command.downgrade(_config(engine), revision)


def current(connection: Connection) -> str | None:
    """The revision that the database is at; None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The revision that this code needs."""
    found = ScriptDirectory.from_config(_config(None)).get_current_head()
    assert found is not None
    return found


def differences(connection: Connection) -> list[Any]:
    """What models and database disagree on, as alembic's directives; empty when they agree."""
    options = {"compare_type": True, "compare_server_default": True}
    context = MigrationContext.configure(connection, opts={**options, "target_metadata": TARGET})
    return list(compare_metadata(context, TARGET))  # type: ignore[arg-type]


def _config(engine: Engine | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["engine"] = engine
    return config
