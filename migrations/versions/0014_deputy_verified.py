"""Since when a deputy's address is confirmed.

A deputy who was named before this release has confirmed nothing, and a date here would say that they had. So
each of them is asked by a link in the first minute after the upgrade, and counts once the button was pressed.
Until then a missed deadline goes from the lead to the national desk at once, as where nobody is deputy, and
the lead reads on the page of settings who has not confirmed. Nothing that was reported is lost by it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("organisations", sa.Column("deputy_verified_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("organisations", "deputy_verified_on")
