"""The initial schema: organisations, coverage, sealed reports, signals, staff, audit, outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_role", sa.String(length=20), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column(
            "action",
            sa.Enum(
                "sign_in",
                "sign_in_failed",
                "sign_out",
                "signal_arrived",
                "signal_opened",
                "signal_changed",
                "foreign_signal_refused",
                "round_printed",
                "searched",
                "notice_printed",
                "notice_recorded",
                "signal_referred",
                "signal_purged",
                "staff_changed",
                "organisation_changed",
                "coverage_changed",
                "keys_changed",
                "exported",
                name="action",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("ground", sa.String(length=80), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_audit_entries_organisation_at", "audit_entries", ["organisation_id", "at"], unique=False
    )
    op.create_table(
        "audit_heads",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("link", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_heads")),
    )
    op.create_table(
        "audit_links",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("link", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_links")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_links_entry_id")),
    )
    op.create_table(
        "organisations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "social_work",
                "ggd",
                "national",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("is_example", sa.Boolean(), nullable=False),
        sa.Column("agreement_on", sa.Date(), nullable=True),
        sa.Column("legal_basis", sa.Text(), nullable=True),
        sa.Column("retention_basis", sa.Text(), nullable=True),
        sa.Column("suspended_from", sa.Date(), nullable=True),
        sa.Column("contact_phone", sa.String(length=40), nullable=False),
        sa.Column("contact_email", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("claim_working_days", sa.Integer(), nullable=False),
        sa.Column("contact_working_days", sa.Integer(), nullable=False),
        sa.Column("conclude_calendar_days", sa.Integer(), nullable=False),
        sa.Column("minimum_attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("name", name=op.f("uq_organisations_name")),
    )
    op.create_table(
        "postcode_municipalities",
        sa.Column("first_pc6", sa.String(length=6), nullable=False),
        sa.Column("number_from", sa.Integer(), nullable=False),
        sa.Column("last_pc6", sa.String(length=6), nullable=False),
        sa.Column("number_to", sa.Integer(), nullable=False),
        sa.Column("municipality_code", sa.String(length=6), nullable=False),
        sa.PrimaryKeyConstraint("first_pc6", "number_from", name=op.f("pk_postcode_municipalities")),
    )
    op.create_table(
        "receipts",
        sa.Column("receipt_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "in_progress",
                "closed",
                "unknown",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state_before",
            sa.Enum(
                "received",
                "in_progress",
                "closed",
                "unknown",
                name="state_before",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("changed_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("receipt_hash", name=op.f("pk_receipts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "routing_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_version")),
    )
    op.create_table(
        "sealed_reports",
        sa.Column("idempotency_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body_mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("receipt_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("signal_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_key_id", sa.Uuid(), nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("unrouted", sa.Boolean(), nullable=False),
        sa.Column("redactions", sa.String(length=200), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=True),
        sa.Column("refused_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("idempotency_hash", name=op.f("pk_sealed_reports")),
        sa.UniqueConstraint("receipt_hash", name=op.f("uq_sealed_reports_receipt_hash")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_sealed_reports_organisation_day",
        "sealed_reports",
        ["organisation_id", "received_on"],
        unique=False,
    )
    op.create_index(
        "ix_sealed_reports_waiting",
        "sealed_reports",
        ["signal_id"],
        unique=False,
        sqlite_where=sa.text("envelope IS NOT NULL AND refused_on IS NULL"),
        postgresql_where=sa.text("envelope IS NOT NULL AND refused_on IS NULL"),
    )
    op.create_table(
        "address_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("quarter", sa.String(length=7), nullable=False),
        sa.Column("pseudonym", sa.LargeBinary(length=16), nullable=False),
        sa.Column("house_pseudonym", sa.LargeBinary(length=16), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("signal_id", sa.Uuid(), nullable=True),
        sa.Column("outcome_group", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_address_links_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_links")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_address_links_house_pseudonym", "address_links", ["house_pseudonym"], unique=False)
    op.create_index("ix_address_links_signal_id", "address_links", ["signal_id"], unique=False)
    op.create_table(
        "coverage_areas",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.String(length=12), nullable=False),
        sa.Column("area", sa.String(length=6), nullable=False),
        sa.Column("number_from", sa.Integer(), nullable=True),
        sa.Column("number_to", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(level = 'pc6_range') = (number_from IS NOT NULL AND number_to IS NOT NULL)",
            name=op.f("ck_coverage_areas_range_has_numbers"),
        ),
        sa.CheckConstraint(
            "level IN ('pc6_range', 'pc6', 'pc4', 'municipality', 'ggd_region', 'national')",
            name=op.f("ck_coverage_areas_level"),
        ),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until > valid_from", name=op.f("ck_coverage_areas_dates_in_order")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_coverage_areas_organisation_id_organisations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coverage_areas")),
    )
    op.create_index("ix_coverage_areas_area", "coverage_areas", ["level", "area"], unique=False)
    op.create_table(
        "mailbox_public_keys",
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_mailbox_public_keys_organisation_id_organisations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_mailbox_public_keys")),
        sa.UniqueConstraint(
            "organisation_id", "week", name=op.f("uq_mailbox_public_keys_organisation_id_week")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "recipients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("verified_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_recipients_organisation_id_organisations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipients")),
        sa.UniqueConstraint("organisation_id", "address", name=op.f("uq_recipients_organisation_id_address")),
    )
    op.create_table(
        "staff_members",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
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
            nullable=False,
        ),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("totp_last_step", sa.Integer(), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_staff_members_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_members")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_members_email")),
    )
    op.create_table(
        "signals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "new",
                "claimed",
                "in_follow_up",
                "concluded",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("unrouted", sa.Boolean(), nullable=False),
        sa.Column("repeat", sa.Boolean(), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.Column("receipt_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("case_key_id", sa.Uuid(), nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("summary", sa.LargeBinary(), nullable=False),
        sa.Column("claim_by", sa.Date(), nullable=False),
        sa.Column("contact_by", sa.Date(), nullable=False),
        sa.Column("conclude_by", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("claimed_by_id", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "no_concern",
                "talk_sufficed",
                "help_accepted",
                "referred",
                "already_known",
                "help_declined",
                "not_reached",
                "escalated",
                "duplicate",
                "wrong_address",
                "misuse",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "referred_to",
            sa.Enum(
                "huisarts",
                "wijkteam_wmo",
                "schuldhulp",
                "ggd_oggz",
                "ggz",
                "verslavingszorg",
                "veilig_thuis",
                "woningcorporatie",
                "other",
                "112_crisis",
                "wvggz",
                name="referred_to",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("newly_known", sa.Boolean(), nullable=True),
        sa.Column("notified_on", sa.Date(), nullable=True),
        sa.Column("deferred_because", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["claimed_by_id"], ["staff_members.id"], name=op.f("fk_signals_claimed_by_id_staff_members")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_signals_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signals")),
        sa.UniqueConstraint("receipt_hash", name=op.f("uq_signals_receipt_hash")),
        sa.UniqueConstraint("reference", name=op.f("uq_signals_reference")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_signals_claimed_by", "signals", ["claimed_by_id", "due_on"], unique=False)
    op.create_index(
        "ix_signals_open_queue",
        "signals",
        ["organisation_id", "due_on", "id"],
        unique=False,
        sqlite_where=sa.text("state <> 'concluded'"),
        postgresql_where=sa.text("state <> 'concluded'"),
    )
    op.create_index(
        "ix_signals_queue_by_state", "signals", ["organisation_id", "state", "due_on", "id"], unique=False
    )
    op.create_table(
        "staff_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_member_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=5), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('page', 'api', 'token')", name=op.f("ck_staff_sessions_kind")),
        sa.ForeignKeyConstraint(
            ["staff_member_id"],
            ["staff_members.id"],
            name=op.f("fk_staff_sessions_staff_member_id_staff_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_sessions_token_hash")),
    )
    op.create_index("ix_staff_sessions_staff_member_id", "staff_sessions", ["staff_member_id"], unique=False)
    op.create_table(
        "contact_attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("signal_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "visit",
                "phone",
                "letter",
                "card",
                "through_other",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "result",
            sa.Enum(
                "no_answer",
                "contact",
                "refused",
                "wrong_address",
                "postponed",
                name="result",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("workers", sa.Integer(), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"],
            ["staff_members.id"],
            name=op.f("fk_contact_attempts_recorded_by_id_staff_members"),
        ),
        sa.ForeignKeyConstraint(
            ["signal_id"],
            ["signals.id"],
            name=op.f("fk_contact_attempts_signal_id_signals"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_attempts")),
    )
    op.create_index("ix_contact_attempts_signal_id", "contact_attempts", ["signal_id"], unique=False)
    op.create_table(
        "follow_up_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("signal_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_text", sa.LargeBinary(), nullable=False),
        sa.Column("written_by_id", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["signal_id"],
            ["signals.id"],
            name=op.f("fk_follow_up_notes_signal_id_signals"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["written_by_id"],
            ["staff_members.id"],
            name=op.f("fk_follow_up_notes_written_by_id_staff_members"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up_notes")),
    )
    op.create_index("ix_follow_up_notes_signal_id", "follow_up_notes", ["signal_id"], unique=False)
    op.create_table(
        "status_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("signal_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column(
            "action",
            sa.Enum(
                "arrive",
                "claim",
                "release",
                "record_attempt",
                "refer",
                "conclude",
                "reopen",
                name="action",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "before",
            sa.Enum(
                "new",
                "claimed",
                "in_follow_up",
                "concluded",
                name="before",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "after",
            sa.Enum(
                "new",
                "claimed",
                "in_follow_up",
                "concluded",
                name="after",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("changed_on", sa.Date(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["staff_members.id"], name=op.f("fk_status_changes_actor_id_staff_members")
        ),
        sa.ForeignKeyConstraint(
            ["signal_id"],
            ["signals.id"],
            name=op.f("fk_status_changes_signal_id_signals"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_changes")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_status_changes_signal_id", "status_changes", ["signal_id", "sequence"], unique=False)
    op.create_table(
        "outbox_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "sending",
                "delivered",
                "failed",
                "expired",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=10,
            ),
            nullable=False,
        ),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_message_id", sa.String(length=200), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_messages")),
        sa.UniqueConstraint(
            "event", "subject_id", "recipient", name=op.f("uq_outbox_messages_event_subject_id_recipient")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_outbox_messages_due",
        "outbox_messages",
        ["not_before"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'sending')"),
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.create_table(
        "delivery_attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["outbox_messages.id"],
            name=op.f("fk_delivery_attempts_message_id_outbox_messages"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempts")),
    )
    op.create_index("ix_delivery_attempts_message_id", "delivery_attempts", ["message_id"], unique=False)
    op.execute("INSERT INTO routing_version (id, version) VALUES (1, 1)")


def downgrade() -> None:
    op.drop_index("ix_delivery_attempts_message_id", table_name="delivery_attempts")
    op.drop_table("delivery_attempts")
    op.drop_index(
        "ix_outbox_messages_due",
        table_name="outbox_messages",
        sqlite_where=sa.text("state IN ('queued', 'sending')"),
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.drop_table("outbox_messages")
    op.drop_index("ix_status_changes_signal_id", table_name="status_changes")
    op.drop_table("status_changes")
    op.drop_index("ix_follow_up_notes_signal_id", table_name="follow_up_notes")
    op.drop_table("follow_up_notes")
    op.drop_index("ix_contact_attempts_signal_id", table_name="contact_attempts")
    op.drop_table("contact_attempts")
    op.drop_index("ix_staff_sessions_staff_member_id", table_name="staff_sessions")
    op.drop_table("staff_sessions")
    op.drop_index("ix_signals_queue_by_state", table_name="signals")
    op.drop_index(
        "ix_signals_open_queue",
        table_name="signals",
        sqlite_where=sa.text("state <> 'concluded'"),
        postgresql_where=sa.text("state <> 'concluded'"),
    )
    op.drop_index("ix_signals_claimed_by", table_name="signals")
    op.drop_table("signals")
    op.drop_table("staff_members")
    op.drop_table("recipients")
    op.drop_table("mailbox_public_keys")
    op.drop_index("ix_coverage_areas_area", table_name="coverage_areas")
    op.drop_table("coverage_areas")
    op.drop_index("ix_address_links_signal_id", table_name="address_links")
    op.drop_index("ix_address_links_house_pseudonym", table_name="address_links")
    op.drop_table("address_links")
    op.drop_index(
        "ix_sealed_reports_waiting",
        table_name="sealed_reports",
        sqlite_where=sa.text("envelope IS NOT NULL AND refused_on IS NULL"),
        postgresql_where=sa.text("envelope IS NOT NULL AND refused_on IS NULL"),
    )
    op.drop_index("ix_sealed_reports_organisation_day", table_name="sealed_reports")
    op.drop_table("sealed_reports")
    op.drop_table("routing_version")
    op.drop_table("receipts")
    op.drop_table("postcode_municipalities")
    op.drop_table("organisations")
    op.drop_table("audit_links")
    op.drop_table("audit_heads")
    op.drop_index("ix_audit_entries_organisation_at", table_name="audit_entries")
    op.drop_table("audit_entries")
