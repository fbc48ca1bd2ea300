"""A PostgreSQL with many rows of which hardly any is due, and how many of them each statement reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, event

LARGE = {
    "address_links", "audit_entries", "audit_links", "contact_attempts", "delivery_attempts",
    "deletion_records", "outbox_messages", "receipts", "referrals", "sealed_reports", "signal_facts",
    "signals", "status_changes",
}  # fmt: skip
"""The tables that grow with the years or in an outage; the others hold a week, or what is there."""

_SIGNALS = """INSERT INTO signals (id, organisation_id, reference, state, version, received_on, unrouted,
        outside_area, repeat, urgent, case_key_id, schema_version, content, summary, claim_by, contact_by,
        conclude_by, due_on, team_notified, claimed_by_id, claimed_at, notified_on, concluded_at)
    SELECT gen_random_uuid(), organisation, lpad(n::text, 9, '0'), state, 1, d, false, false, false, false,
        gen_random_uuid(), 1, '\\x00', '\\x00', d + 1, d + 2, d + 200, d + 200, true,
        CASE WHEN state = 'claimed' THEN worker END,
        CASE WHEN state = 'claimed' THEN timestamptz '{today}' END,
        d + 2, CASE WHEN state = 'concluded' THEN date '{today}' - 9 + time '12:00' END
    FROM generate_series(1, {rows}) AS n
    CROSS JOIN (SELECT organisation_id AS organisation, id AS worker FROM staff_members
        WHERE organisation_id IS NOT NULL LIMIT 1) AS theirs
    CROSS JOIN LATERAL (SELECT date '{today}' - 50 - n %% 4 AS d,
        CASE WHEN n %% 2 = 0 THEN 'claimed' ELSE 'concluded' END AS state) AS made"""
_BESIDE_SIGNALS = (
    """INSERT INTO address_links (house_pseudonym, id, organisation_id, quarter, pseudonym, received_on,
        signal_id)
    SELECT decode(md5(id::text), 'hex'), gen_random_uuid(), organisation_id, '{quarter}',
        decode(md5(id::text), 'hex'), received_on, id FROM signals""",
    """INSERT INTO address_links (house_pseudonym, id, organisation_id, quarter, pseudonym, received_on)
    SELECT decode(md5('p' || n), 'hex'), gen_random_uuid(), gen_random_uuid(), '{quarter}',
        decode(md5('p' || n), 'hex'), date '{today}' - 100 FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO status_changes (id, signal_id, sequence, action, before, after, changed_on)
    SELECT gen_random_uuid(), id, 1, 'arrive', NULL, 'new', received_on FROM signals""",
    """INSERT INTO receipts (receipt_hash, state, state_before, changed_on)
    SELECT sha256(('q' || n)::bytea), 'received', 'received', date '{today}' - 60
    FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO deletion_records (signal_id, organisation_id, reference, case_key_id, deleted_on, reason,
        key_destroyed_on)
    SELECT gen_random_uuid(), gen_random_uuid(), lpad(n::text, 9, '0'), gen_random_uuid(), date '{today}' - 9,
        'concluded', date '{today}' - 9 FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO referrals (id, signal_id, reference, from_organisation_id, to_organisation_id, referred_on,
        sequence, reason, referred_by_id, old_case_key_id, key_destroyed_on)
    SELECT gen_random_uuid(), gen_random_uuid(), lpad(n::text, 9, '0'), organisation_id, organisation_id,
        date '{today}' - 9, 2, 'moved', theirs.id, gen_random_uuid(), date '{today}' - 9
    FROM generate_series(1, {rows}) AS n
    CROSS JOIN (SELECT * FROM staff_members WHERE organisation_id IS NOT NULL LIMIT 1) AS theirs""",
    """INSERT INTO outbox_messages (id, event, subject_id, organisation_id, channel, recipient, language,
        values, state, not_before, tries, settled_at)
    SELECT gen_random_uuid(), 'new_signal', gen_random_uuid(), NULL, 'email', 'a@example.org', 'nl',
        '{{}}', 'delivered', timestamptz '{today}' - n %% 60 * interval '1 day', 1,
        timestamptz '{today}' - n %% 60 * interval '1 day' FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO delivery_attempts (id, message_id, at, delivered)
    SELECT gen_random_uuid(), id, not_before, true FROM outbox_messages""",
    """INSERT INTO signal_facts (id, received_quarter, year, sealed)
    SELECT gen_random_uuid(), '{quarter}', '{year}', '\\x00' FROM generate_series(1, {rows}) AS n""",
    """WITH made AS (INSERT INTO audit_entries (id, at, actor_role, action, ground, outcome, mac)
        SELECT gen_random_uuid(), timestamptz '{today}' - n * interval '3 hours', 'system', 'signal_arrived',
        'x', 'ok', '\\x00' FROM generate_series(1, {rows}) AS n RETURNING id, at)
    INSERT INTO audit_links (position, entry_id, link)
        SELECT row_number() OVER (ORDER BY at), id, '\\x00' FROM made""",
    """INSERT INTO audit_heads (position, link, at, signature)
    SELECT max(position), '\\x00', timestamptz '{today}', '\\x00' FROM audit_links""",
    """UPDATE signals SET concluded_at = timestamptz '{today}' - interval '60 days'
    WHERE id IN (SELECT id FROM signals WHERE state = 'concluded' LIMIT {due})""",
)


def seed(engine: Engine, *, on: date, rows: int, due: int) -> None:
    """Fill every large table with `rows` rows; on a day only `due` signals are due, for the purge.

    A member of staff must exist.
    """
    values = {
        "rows": rows,
        "due": due,
        "today": on,
        "year": on.year,
        "quarter": f"{on.year}-Q{(on.month + 2) // 3}",
    }
    with engine.begin() as connection:
        for statement in (_SIGNALS, *_BESIDE_SIGNALS):
            connection.exec_driver_sql(statement.format(**values))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


@contextmanager
def statements(*kinds: str) -> Iterator[dict[str, Any]]:
    """Collect the statements that begin with one of `kinds`, each with its first values, on PostgreSQL."""
    found: dict[str, Any] = {}

    def note(connection: Connection, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        if connection.dialect.name == "postgresql" and statement.lstrip().startswith(kinds):
            found.setdefault(statement, values[0] if isinstance(values, list) else values)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def rows_read(connection: Connection, sql: str, values: Any) -> int:
    """Return the most rows of a large table that one part of a plan reads; it leaves nothing behind."""
    with connection.begin() as doing:
        explained = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}"
        (plan,) = connection.exec_driver_sql(explained, values).scalar_one()
        doing.rollback()
    return max(_read(plan["Plan"]), default=0)


def _read(node: dict[str, Any]) -> Iterator[int]:
    if node.get("Relation Name", "") in LARGE:
        passed = [node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck")]
        yield int((node["Actual Rows"] + sum(passed)) * node["Actual Loops"])
    for child in node.get("Plans", ()):
        yield from _read(child)
