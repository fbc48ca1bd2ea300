"""A request states what it asks: an account, a reset, a role, or to shut an account."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_FORMER = sa.String(length=10)
_ACTION = sa.Enum(
    "grant", "reset", "role", "disable", name="action", native_enum=False, create_constraint=False, length=40
)
_OF_A_LEAD = (
    "action = 'grant' AND asked_by_id IN (SELECT id FROM staff_members WHERE organisation_id IS NOT NULL)"
)


def upgrade() -> None:
    with op.batch_alter_table("approvals") as approvals:
        approvals.drop_constraint("action", type_="check")
        approvals.alter_column("action", existing_type=_FORMER, type_=_ACTION, existing_nullable=False)
    op.execute(f"UPDATE approvals SET action = 'disable' WHERE role IS NULL AND {_OF_A_LEAD}")  # noqa: S608
    op.execute(f"UPDATE approvals SET action = 'role' WHERE {_OF_A_LEAD}")  # noqa: S608
    with op.batch_alter_table("approvals") as approvals:
        approvals.create_check_constraint("action", "action IN ('grant', 'reset', 'role', 'disable')")


def downgrade() -> None:
    with op.batch_alter_table("approvals") as approvals:
        approvals.drop_constraint("action", type_="check")
    op.execute("UPDATE approvals SET action = 'grant' WHERE action IN ('role', 'disable')")
    with op.batch_alter_table("approvals") as approvals:
        approvals.alter_column("action", existing_type=_ACTION, type_=_FORMER, existing_nullable=False)
        approvals.create_check_constraint("action", "action IN ('grant', 'reset')")
