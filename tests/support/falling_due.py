"""Rows that are due: as many for every run of a job, however many rows lie beside them."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy import Engine

_FALL_DUE: Final[Mapping[str, tuple[str, ...]]] = {
    "outbox": (
        """UPDATE outbox_messages SET state = 'queued', settled_at = NULL, tries = 0,
            event = 'organisation_changed',
            values = '{{"link": "https://example.org/desk", "changed_on": "{today}"}}'
        WHERE id IN (SELECT id FROM outbox_messages WHERE event = 'new_signal' LIMIT {due})""",
    ),
    "reminders": (
        """UPDATE signals SET contact_by = contact_by - 40 WHERE contact_by >= date '{today}' - 10""",
        """UPDATE signals SET contact_by = date '{today}' - 1
        WHERE id IN (SELECT id FROM signals WHERE state = 'claimed' AND contact_by > date '{today}' - 60
            AND contact_by < date '{today}' - 40 LIMIT {due})""",
    ),
    "retention": (
        """UPDATE signals SET concluded_at = timestamptz '{today}' - interval '60 days'
        WHERE id IN (SELECT id FROM signals WHERE state = 'concluded' LIMIT {due})""",
        """UPDATE address_links SET received_on = date '{today}' - 400
        WHERE id IN (SELECT id FROM address_links WHERE signal_id IS NULL LIMIT {due})""",
        """UPDATE receipts SET changed_on = date '{today}' - 400
        WHERE receipt_hash IN (SELECT receipt_hash FROM receipts LIMIT {due})""",
        """UPDATE deletion_records SET deleted_on = date '{today}' - 800
        WHERE signal_id IN (SELECT signal_id FROM deletion_records LIMIT {due})""",
        """UPDATE referrals SET referred_on = date '{today}' - 800
        WHERE id IN (SELECT id FROM referrals LIMIT {due})""",
    ),
    "old_messages": (
        """UPDATE outbox_messages SET settled_at = timestamptz '{today}' - interval '100 days'
        WHERE id IN (SELECT id FROM outbox_messages WHERE event = 'new_signal' LIMIT {due})""",
    ),
    "retries": (
        """INSERT INTO idempotency_keys (idempotency_hash, body_mac, receipt_hash, organisation_id,
            received_on, redactions, from_phone)
        SELECT sha256(gen_random_uuid()::text::bytea), '\\x00', sha256(gen_random_uuid()::text::bytea),
            gen_random_uuid(), date '{today}' - 10, '{{}}', false FROM generate_series(1, {due})""",
    ),
    "audit_links": (
        """INSERT INTO audit_entries (id, at, actor_role, action, ground, outcome, mac)
        SELECT gen_random_uuid(), timestamptz '{today}', 'system', 'searched', 'x', 'ok', sha256('x')
        FROM generate_series(1, {due})""",
    ),
    "audit_pruning": (
        """INSERT INTO audit_heads (position, link, at, signature)
        SELECT min(position) + {due} - 1, sha256('x'), timestamptz '{today}' - interval '800 days', '\\x00'
        FROM audit_links""",
    ),
    "destroyed_keys": (
        """UPDATE deletion_records SET key_destroyed_on = NULL
        WHERE signal_id IN (SELECT signal_id FROM deletion_records WHERE deleted_on = date '{today}' - 9
            LIMIT {due})""",
    ),
}  # fmt: skip


def fall_due(engine: Engine, job: str, *, on: date, due: int) -> None:
    """Let `due` of the rows that `seed` made fall due for a job; most jobs have none."""
    with engine.begin() as connection:
        for statement in _FALL_DUE.get(job, ()):
            connection.exec_driver_sql(statement.format(today=on, due=due))
