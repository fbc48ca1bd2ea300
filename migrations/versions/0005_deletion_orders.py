"""Deletion orders: what a resident's erasure asks for and the worker carries out."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deletion_orders",
        sa.Column("signal_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "concluded",
                "unattended",
                "hard_limit",
                "erasure",
                "objection",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_deletion_orders")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("deletion_orders")
