"""Doctor, health and metrics stay quick: none of their queries reads a whole large table, or row by row."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection

from signals.cli.doctor import examine
from signals.clock import today
from signals.vocabulary import ProcessRole
from signals.web.http.metrics import Figures
from tests.support.growing import LARGE, statements
from tests.support.world import AMSTERDAM, World

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

ROWS = 100_000
_SEED = (
    """INSERT INTO signals (id, organisation_id, reference, state, version, received_on, unrouted,
        outside_area, repeat, urgent, case_key_id, schema_version, content, summary, claim_by, contact_by,
        conclude_by, due_on, team_notified, concluded_at)
    SELECT gen_random_uuid(), '{team}', lpad(n::text, 9, '0'), state, 1, d, false, false, false, false,
        gen_random_uuid(), 1, '\\x00', '\\x00', d + 1, d + 2, d + 28, d + 1, true,
        CASE WHEN state = 'concluded' THEN d + time '12:00' END
    FROM generate_series(1, {rows}) AS n CROSS JOIN LATERAL (SELECT date '{today}' - n %% 20 AS d,
        CASE WHEN n %% 5 < 3 THEN 'new' ELSE 'concluded' END AS state) AS made""",
    """INSERT INTO outbox_messages (id, event, subject_id, channel, recipient, language, values, state,
        not_before, tries, settled_at)
    SELECT gen_random_uuid(), 'new_signal', gen_random_uuid(), 'email', 'a@example.org', 'nl', '{{}}',
        CASE n %% 1000 WHEN 0 THEN 'queued' WHEN 1 THEN 'failed' ELSE 'delivered' END,
        timestamptz '{today}' - interval '1 day', 1, timestamptz '{today}'
    FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO delivery_attempts (id, message_id, at, delivered)
    SELECT gen_random_uuid(), id, not_before, true FROM outbox_messages""",
    """INSERT INTO audit_entries (id, at, actor_role, action, ground, outcome, mac)
    SELECT gen_random_uuid(), timestamptz '{today}' - n * interval '1 hour', 'system', 'signal_arrived', 'x',
        'ok', '\\x00' FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO deletion_records (signal_id, organisation_id, reference, case_key_id, deleted_on, reason,
        key_destroyed_on)
    SELECT gen_random_uuid(), '{team}', lpad(n::text, 9, '0'), gen_random_uuid(), date '{today}', 'concluded',
        date '{today}' FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO sealed_reports (signal_id, organisation_id, mailbox_key_id, schema_version, received_on,
        unrouted, receipt_hash, envelope)
    SELECT gen_random_uuid(), '{team}', gen_random_uuid(), 1, date '{today}', false,
        sha256(n::text::bytea), '\\x00' FROM generate_series(1, {rows}) AS n""",
    """INSERT INTO signal_facts (id, received_quarter, year, sealed)
    SELECT gen_random_uuid(), '2026-Q3', '2026', '\\x00' FROM generate_series(1, {rows}) AS n""",
    "ANALYZE",
)


def test_no_query_of_doctor_health_and_metrics_reads_a_whole_large_table(postgres_world: World) -> None:
    world = postgres_world
    with world.engine.begin() as connection:
        for statement in _SEED:
            connection.exec_driver_sql(statement.format(team=AMSTERDAM, rows=ROWS, today=today(world.clock)))
    with statements("SELECT", "WITH") as found:
        checks = [
            finding.check
            for finding in examine(replace(world.settings, role=ProcessRole.WORKER), world.clock)
        ]
        list(Figures(sessions=world.sessions, clock=world.clock, reads_intake=True).collect())
        for role in (ProcessRole.FRONT, ProcessRole.DESK):
            assert world.app(role).test_client().get("/readyz").status_code == 200
        asked = dict(found)
    assert {"outbox", "retention", "waiting reports", "refused reports"} <= set(checks)
    with world.engine.connect() as connection:
        slow = {sql: why for sql, values in asked.items() if (why := _slow(connection, sql, values))}
    assert slow == {}


def _slow(connection: Connection, sql: str, values: Any) -> set[str]:
    """Return the parts of a plan that take longer the more rows there are."""
    (plan,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", values).scalar_one()
    return set(_slow_parts(plan["Plan"], bounded=False))


def _slow_parts(node: dict[str, Any], *, bounded: bool) -> Iterator[str]:
    """Yield full scans of large tables, unless a LIMIT ends them, and subplans that run for each row."""
    kind, table = node["Node Type"], node.get("Relation Name", "")
    if kind == "Seq Scan" and table in LARGE and not bounded:
        yield f"reads all of {table}"
    for child in node.get("Plans", ()):
        name = child.get("Subplan Name", "")
        if name.startswith("SubPlan") and f"hashed {name}" not in str(node.get("Filter")):
            yield f"runs {name} for each row"
        yield from _slow_parts(child, bounded=kind == "Limit" or (bounded and kind != "Sort"))
