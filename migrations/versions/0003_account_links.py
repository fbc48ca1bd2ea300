"""Links with which somebody sets up their account, and sign-in attempts counted by all processes together."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("staff_member_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("purpose IN ('invitation', 'recovery')", name=op.f("ck_account_links_purpose")),
        sa.ForeignKeyConstraint(
            ["staff_member_id"],
            ["staff_members.id"],
            name=op.f("fk_account_links_staff_member_id_staff_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_account_links_token_hash")),
    )
    op.create_index("ix_account_links_staff_member_id", "account_links", ["staff_member_id"], unique=False)
    op.create_table(
        "sign_in_guesses",
        sa.Column("bucket", sa.LargeBinary(length=32), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_sign_in_guesses")),
    )
    op.create_index("ix_sign_in_guesses_last_at", "sign_in_guesses", ["last_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_sign_in_guesses_last_at", table_name="sign_in_guesses")
    op.drop_table("sign_in_guesses")
    op.drop_index("ix_account_links_staff_member_id", table_name="account_links")
    op.drop_table("account_links")
