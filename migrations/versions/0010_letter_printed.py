"""When the letter of art. 14 AVG was printed, and an index by which the queue counts what came in."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("signals", sa.Column("letter_printed_on", sa.Date(), nullable=True))
    op.create_index("ix_signals_received_on", "signals", ["organisation_id", "received_on"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_signals_received_on", table_name="signals")
    op.drop_column("signals", "letter_printed_on")
