"""A team may lose its routing by a drill before the end that was planned; an answer gives that end back."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("drills", sa.Column("planned_end", sa.Date()))


def downgrade() -> None:
    op.drop_column("drills", "planned_end")
