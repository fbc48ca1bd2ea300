"""A day agreed with the resident, the date of a Wmo notification, a team's own settings, and absences."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_DATES = (
    ("signals", "postponed_until"),
    ("signals", "wmo_notified_on"),
    ("contact_attempts", "postponed_until"),
)
_SETTINGS = (("opens_at", "9"), ("escalation_working_days", "1"), ("settings_version", "1"))


def upgrade() -> None:
    for table, name in _DATES:
        op.add_column(table, sa.Column(name, sa.Date(), nullable=True))
    for name, default in _SETTINGS:
        column = sa.Column(name, sa.Integer(), server_default=default, nullable=False)
        op.add_column("organisations", column)
    op.create_table(
        "absences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("staff_member_id", sa.Uuid(), nullable=False),
        sa.Column("away_from", sa.Date(), nullable=False),
        sa.Column("away_until", sa.Date(), nullable=False),
        sa.Column("cover_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("away_until >= away_from", name=op.f("ck_absences_dates_in_order")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_absences_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["staff_member_id"],
            ["staff_members.id"],
            name=op.f("fk_absences_staff_member_id_staff_members"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["cover_id"], ["staff_members.id"], name=op.f("fk_absences_cover_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_index("ix_absences_organisation_id", "absences", ["organisation_id", "away_until"])


def downgrade() -> None:
    op.drop_index("ix_absences_organisation_id", table_name="absences")
    op.drop_table("absences")
    for name, _default in reversed(_SETTINGS):
        op.drop_column("organisations", name)
    for table, name in reversed(_DATES):
        op.drop_column(table, name)
