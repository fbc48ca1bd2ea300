"""Rows of two organisations, and statements of a role."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

# Table: what front, desk and worker may, by the first letters of the verbs. TRUNCATE: nobody.
MATRIX = {
    "absences": ("", "SID", "SD"),
    "account_links": ("", "SIUD", "SIUD"),
    "address_links": ("", "SIUD", "SIUD"),
    "alembic_version": ("", "S", "S"),
    "approvals": ("", "SIU", "SIUD"),
    "area_days": ("S", "SU", "SIUD"),
    "audit_entries": ("", "SI", "SID"),
    "audit_heads": ("", "", "SID"),
    "audit_links": ("", "", "SID"),
    "challenges": ("", "SIUD", "SD"),
    "comparison_draws": ("", "SU", "SI"),
    "comparison_teams": ("", "SIU", "SU"),
    "comparisons": ("S", "SIU", "S"),
    "connections": ("", "SID", "SD"),
    "contact_attempts": ("", "SIUD", "SIUD"),
    "channel_states": ("", "S", "SIU"),
    "coverage_areas": ("S", "SIUD", "SIUD"),
    "deletion_orders": ("", "SI", "SD"),
    "deletion_records": ("", "SIU", "SIUD"),
    "delivery_attempts": ("", "SD", "SIUD"),
    "delivery_callbacks": ("", "I", "SIUD"),
    "delivery_figures": ("", "S", "SIUD"),
    "drills": ("", "SIU", "SIU"),
    "follow_up_notes": ("", "SIUD", "SIUD"),
    "front_keys": ("SI", "", "SD"),
    "identity_providers": ("", "SIUD", "SD"),
    "idempotency_keys": ("SI", "", "SD"),
    "job_runs": ("", "SU", "SIUD"),
    "mailbox_public_keys": ("S", "SI", "SIUD"),
    "organisations": ("S", "SIU", "SIU"),
    "outbox_messages": ("", "SID", "SIUD"),
    "passkeys": ("", "SIUD", "SD"),
    "organisation_years": ("", "S", "SI"),
    "publications": ("S", "S", "SI"),
    "place_pages": ("", "S", "SIUD"),
    "postcode_municipalities": ("S", "S", "SIUD"),
    "posted_letters": ("", "SU", "SIUD"),
    "receipts": ("S", "SIU", "SIUD"),
    "recipients": ("S", "SIUD", "SIUD"),
    "referrals": ("", "SIU", "SUD"),
    "register_entries": ("", "SI", "SD"),
    "retention_periods": ("", "SIUD", "S"),
    "routing_version": ("S", "SU", "SU"),
    "sealed_reports": ("I", "", "SUD"),
    "sign_in_guesses": ("", "SIUD", "SD"),
    "signal_facts": ("", "I", "SID"),
    "signals": ("", "SUD", "SIUD"),
    "spent_tokens": ("I", "", "SD"),
    "staff_members": ("", "SIU", "SIU"),
    "stopped_accounts": ("", "SIU", "S"),
    "staff_sessions": ("", "SIUD", "SIUD"),
    "unproven_days": ("SIU", "", "SIUD"),
    "unknown_sign_ins": ("", "SIU", "SD"),
    "status_changes": ("", "SID", "SIUD"),
}


# The columns of a role that may not use all columns of the table.
COLUMNS = {
    ("front", "INSERT", "sealed_reports"): {
        "signal_id", "organisation_id", "mailbox_key_id", "schema_version", "received_on", "unrouted",
        "receipt_hash", "profession", "envelope",
    },
    ("front", "SELECT", "organisations"): {
        "id", "name", "kind", "agreement_on", "legal_basis", "retention_basis", "suspended_from", "proved_on",
    },
    ("front", "SELECT", "recipients"): {"organisation_id", "verified_on"},
    ("front", "SELECT", "area_days"): {"organisation_id", "day", "raises"},
    ("desk", "UPDATE", "area_days"): {"raises", "notified_percent"},
    ("desk", "UPDATE", "comparison_draws"): {"sealed"},
    ("desk", "UPDATE", "comparison_teams"): {"takes_part"},
    ("desk", "UPDATE", "comparisons"): {"stopped_on"},
    ("desk", "UPDATE", "deletion_records"): {"key_destroyed_on"},
    ("desk", "UPDATE", "job_runs"): {"warned_at"},
    ("desk", "UPDATE", "referrals"): {"key_destroyed_on"},
    ("desk", "UPDATE", "posted_letters"): {"wanted"},
    ("desk", "UPDATE", "drills"): {"answered_on"},
    ("worker", "UPDATE", "comparison_teams"): {"sealed_place"},
    ("desk", "SELECT", "outbox_messages"): {"id", "event", "subject_id", "organisation_id", "recipient"},
    ("desk", "SELECT", "delivery_attempts"): {"id", "message_id"},
}  # fmt: skip


# Every table that belongs to organisations: when is a row of the organisation `:o`?
_OF_SIGNAL = "signal_id IN (SELECT id FROM signals WHERE organisation_id = :o)"


BELONGS_TO = {
    "absences": "organisation_id = :o",
    "address_links": "organisation_id = :o",
    "approvals": "organisation_id = :o",
    "audit_entries": "organisation_id = :o",
    "comparison_draws": _OF_SIGNAL,
    "comparison_teams": "organisation_id = :o",
    "connections": "organisation_id = :o",
    "contact_attempts": _OF_SIGNAL,
    "deletion_orders": "organisation_id = :o",
    "deletion_records": "organisation_id = :o",
    "delivery_attempts": "message_id IN (SELECT id FROM outbox_messages WHERE organisation_id = :o)",
    "follow_up_notes": _OF_SIGNAL,
    "organisation_years": "organisation_id = :o",
    "outbox_messages": "organisation_id = :o",
    "referrals": ":o IN (from_organisation_id, to_organisation_id)",
    "register_entries": "organisation_id = :o",
    "retention_periods": "organisation_id = :o",
    "signals": "organisation_id = :o",
    "status_changes": _OF_SIGNAL,
}


def permitted(
    connection: Connection,
    statement: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    refusal: str = "permission denied",
) -> bool:
    """Whether the statement gets past this refusal, whatever becomes of it then; nothing of it stays."""
    attempt = connection.begin_nested()
    try:
        connection.execute(text(statement), parameters or {})
    except DBAPIError as error:
        return refusal not in str(error.orig)
    finally:
        attempt.rollback()
    return True
