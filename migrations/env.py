"""Alembic's entry: one connection, one transaction, one migrating process at a time."""

from alembic import context
from sqlalchemy import Connection, Engine

from migrations import TARGET

LOCK = 0x5167_6E61  # any number that nothing else locks
config = context.config


def run() -> None:
    """Run the migrations that `migrations.upgrade` or `downgrade` asked for."""
    engine: Engine = config.attributes["engine"]
    if engine.dialect.name == "sqlite":
        _run_on_sqlite(engine)
    else:
        _run_on_postgresql(engine)


def _run_on_sqlite(engine: Engine) -> None:
    """Foreign keys off before the transaction: batch-altering a parent would delete its children."""
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                _migrate(connection)
                _refuse_broken_references(connection)
        finally:
            raw.execute("PRAGMA foreign_keys=ON")


def _refuse_broken_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise RuntimeError(f"a row of {broken[0]} would point at nothing; nothing was changed")


def _run_on_postgresql(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # another one migrates: wait for it
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        # A change that waits for a table holds up everybody behind it, and a front gives up after 3 s.
        connection.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
        _migrate(connection)


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=TARGET[0],  # for its naming convention, which all share
        render_as_batch=True,
        transaction_per_migration=False,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
