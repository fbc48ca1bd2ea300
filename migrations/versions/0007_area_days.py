"""Days on which an organisation's limit of reports came near: told, and raised."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "area_days",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("told_percent", sa.Integer(), nullable=False),
        sa.Column("raises", sa.Integer(), nullable=False),
        sa.CheckConstraint("raises >= 0 AND raises <= 4", name=op.f("ck_area_days_raises_bounded")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_area_days_organisation_id_organisations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area_days")),
        sa.UniqueConstraint("organisation_id", "day", name=op.f("uq_area_days_organisation_id_day")),
    )


def downgrade() -> None:
    op.drop_table("area_days")
