"""What a report costs the database: sealed bytes stored as they are, and no index of signals nobody has."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Sealed bytes do not compress: PostgreSQL would try with each of them. An envelope stays in its row, where it
# is written once and read once; the content of a signal lies outside of it, so that a queue reads small rows.
# Storage is no part of the models: both databases agree with them before and after this.
_SEALED = (("sealed_reports", "envelope"), ("signals", "content"), ("signals", "summary"))


def upgrade() -> None:
    _claimed_by(sa.text("claimed_by_id IS NOT NULL"))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE sealed_reports SET (toast_tuple_target = 4080)")
        for table, column in _SEALED:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def downgrade() -> None:
    _claimed_by(None)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE sealed_reports RESET (toast_tuple_target)")
        for table, column in _SEALED:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTENDED")


def _claimed_by(condition: sa.TextClause | None) -> None:
    op.drop_index("ix_signals_claimed_by", table_name="signals")
    op.create_index(
        "ix_signals_claimed_by",
        "signals",
        ["claimed_by_id", "due_on"],
        unique=False,
        sqlite_where=condition,
        postgresql_where=condition,
    )
