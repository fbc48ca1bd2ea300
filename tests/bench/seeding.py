"""A million signals in a minute: rows made inside the database, real seals only where they are shown."""

import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, bindparam, select, text, update
from sqlalchemy.orm import Session

from privacy.keystore import Keystore
from signals.db import is_sqlite
from signals.intake.content import Report, Summary, context_of, seal_for_case
from signals.models import Organisation, Signal
from signals.routing.postcodes import Address
from signals.vocabulary import ConcernType
from tests.bench.house import settle

MEASURED = "Amsterdam"
MEASURED_BUCKETS = 50
"""Of 1,000: Amsterdam has 5% of the inhabitants."""
OTHER_CONTENT_BYTES = 18
"""Of rows that no page shows: what PostgreSQL leaves in the row of a content that it stores elsewhere."""
SUMMARY_BYTES = 12 + 256 + 16

_BUCKETS = "CREATE TABLE bench_buckets (bucket integer PRIMARY KEY, organisation_id {uuid} NOT NULL)"
_SEEDED_INDEXES = (
    "ix_signals_open_queue",
    "ix_signals_queue_by_state",
    "ix_signals_claimed_by",
    "ix_signals_received_on",
)
# 60% open; due on one of 400 days; references scattered by a number without a common factor with 10**8.
_POSTGRESQL = """
INSERT INTO signals (id, organisation_id, reference, state, version, received_on, unrouted, repeat,
    case_key_id, schema_version, content, summary, claim_by, contact_by, conclude_by, due_on,
    team_notified)
SELECT gen_random_uuid(), b.organisation_id,
    substr(r, 1, 4) || '-' || substr(r, 5, 4), CASE WHEN n %% 5 < 3 THEN 'new' ELSE 'concluded' END,
    1, d, false, n %% 20 = 0, '{key}', 1, '\\x{content}', '\\x{summary}', d + 1, d + 2, d + 28, d + 1,
    true
FROM generate_series(1, {count}) AS n
CROSS JOIN LATERAL (SELECT lpad((n::bigint * 7368787 %% 100000000)::text, 8, '0') AS r,
    date '2025-10-01' + (n::bigint * 104729 %% 400)::integer AS d) AS made
JOIN bench_buckets AS b ON b.bucket = n::bigint * 7919 / 5 %% 1000
"""
_SQLITE = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}),
made AS (SELECT n, printf('%08d', n * 7368787 % 100000000) AS r,
    '+' || (n * 104729 % 400) || ' days' AS d FROM numbers)
INSERT INTO signals (id, organisation_id, reference, state, version, received_on, unrouted, repeat,
    case_key_id, schema_version, content, summary, claim_by, contact_by, conclude_by, due_on,
    team_notified)
SELECT lower(hex(randomblob(16))), b.organisation_id, substr(r, 1, 4) || '-' || substr(r, 5, 4),
    CASE WHEN n % 5 < 3 THEN 'new' ELSE 'concluded' END, 1, date('2025-10-01', d), 0, n % 20 = 0,
    '{key}', 1, x'{content}', x'{summary}', date('2025-10-02', d), date('2025-10-03', d),
    date('2025-10-29', d), date('2025-10-02', d), 1
FROM made JOIN bench_buckets AS b ON b.bucket = n * 7919 / 5 % 1000
"""


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """A seeded database and the organisation whose queue is measured."""

    engine: Engine
    organisation_id: UUID
    count: int


def seed_signals(engine: Engine, count: int) -> Crowd:
    """Spread signals over the organisations of a database that has no signals yet."""
    with engine.begin() as connection:
        ids = dict(connection.execute(select(Organisation.name, Organisation.id)).tuples().all())
        uuid_type = "char(32)" if is_sqlite(engine) else "uuid"
        connection.exec_driver_sql(_BUCKETS.format(uuid=uuid_type))
        connection.execute(
            text("INSERT INTO bench_buckets VALUES (:bucket, :id)").bindparams(
                bindparam("id", type_=Signal.id.type)
            ),
            [{"bucket": bucket, "id": owner} for bucket, owner in enumerate(_owners(ids))],
        )
        _without_indexes(connection, lambda: connection.exec_driver_sql(_filled(engine, count)))
    settle(engine)
    return Crowd(engine=engine, organisation_id=ids[MEASURED], count=count)


def seal_for_real(crowd: Crowd, keystore: Keystore, signal_ids: Iterable[UUID]) -> None:
    """Give the signals that a page shows a case key of their own and seals that open."""
    wanted = list(signal_ids)
    keys = {secrets.token_bytes(16): secrets.token_bytes(32) for _ in wanted}
    case_keys = {UUID(bytes=raw): key for raw, key in keys.items()}
    keystore.store_case_keys(case_keys, created_on=date(2026, 1, 1))
    with Session(crowd.engine) as session, session.begin():
        for signal_id, (key_id, key) in zip(wanted, case_keys.items(), strict=True):
            session.execute(
                update(Signal)
                .where(Signal.id == signal_id)
                .values(_sealed(signal_id, crowd.organisation_id, key_id, key))
            )


def _sealed(signal_id: UUID, organisation_id: UUID, key_id: UUID, key: bytes) -> dict[str, Any]:
    report = Report(
        address=Address(postcode="1012AB", number=12),
        summary=Summary(concern_types=(ConcernType.SEEMS_LONELY, ConcernType.MAIL_PILING_UP)),
    )
    content, summary = seal_for_case(report, key, context_of(signal_id, organisation_id, key_id))
    return {"case_key_id": key_id, "content": content, "summary": summary}


def _owners(ids: dict[str, UUID]) -> Sequence[UUID]:
    """The organisation of each of 1,000 buckets."""
    others = sorted(owner for name, owner in ids.items() if name != MEASURED)
    rest = [
        others[number * len(others) // (1000 - MEASURED_BUCKETS)] for number in range(1000 - MEASURED_BUCKETS)
    ]
    return [ids[MEASURED]] * MEASURED_BUCKETS + rest


def _filled(engine: Engine, count: int) -> str:
    key = UUID(int=0)
    return (_SQLITE if is_sqlite(engine) else _POSTGRESQL).format(
        count=count,
        key=key.hex if is_sqlite(engine) else key,
        content=os.urandom(OTHER_CONTENT_BYTES).hex(),
        summary=os.urandom(SUMMARY_BYTES).hex(),
    )


def _without_indexes(connection: Any, fill: Any) -> None:
    """Building an index once is several times quicker than keeping it."""
    table = Signal.__table__
    indexes = [index for index in table.indexes if index.name in _SEEDED_INDEXES]  # type: ignore[attr-defined]
    for index in indexes:
        index.drop(connection)
    fill()
    for index in indexes:
        index.create(connection)
