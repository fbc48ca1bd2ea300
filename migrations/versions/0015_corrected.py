"""The address that a recipient had before it was corrected, and what has become of that of a dead letter."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recipients", sa.Column("former_address", sa.String(length=254), nullable=True))
    op.add_column("recipients", sa.Column("former_phone", sa.String(length=16), nullable=True))
    standing = sa.Column("standing", sa.String(length=10), server_default="same", nullable=False)
    op.add_column("posted_letters", standing)


def downgrade() -> None:
    op.drop_column("posted_letters", "standing")
    op.drop_column("recipients", "former_phone")
    op.drop_column("recipients", "former_address")
