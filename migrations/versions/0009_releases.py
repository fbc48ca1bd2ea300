"""Figures: the counts of each quarter, the releases made of them, and what has been counted already."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MARKED = ("signals", "signal_facts")
_MARKS = ("intake_counted", "outcome_counted")
_FIXED = ("counted_tables", "releases", "released_tables")
_REFUSAL = "what was counted or released never changes"


def upgrade() -> None:
    for table in _MARKED:
        for mark in _MARKS:
            op.add_column(table, sa.Column(mark, sa.String(length=7), nullable=True))
    op.create_table(
        "counted_tables",
        sa.Column("quarter", sa.String(length=7), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("quarter", "name", name=op.f("pk_counted_tables")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "releases",
        sa.Column("period", sa.String(length=9), nullable=False),
        sa.Column("released_on", sa.Date(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("period", name=op.f("pk_releases")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "released_tables",
        sa.Column("period", sa.String(length=9), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("table_schema", sa.Text(), nullable=False),
        sa.Column("cells", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["period"], ["releases.period"], name=op.f("fk_released_tables_period_releases")
        ),
        sa.PrimaryKeyConstraint("period", "name", name=op.f("pk_released_tables")),
        sqlite_with_rowid=False,
    )
    _refuse_changes()


def downgrade() -> None:
    op.drop_table("released_tables")
    op.drop_table("releases")
    op.drop_table("counted_tables")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
    for table in reversed(_MARKED):
        for mark in reversed(_MARKS):
            op.drop_column(table, mark)


def _refuse_changes() -> None:
    """The database itself refuses a change, whoever asks for it."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
        )
        for table in _FIXED:
            op.execute(
                f"CREATE TRIGGER {table}_stay BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
        return
    for table in _FIXED:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_stay_{verb.lower()} BEFORE {verb} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
