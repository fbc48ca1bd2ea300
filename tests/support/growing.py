"""A PostgreSQL with many rows of which hardly any is due, and how many of them each statement reads."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
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
    SELECT md5('signal' || n)::uuid, organisation, lpad(n::text, 9, '0'), state, 1, d, false, false, false,
        false, md5('key' || n)::uuid, 1, '\\x00', '\\x00', d + 1, d + 2, d + 200, d + 200, true,
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
    SELECT decode(md5(id::text), 'hex'), id, organisation_id, '{quarter}',
        decode(md5(id::text), 'hex'), received_on, id FROM signals""",
    """INSERT INTO address_links (house_pseudonym, id, organisation_id, quarter, pseudonym, received_on)
    SELECT decode(md5('p' || n), 'hex'), md5('link' || n)::uuid, md5('team' || n)::uuid, '{quarter}',
        decode(md5('p' || n), 'hex'), date '{today}' - 100 FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO status_changes (id, signal_id, sequence, action, before, after, changed_on)
    SELECT id, id, 1, 'arrive', NULL, 'new', received_on FROM signals""",
    """INSERT INTO receipts (receipt_hash, state, state_before, changed_on)
    SELECT sha256(('q' || n)::bytea), 'received', 'received', date '{today}' - 60
    FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO deletion_records (signal_id, organisation_id, reference, case_key_id, deleted_on, reason,
        key_destroyed_on)
    SELECT md5('gone' || n)::uuid, md5('team' || n)::uuid, lpad(n::text, 9, '0'), md5('old' || n)::uuid,
        date '{today}' - 9, 'concluded', date '{today}' - 9 FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO referrals (id, signal_id, reference, from_organisation_id, to_organisation_id, referred_on,
        sequence, reason, referred_by_id, old_case_key_id, key_destroyed_on)
    SELECT md5('referral' || n)::uuid, md5('away' || n)::uuid, lpad(n::text, 9, '0'), organisation_id,
        organisation_id, date '{today}' - 9, 2, 'moved', theirs.id, md5('before' || n)::uuid,
        date '{today}' - 9 FROM generate_series(1, {rows}) AS n
    CROSS JOIN (SELECT * FROM staff_members WHERE organisation_id IS NOT NULL LIMIT 1) AS theirs""",
    """INSERT INTO outbox_messages (id, event, subject_id, organisation_id, channel, recipient, language,
        values, state, not_before, tries, settled_at)
    SELECT md5('mail' || n)::uuid, 'new_signal', md5('subject' || n)::uuid, NULL, 'email', 'a@example.org',
        'nl', '{{}}', 'delivered', timestamptz '{today}' - (1 + n %% 60) * interval '1 day', 1,
        timestamptz '{today}' - (1 + n %% 60) * interval '1 day' FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO delivery_attempts (id, message_id, at, delivered)
    SELECT id, id, not_before, true FROM outbox_messages""",
    """INSERT INTO signal_facts (id, received_quarter, year, sealed)
    SELECT md5('fact' || n)::uuid, '{quarter}', '{year}', '\\x00' FROM generate_series(1, {rows}) AS n""",
    """WITH made AS (INSERT INTO audit_entries (id, at, actor_role, action, ground, outcome, mac)
        SELECT md5('entry' || n)::uuid, timestamptz '{today}' - n * interval '3 hours', 'system',
        'signal_arrived', 'x', 'ok', sha256('x') FROM generate_series(1, {rows}) AS n RETURNING id, at)
    INSERT INTO audit_links (position, entry_id, link)
        SELECT row_number() OVER (ORDER BY at), id, sha256('x') FROM made""",
    """INSERT INTO audit_heads (position, link, at, signature)
    SELECT max(position), sha256('x'), timestamptz '{today}', '\\x00' FROM audit_links""",
    """UPDATE signals SET concluded_at = timestamptz '{today}' - interval '60 days'
    WHERE id IN (SELECT id FROM signals WHERE state = 'concluded' LIMIT {due})""",
)

_WITHOUT_INDEXES = f"""SET LOCAL allow_system_table_mods = on;
    UPDATE pg_index SET indisready = false, indisvalid = false
    WHERE indrelid::regclass::text IN ({", ".join(f"'{name}'" for name in sorted(LARGE))})"""
"""Until `REINDEX` nothing keeps the indexes: to build them once is several times quicker."""
_WITHOUT_TRIGGERS = "SET LOCAL session_replication_role = replica"


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
        connection.exec_driver_sql(_WITHOUT_INDEXES)
    with engine.begin() as connection:
        connection.exec_driver_sql(_WITHOUT_TRIGGERS)
        for statement in (_SIGNALS, *_BESIDE_SIGNALS):
            connection.exec_driver_sql(statement.format(**values))
    with engine.begin() as connection:
        for table in sorted(LARGE):
            connection.exec_driver_sql(f"REINDEX TABLE {table}")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def fill_keystore(file: Path, *, on: date, rows: int) -> None:
    """Give the keystore in a file a key, which opens nothing, for each signal that `seed` makes."""
    made = (on - timedelta(days=50)).isoformat()
    ids = sorted(
        hashlib.md5(f"key{n}".encode(), usedforsecurity=False).hexdigest() for n in range(1, rows + 1)
    )
    with closing(sqlite3.connect(file)) as connection, connection:
        rows_of = ((one, made, b"", b"") for one in ids)
        connection.executemany("INSERT INTO case_keys VALUES (?, ?, ?, ?)", rows_of)


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
