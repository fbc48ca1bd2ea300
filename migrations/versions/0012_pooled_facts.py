"""A pool in which facts wait, sealed, until there are enough of them to be written at once."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pooled_facts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("quarter", sa.String(7), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pooled_facts"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("pooled_facts")
