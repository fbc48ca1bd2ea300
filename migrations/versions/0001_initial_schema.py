"""Create the schema: organisations, sealed reports, signals, staff, audit, figures and the outbox.

Numbered migrations begin here: nothing was released before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_FIXED = ("organisation_years", "publications")
"""Tables of which no row may change once it is written."""

_REFUSAL = "what was counted or released never changes"

_SEALED = (("sealed_reports", "envelope"), ("signals", "content"), ("signals", "summary"))
"""Columns with sealed bytes, which do not compress."""


def upgrade() -> None:
    op.create_table(
        "address_links",
        sa.Column("house_pseudonym", sa.LargeBinary(length=16), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("quarter", sa.String(length=7), nullable=False),
        sa.Column("pseudonym", sa.LargeBinary(length=16), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("signal_id", sa.Uuid(), nullable=True),
        sa.Column("outcome_group", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("house_pseudonym", "id", name=op.f("pk_address_links")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_address_links_signal_id", "address_links", ["signal_id"], unique=False)
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
                "summaries_read",
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
                "comparison_changed",
                "exported",
                "audit_read",
                "audit_pruned",
                "right_exercised",
                "signal_erased",
                "signal_rectified",
                "signal_restricted",
                "passkey_changed",
                "password_changed",
                "approval_asked",
                "approval_decided",
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
    op.create_index("ix_audit_entries_at", "audit_entries", ["at"], unique=False)
    op.create_index(
        "ix_audit_entries_organisation_at", "audit_entries", ["organisation_id", "at"], unique=False
    )
    openings = sa.text("action IN ('signal_opened', 'round_printed', 'notice_printed', 'exported')")
    op.create_index(
        "ix_audit_entries_openings",
        "audit_entries",
        ["actor_id", "at"],
        unique=False,
        sqlite_where=openings,
        postgresql_where=openings,
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
        "deletion_orders",
        sa.Column("signal_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "concluded",
                "unattended",
                "hard_limit",
                "erasure",
                "objection",
                "flood",
                "unreadable",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_deletion_orders")),
        sqlite_with_rowid=False,
    )
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
                "flood",
                "unreadable",
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
        "front_keys",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("generation", name=op.f("pk_front_keys")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_front_keys_fingerprint")),
    )
    op.create_table(
        "job_runs",
        sa.Column("job", sa.String(length=40), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem", sa.String(length=60), nullable=True),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_job_runs")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("idempotency_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body_mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("receipt_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("redactions", sa.String(length=200), nullable=False),
        sa.Column("from_phone", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("idempotency_hash", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint("receipt_hash", name=op.f("uq_idempotency_keys_receipt_hash")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_idempotency_keys_organisation_day",
        "idempotency_keys",
        ["organisation_id", "received_on"],
        unique=False,
    )
    op.create_table(
        "organisation_years",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.String(length=4), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("concluded", sa.Integer(), nullable=False),
        sa.Column("in_time", sa.Integer(), nullable=False),
        sa.Column("reached", sa.Integer(), nullable=False),
        sa.Column("outcomes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "year", name=op.f("pk_organisation_years")),
        sqlite_with_rowid=False,
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
        sa.Column("proved_on", sa.Date(), nullable=True),
        sa.Column("contact_phone", sa.String(length=40), nullable=False),
        sa.Column("contact_email", sa.String(length=254), nullable=False),
        sa.Column("letterhead", sa.String(length=250), nullable=False),
        sa.Column("letter_words", sa.String(length=300), nullable=False),
        sa.Column("logo", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("claim_working_days", sa.Integer(), nullable=False),
        sa.Column("contact_working_days", sa.Integer(), nullable=False),
        sa.Column("conclude_calendar_days", sa.Integer(), nullable=False),
        sa.Column("minimum_attempts", sa.Integer(), nullable=False),
        sa.Column("retry_working_days", sa.String(length=20), server_default="2,4,7", nullable=False),
        sa.Column("deputy_email", sa.String(length=254), nullable=True),
        sa.Column("deputy_verified_on", sa.Date(), nullable=True),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_until", sa.Integer(), nullable=True),
        sa.Column("working_days", sa.String(length=7), nullable=True),
        sa.Column("digest_at", sa.Integer(), nullable=True),
        sa.Column("opens_at", sa.Integer(), server_default="9", nullable=False),
        sa.Column("escalation_working_days", sa.Integer(), server_default="1", nullable=False),
        sa.Column("settings_version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("name", name=op.f("uq_organisations_name")),
    )
    op.create_table(
        "place_pages",
        sa.Column("kind", sa.String(length=13), nullable=False),
        sa.Column("pc4", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file", sa.LargeBinary(length=32), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column("page", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('street', 'neighbourhood')", name=op.f("ck_place_pages_kind")),
        sa.PrimaryKeyConstraint("kind", "pc4", "file", name=op.f("pk_place_pages")),
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
        "publications",
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("epsilon", sa.String(length=8), nullable=False),
        sa.Column("drawn_on", sa.Date(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.PrimaryKeyConstraint("period", "code", name=op.f("pk_publications")),
        sqlite_with_rowid=False,
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
        sa.Column("signal_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_key_id", sa.Uuid(), nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("unrouted", sa.Boolean(), nullable=False),
        sa.Column("receipt_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column(
            "profession",
            sa.Enum(
                "carrier",
                "meter_reader",
                "home_care",
                "housing",
                name="profession",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("refused_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_sealed_reports")),
        sqlite_with_rowid=False,
    )
    refused = sa.text("refused_on IS NOT NULL")
    op.create_index(
        "ix_sealed_reports_refused",
        "sealed_reports",
        ["refused_on"],
        unique=False,
        sqlite_where=refused,
        postgresql_where=refused,
    )
    op.create_table(
        "spent_tokens",
        sa.Column("nonce_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("nonce_hash", name=op.f("pk_spent_tokens")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unproven_days",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "day", name=op.f("pk_unproven_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unknown_sign_ins",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", name=op.f("pk_unknown_sign_ins")),
    )
    op.create_table(
        "sign_in_guesses",
        sa.Column("bucket", sa.LargeBinary(length=32), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_sign_in_guesses")),
    )
    op.create_index("ix_sign_in_guesses_last_at", "sign_in_guesses", ["last_at"], unique=False)
    op.create_table(
        "signal_facts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("received_quarter", sa.String(length=7), nullable=True),
        sa.Column("year", sa.String(length=4), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_facts")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_signal_facts_received_quarter", "signal_facts", ["received_quarter"], unique=False)
    op.create_table(
        "comparisons",
        sa.Column("code", sa.String(length=4), nullable=False),
        sa.Column("registration", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("stopped_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_comparisons")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "comparison_teams",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=4), nullable=False),
        sa.Column("takes_part", sa.Boolean(), nullable=False),
        sa.Column("sealed_place", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["code"], ["comparisons.code"], name=op.f("fk_comparison_teams_code_comparisons")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_comparison_teams_organisation_id_organisations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organisation_id", "code", name=op.f("pk_comparison_teams")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "area_days",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("notified_percent", sa.Integer(), nullable=False),
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
    op.create_table(
        "connections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("zgw", "webhook", name="kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("connected_on", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_connections_organisation_id_organisations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
        sa.UniqueConstraint("organisation_id", "kind", name=op.f("uq_connections_organisation_id_kind")),
    )
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
        "drills",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("missed_on", sa.Date(), nullable=True),
        sa.Column("suspended_from", sa.Date(), nullable=True),
        sa.Column("planned_end", sa.Date(), nullable=True),
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
        "identity_providers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("secret_file", sa.String(length=80), nullable=False),
        sa.Column("domains", sa.String(length=255), nullable=False),
        sa.Column("factors", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_identity_providers_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_providers")),
    )
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
        sa.Column("channel", sa.String(length=5), nullable=True),
        sa.Column("phone", sa.String(length=16), nullable=True),
        sa.Column("phone_verified_on", sa.Date(), nullable=True),
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
        sa.Column("days_before", sa.Integer(), nullable=True),
        sa.Column("shorter_from", sa.Date(), nullable=True),
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
        sa.Column("last_signed_in_on", sa.Date(), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("identity_issuer", sa.String(length=255), nullable=True),
        sa.Column("identity_subject", sa.String(length=255), nullable=True),
        sa.Column("printed_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_staff_members_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_members")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_members_email")),
        sa.UniqueConstraint(
            "identity_issuer",
            "identity_subject",
            name=op.f("uq_staff_members_identity_issuer_identity_subject"),
        ),
        sa.UniqueConstraint("printed_hash", name=op.f("uq_staff_members_printed_hash")),
    )
    op.create_table(
        "stopped_accounts",
        sa.Column("staff_member_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_member_id"],
            ["staff_members.id"],
            name=op.f("fk_stopped_accounts_staff_member_id_staff_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("staff_member_id", name=op.f("pk_stopped_accounts")),
        sqlite_with_rowid=False,
    )
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
            ["cover_id"], ["staff_members.id"], name=op.f("fk_absences_cover_id_staff_members")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_absences_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(
            ["staff_member_id"],
            ["staff_members.id"],
            name=op.f("fk_absences_staff_member_id_staff_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_index(
        "ix_absences_organisation_id", "absences", ["organisation_id", "away_until"], unique=False
    )
    op.create_table(
        "account_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("staff_member_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
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
        "approvals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("by_administrators", sa.Boolean(), nullable=False),
        sa.Column("change", sa.JSON(), nullable=True),
        sa.Column(
            "action",
            sa.Enum(
                "grant",
                "reset",
                "role",
                "disable",
                "cover",
                "provider",
                "connect",
                name="action",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
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
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
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
        sa.ForeignKeyConstraint(
            ["subject_id"], ["organisations.id"], name=op.f("fk_approvals_subject_id_organisations")
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
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
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
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
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
        sa.Column("sequence", sa.Integer(), nullable=False),
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
                "set_aside",
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
        sa.Column("outside_area", sa.Boolean(), nullable=False),
        sa.Column("repeat", sa.Boolean(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("receipt_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("team_notified", sa.Boolean(), nullable=False),
        sa.Column("pending_from_id", sa.Uuid(), nullable=True),
        sa.Column("case_key_id", sa.Uuid(), nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("summary", sa.LargeBinary(), nullable=False),
        sa.Column("claim_by", sa.Date(), nullable=False),
        sa.Column("contact_by", sa.Date(), nullable=False),
        sa.Column("conclude_by", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("postponed_until", sa.Date(), nullable=True),
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
        sa.Column("letter_printed_on", sa.Date(), nullable=True),
        sa.Column("wmo_notified_on", sa.Date(), nullable=True),
        sa.Column("restricted_on", sa.Date(), nullable=True),
        sa.Column("undo", sa.Text(), nullable=True),
        sa.Column("unreadable_on", sa.Date(), nullable=True),
        sa.Column("filed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["claimed_by_id"], ["staff_members.id"], name=op.f("fk_signals_claimed_by_id_staff_members")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_signals_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signals")),
        sa.UniqueConstraint("reference", name=op.f("uq_signals_reference")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_signals_unreadable",
        "signals",
        ["organisation_id", "unreadable_on"],
        unique=False,
        sqlite_where=sa.text("unreadable_on IS NOT NULL"),
        postgresql_where=sa.text("unreadable_on IS NOT NULL"),
    )
    op.create_index(
        "ix_signals_claimed_by",
        "signals",
        ["claimed_by_id", "due_on"],
        unique=False,
        sqlite_where=sa.text("claimed_by_id IS NOT NULL"),
        postgresql_where=sa.text("claimed_by_id IS NOT NULL"),
    )
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
    op.create_index("ix_signals_received_on", "signals", ["organisation_id", "received_on"], unique=False)
    op.create_index("ix_signals_case_key_id", "signals", ["case_key_id"], unique=False)
    concluded = sa.text("state = 'concluded'")
    op.create_index(
        "ix_signals_concluded_at",
        "signals",
        ["concluded_at"],
        unique=False,
        sqlite_where=concluded,
        postgresql_where=concluded,
    )
    op.create_index("ix_signals_day", "signals", ["received_on"], unique=False)
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
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_sid", sa.String(length=255), nullable=True),
        sa.Column("refresh_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
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
        "comparison_draws",
        sa.Column("signal_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=4), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["code"], ["comparisons.code"], name=op.f("fk_comparison_draws_code_comparisons")
        ),
        sa.ForeignKeyConstraint(
            ["signal_id"],
            ["signals.id"],
            name=op.f("fk_comparison_draws_signal_id_signals"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_comparison_draws")),
        sqlite_with_rowid=False,
    )
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
        sa.Column("postponed_until", sa.Date(), nullable=True),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_by_id", sa.Uuid(), nullable=True),
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
        sa.Column("replaced_by_id", sa.Uuid(), nullable=True),
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
                "take_back",
                "conclude",
                "reopen",
                "notify",
                "set_aside",
                "bring_back",
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
                "set_aside",
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
                "set_aside",
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
        sa.Column("day", sa.Date(), nullable=True),
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
        "channel_states",
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("missing", sa.String(length=200), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(length=40), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_channel_states")),
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
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_messages")),
        sa.UniqueConstraint(
            "subject_id", "event", "recipient", name=op.f("uq_outbox_messages_subject_id_event_recipient")
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
    op.create_index(
        "ix_outbox_messages_told",
        "outbox_messages",
        ["recipient", "event", "settled_at"],
        unique=False,
        sqlite_where=sa.text("state = 'delivered'"),
        postgresql_where=sa.text("state = 'delivered'"),
    )
    op.create_index(
        "ix_outbox_messages_dead",
        "outbox_messages",
        ["settled_at"],
        unique=False,
        sqlite_where=sa.text("state = 'failed'"),
        postgresql_where=sa.text("state = 'failed'"),
    )
    op.create_index(
        "ix_outbox_messages_provider_message_id",
        "outbox_messages",
        ["provider_message_id"],
        unique=False,
        sqlite_where=sa.text("provider_message_id IS NOT NULL"),
        postgresql_where=sa.text("provider_message_id IS NOT NULL"),
    )
    op.create_table(
        "posted_letters",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(length=40), nullable=True),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wanted", sa.String(length=10), nullable=True),
        sa.Column("standing", sa.String(length=10), server_default="same", nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_posted_letters")),
        sqlite_with_rowid=False,
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
    # ### end Alembic commands ###
    op.create_index(
        "ix_signals_not_notified",
        "signals",
        ["claim_by"],
        sqlite_where=sa.text("team_notified IS 0"),
        postgresql_where=sa.text("team_notified IS FALSE"),
    )
    for table, column, where in _OF_JOBS:
        partly = sa.text(where) if where else None
        name = f"ix_{table}_{'unconfirmed' if column == 'old_case_key_id' else column}"
        op.create_index(name, table, [column], sqlite_where=partly, postgresql_where=partly)
    op.execute("INSERT INTO routing_version (id, version) VALUES (1, 1)")
    if op.get_bind().dialect.name == "postgresql":
        _store_sealed_bytes_as_they_are()
    _refuse_changes()


def downgrade() -> None:
    op.drop_index("ix_delivery_attempts_message_id", table_name="delivery_attempts")
    op.drop_table("delivery_attempts")
    op.drop_table("posted_letters")
    op.drop_index(
        "ix_outbox_messages_provider_message_id",
        table_name="outbox_messages",
        sqlite_where=sa.text("provider_message_id IS NOT NULL"),
        postgresql_where=sa.text("provider_message_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_outbox_messages_told",
        table_name="outbox_messages",
        sqlite_where=sa.text("state = 'delivered'"),
        postgresql_where=sa.text("state = 'delivered'"),
    )
    op.drop_index(
        "ix_outbox_messages_dead",
        table_name="outbox_messages",
        sqlite_where=sa.text("state = 'failed'"),
        postgresql_where=sa.text("state = 'failed'"),
    )
    op.drop_index(
        "ix_outbox_messages_due",
        table_name="outbox_messages",
        sqlite_where=sa.text("state IN ('queued', 'sending')"),
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.drop_table("outbox_messages")
    op.drop_table("delivery_figures")
    op.drop_table("delivery_callbacks")
    op.drop_table("channel_states")
    op.drop_index("ix_status_changes_signal_id", table_name="status_changes")
    op.drop_table("status_changes")
    op.drop_index("ix_follow_up_notes_signal_id", table_name="follow_up_notes")
    op.drop_table("follow_up_notes")
    op.drop_index("ix_contact_attempts_signal_id", table_name="contact_attempts")
    op.drop_table("contact_attempts")
    op.drop_table("comparison_draws")
    op.drop_index("ix_staff_sessions_staff_member_id", table_name="staff_sessions")
    op.drop_table("staff_sessions")
    for name in ("day", "concluded_at", "case_key_id", "received_on"):
        op.drop_index(f"ix_signals_{name}", table_name="signals")
    op.drop_index("ix_signals_queue_by_state", table_name="signals")
    op.drop_index(
        "ix_signals_open_queue",
        table_name="signals",
        sqlite_where=sa.text("state <> 'concluded'"),
        postgresql_where=sa.text("state <> 'concluded'"),
    )
    op.drop_index(
        "ix_signals_unreadable",
        table_name="signals",
        sqlite_where=sa.text("unreadable_on IS NOT NULL"),
        postgresql_where=sa.text("unreadable_on IS NOT NULL"),
    )
    op.drop_index(
        "ix_signals_claimed_by",
        table_name="signals",
        sqlite_where=sa.text("claimed_by_id IS NOT NULL"),
        postgresql_where=sa.text("claimed_by_id IS NOT NULL"),
    )
    op.drop_table("signals")
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
    op.drop_index("ix_account_links_staff_member_id", table_name="account_links")
    op.drop_table("account_links")
    op.drop_index("ix_absences_organisation_id", table_name="absences")
    op.drop_table("absences")
    op.drop_table("stopped_accounts")
    op.drop_table("staff_members")
    op.drop_table("retention_periods")
    op.drop_table("recipients")
    op.drop_table("mailbox_public_keys")
    op.drop_table("identity_providers")
    op.drop_table("drills")
    op.drop_index("ix_coverage_areas_area", table_name="coverage_areas")
    op.drop_table("coverage_areas")
    op.drop_table("connections")
    op.drop_table("area_days")
    op.drop_table("comparison_teams")
    op.drop_table("comparisons")
    op.drop_index("ix_signal_facts_received_quarter", table_name="signal_facts")
    op.drop_table("signal_facts")
    op.drop_index("ix_sign_in_guesses_last_at", table_name="sign_in_guesses")
    op.drop_table("sign_in_guesses")
    op.drop_table("unknown_sign_ins")
    op.drop_table("unproven_days")
    op.drop_table("spent_tokens")
    op.drop_index("ix_sealed_reports_refused", table_name="sealed_reports")
    op.drop_table("sealed_reports")
    op.drop_table("routing_version")
    op.drop_table("receipts")
    op.drop_table("publications")
    op.drop_table("postcode_municipalities")
    op.drop_table("place_pages")
    op.drop_table("organisations")
    op.drop_table("organisation_years")
    op.drop_index("ix_idempotency_keys_organisation_day", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("job_runs")
    op.drop_table("front_keys")
    op.drop_index(
        "ix_deletion_records_unconfirmed",
        table_name="deletion_records",
        sqlite_where=sa.text("key_destroyed_on IS NULL"),
        postgresql_where=sa.text("key_destroyed_on IS NULL"),
    )
    op.drop_index("ix_deletion_records_reference", table_name="deletion_records")
    op.drop_index("ix_deletion_records_organisation_day", table_name="deletion_records")
    op.drop_table("deletion_records")
    op.drop_table("deletion_orders")
    op.drop_table("audit_links")
    op.drop_table("audit_heads")
    op.drop_index("ix_audit_entries_organisation_at", table_name="audit_entries")
    op.drop_index("ix_audit_entries_openings", table_name="audit_entries")
    op.drop_index("ix_audit_entries_at", table_name="audit_entries")
    op.drop_table("audit_entries")
    op.drop_index("ix_address_links_signal_id", table_name="address_links")
    op.drop_table("address_links")
    # ### end Alembic commands ###
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")


_OF_JOBS = (
    ("signals", "conclude_by", "state <> 'concluded'"),
    ("signals", "postponed_until", "postponed_until IS NOT NULL"),
    ("address_links", "received_on", None),
    ("receipts", "changed_on", None),
    ("deletion_records", "deleted_on", None),
    ("referrals", "referred_on", None),
    ("referrals", "old_case_key_id", "key_destroyed_on IS NULL"),
    ("outbox_messages", "settled_at", "settled_at IS NOT NULL"),
)
"""Indexes by which a job finds what is due; they go with their tables."""


def _store_sealed_bytes_as_they_are() -> None:
    """Keep PostgreSQL from compressing sealed bytes, and keep an envelope in its row.

    An envelope is written once and read once. The content of a signal lies outside its row, so that a queue
    reads small rows. The models do not describe storage.
    """
    op.execute("ALTER TABLE sealed_reports SET (toast_tuple_target = 4080)")
    for table, column in _SEALED:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def _refuse_changes() -> None:
    """Let the database refuse every change of released figures."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
        )
        for table in _FIXED:
            op.execute(
                f"CREATE TRIGGER {table}_stay BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
        return
    for table in _FIXED:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_stay_{verb.lower()} BEFORE {verb} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
