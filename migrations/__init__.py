"""Numbered migrations of the database, run from Python: `upgrade`, `downgrade`, `differences`.

They run up and down with rows in place on SQLite and on PostgreSQL. `versions/HEAD` names the
newest, so that two migrations written side by side collide in git. Alembic is imported when it has
something to do: a start only looks whether it has, and the server keeps what is imported.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, MetaData, inspect
from sqlalchemy.exc import OperationalError

import notifications.models
import signals.models

if TYPE_CHECKING:
    from alembic.config import Config

TARGET: list[MetaData] = [signals.models.Base.metadata, notifications.models.Base.metadata]
ATTEMPTS = 60
PAUSE_SECONDS = 2
LOCK_NOT_AVAILABLE = "55P03"
_VERSIONS = Path(__file__).parent / "versions"


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to `revision`; one process at a time (a second one waits, then finds it done).

    Tries again for minutes while somebody uses a table that changes: in between the others go on.
    """
    from alembic import command

    for left in reversed(range(ATTEMPTS)):
        try:
            command.upgrade(_config(engine), revision)
            return
        except OperationalError as error:
            if not left or getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
        time.sleep(PAUSE_SECONDS)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the database back to `revision` (`base` is empty)."""
    from alembic import command

    command.downgrade(_config(engine), revision)


def current(connection: Connection) -> str | None:
    """Return the revision of the database; None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return found


def head() -> str:
    """Return the revision that this code needs."""
    return (_VERSIONS / "HEAD").read_text(encoding="ascii").strip()


def differences(connection: Connection) -> list[Any]:
    """Return where models and database differ, as alembic's directives."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    options = {"compare_type": True, "compare_server_default": True}
    context = MigrationContext.configure(connection, opts={**options, "target_metadata": TARGET})
    return list(compare_metadata(context, TARGET))  # type: ignore[arg-type]


def _config(engine: Engine) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["engine"] = engine
    return config
