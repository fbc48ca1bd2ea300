"""Drills, what providers call back, delivery figures, and how and when an organisation wants to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ADDED: tuple[tuple[str, str, sa.types.TypeEngine[object]], ...] = (
    ("organisations", "deputy_email", sa.String(length=254)),
    ("organisations", "quiet_from", sa.Integer()),
    ("organisations", "quiet_until", sa.Integer()),
    ("organisations", "working_days", sa.String(length=7)),
    ("organisations", "digest_at", sa.Integer()),
    ("recipients", "channel", sa.String(length=5)),
    ("recipients", "phone", sa.String(length=16)),
    ("recipients", "phone_verified_on", sa.Date()),
    ("outbox_messages", "reason", sa.String(length=40)),
)


def upgrade() -> None:
    for table, name, kind in _ADDED:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    op.create_table(
        "drills",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("missed_on", sa.Date(), nullable=True),
        sa.Column("suspended_from", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_drills_organisation_id_organisations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drills")),
        sa.UniqueConstraint("organisation_id", "sent_on", name=op.f("uq_drills_organisation_id_sent_on")),
    )
    op.create_table(
        "delivery_callbacks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("provider_message_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_callbacks")),
        sa.UniqueConstraint(
            "provider_message_id", "status", name=op.f("uq_delivery_callbacks_provider_message_id_status")
        ),
    )
    op.create_table(
        "delivery_figures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("problem", sa.String(length=40), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("oldest_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("latest_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_figures")),
    )


def downgrade() -> None:
    for table in ("delivery_figures", "delivery_callbacks", "drills"):
        op.drop_table(table)
    for table, name, _kind in reversed(_ADDED):
        op.drop_column(table, name)
