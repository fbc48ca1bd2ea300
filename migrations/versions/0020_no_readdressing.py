"""A dead letter goes to its own address or nowhere: recipients keep no former address."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("recipients", "former_phone")
    op.drop_column("recipients", "former_address")


def downgrade() -> None:
    op.add_column("recipients", sa.Column("former_address", sa.String(length=254), nullable=True))
    op.add_column("recipients", sa.Column("former_phone", sa.String(length=16), nullable=True))
