"""The privacy core: retention and what it leaves, referrals, residents' rights, passkeys, approvals."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deletion_records",
        sa.Column("signal_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("case_key_id", sa.Uuid(), nullable=False),
        sa.Column("deleted_on", sa.Date(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "concluded",
                "unattended",
                "hard_limit",
                "erasure",
                "objection",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("key_destroyed_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_deletion_records")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_deletion_records_organisation_day",
        "deletion_records",
        ["organisation_id", "deleted_on"],
        unique=False,
    )
    op.create_index("ix_deletion_records_reference", "deletion_records", ["reference"], unique=False)
    op.create_index(
        "ix_deletion_records_unconfirmed",
        "deletion_records",
        ["case_key_id"],
        unique=False,
        sqlite_where=sa.text("key_destroyed_on IS NULL"),
        postgresql_where=sa.text("key_destroyed_on IS NULL"),
    )
    op.create_table(
        "signal_facts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("region_code", sa.String(length=6), nullable=True),
        sa.Column("municipality_code", sa.String(length=6), nullable=True),
        sa.Column("received_quarter", sa.String(length=7), nullable=False),
        sa.Column("concluded_quarter", sa.String(length=7), nullable=True),
        sa.Column("concern_types", sa.String(length=200), nullable=False),
        sa.Column("hours_to_claim", sa.Integer(), nullable=True),
        sa.Column("hours_to_contact", sa.Integer(), nullable=True),
        sa.Column("claimed_in_time", sa.Boolean(), nullable=False),
        sa.Column("contacted_in_time", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.String(length=120), nullable=False),
        sa.Column("attempts_count", sa.Integer(), nullable=False),
        sa.Column("reached", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("newly_known", sa.Boolean(), nullable=True),
        sa.Column("repeat", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_facts")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_signal_facts_quarters", "signal_facts", ["received_quarter", "concluded_quarter"], unique=False
    )
    op.create_table(
        "retention_periods",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "rule",
            sa.Enum(
                "concluded",
                "unattended",
                "hard_limit",
                name="rule",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.CheckConstraint("days BETWEEN 1 AND 366", name=op.f("ck_retention_periods_days")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_retention_periods_organisation_id_organisations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_periods")),
        sa.UniqueConstraint(
            "organisation_id", "rule", name=op.f("uq_retention_periods_organisation_id_rule")
        ),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "worker",
                "lead",
                "coordinator",
                "administrator",
                "privacy_officer",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("action IN ('grant', 'reset')", name=op.f("ck_approvals_action")),
        sa.CheckConstraint(
            "decision IN ('asked', 'approved', 'declined', 'expired')", name=op.f("ck_approvals_decision")
        ),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["staff_members.id"], name=op.f("fk_approvals_asked_by_id_staff_members")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["staff_members.id"], name=op.f("fk_approvals_decided_by_id_staff_members")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_approvals_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    op.create_index(
        "ix_approvals_organisation_id", "approvals", ["organisation_id", "decision"], unique=False
    )
    op.create_table(
        "challenges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=False),
        sa.Column("staff_member_id", sa.Uuid(), nullable=True),
        sa.Column("challenge", sa.LargeBinary(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_member_id"],
            ["staff_members.id"],
            name=op.f("fk_challenges_staff_member_id_staff_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenges")),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_member_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_member_id"],
            ["staff_members.id"],
            name=op.f("fk_passkeys_staff_member_id_staff_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    op.create_index("ix_passkeys_staff_member_id", "passkeys", ["staff_member_id"], unique=False)
    op.create_table(
        "referrals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("signal_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("from_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("to_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("referred_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("referred_by_id", sa.Uuid(), nullable=False),
        sa.Column("old_case_key_id", sa.Uuid(), nullable=False),
        sa.Column("key_destroyed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["from_organisation_id"],
            ["organisations.id"],
            name=op.f("fk_referrals_from_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["referred_by_id"], ["staff_members.id"], name=op.f("fk_referrals_referred_by_id_staff_members")
        ),
        sa.ForeignKeyConstraint(
            ["to_organisation_id"],
            ["organisations.id"],
            name=op.f("fk_referrals_to_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_referrals_sender", "referrals", ["from_organisation_id", "reference"], unique=False)
    op.create_index("ix_referrals_signal_id", "referrals", ["signal_id"], unique=False)
    op.create_table(
        "register_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("right", sa.String(length=20), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("signals_found", sa.Integer(), nullable=False),
        sa.Column("identity_checked", sa.String(length=20), nullable=False),
        sa.Column("residence_checked", sa.String(length=20), nullable=False),
        sa.Column("third_parties_checked", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_register_entries_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"],
            ["staff_members.id"],
            name=op.f("fk_register_entries_recorded_by_id_staff_members"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_entries")),
    )
    op.create_index(
        "ix_register_entries_organisation_day",
        "register_entries",
        ["organisation_id", "recorded_on"],
        unique=False,
    )
    op.create_index("ix_audit_entries_at", "audit_entries", ["at"])
    op.add_column("signals", sa.Column("restricted_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("signals", "restricted_on")
    op.drop_index("ix_audit_entries_at", table_name="audit_entries")
    op.drop_index("ix_register_entries_organisation_day", table_name="register_entries")
    op.drop_table("register_entries")
    op.drop_index("ix_referrals_signal_id", table_name="referrals")
    op.drop_index("ix_referrals_sender", table_name="referrals")
    op.drop_table("referrals")
    op.drop_index("ix_passkeys_staff_member_id", table_name="passkeys")
    op.drop_table("passkeys")
    op.drop_table("challenges")
    op.drop_index("ix_approvals_organisation_id", table_name="approvals")
    op.drop_table("approvals")
    op.drop_table("retention_periods")
    op.drop_index("ix_signal_facts_quarters", table_name="signal_facts")
    op.drop_table("signal_facts")
    op.drop_index(
        "ix_deletion_records_unconfirmed",
        table_name="deletion_records",
        sqlite_where=sa.text("key_destroyed_on IS NULL"),
        postgresql_where=sa.text("key_destroyed_on IS NULL"),
    )
    op.drop_index("ix_deletion_records_reference", table_name="deletion_records")
    op.drop_index("ix_deletion_records_organisation_day", table_name="deletion_records")
    op.drop_table("deletion_records")
