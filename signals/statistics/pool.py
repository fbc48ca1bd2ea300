"""The pool of waiting facts: a single fact would lie beside the deletion record of its signal.

A database shows which rows were written together: PostgreSQL by transaction number and place on disk, a
nightly copy by its new rows. So a purge seals its facts under a key of the quarter, in the keystore. Later
one transaction opens many facts and writes them shuffled. The database alone then links no fact to a record.
"""

import json
import random
import uuid
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, Final, Protocol, cast

from sqlalchemy import Connection, Table, delete, func, select
from sqlalchemy.orm import Session

from privacy.bulk import insert_many
from privacy.pseudonyms import quarter_of
from privacy.sealing import canonical_json, open_bytes, seal_bytes
from signals.models import PooledFact, SignalFact
from signals.models.base import new_id

SIZE: Final = 1024
"""Bytes of every fact before sealing: the true length would tell its number of concern types."""

_pool: Final = cast(Table, PooledFact.__table__)
_facts: Final = cast(Table, SignalFact.__table__)
_shuffle: Final = random.SystemRandom()


class PoolKeys(Protocol):
    """The source of the pool's keys: the keystore on the desk side."""

    def secret(self, name: str) -> bytes:
        """Return the 32 bytes of a named secret; make it at the first call."""
        ...

    def forget_secrets(self, names: Iterable[str]) -> int:
        """Delete named secrets for good."""
        ...


def pool_facts(connection: Connection, keys: PoolKeys, facts: Sequence[dict[str, Any]], *, on: date) -> None:
    """Seal the values of `SignalFact` rows into the pool, in the transaction of their purge."""
    if not facts:
        return
    quarter = quarter_of(on)
    key = keys.secret(_secret_of(quarter))
    ids = [new_id() for _ in facts]
    sealed = [
        seal_bytes(_padded(fact), key, associated_data=_place(i)) for i, fact in zip(ids, facts, strict=True)
    ]
    insert_many(connection, _pool, {"id": ids, "sealed": sealed}, {"quarter": quarter})


def move_facts(session: Session, *, keys: PoolKeys, at_least: int = 1) -> int:
    """Write all facts of the pool shuffled, once there are `at_least` so many; return how many.

    Of two simultaneous workers, the one that deletes a row writes its fact.
    """
    if (session.scalar(select(func.count()).select_from(_pool)) or 0) < at_least:
        return 0
    connection = session.connection()
    taken = connection.execute(delete(_pool).returning(_pool.c.id, _pool.c.quarter, _pool.c.sealed)).all()
    facts = [_opened(keys, row) for row in taken]
    _shuffle.shuffle(facts)
    if facts:
        insert_many(connection, _facts, {name: [fact[name] for fact in facts] for name in facts[0]})
    return len(facts)


def forget_pool_keys(session: Session, *, keys: PoolKeys, on: date) -> int:
    """Destroy the key of the last quarter once none of its facts waits: old rows become unreadable.

    Wait until the second day of a quarter: a purge that began before midnight may still commit.
    """
    over = quarter_before(quarter_of(on - timedelta(days=1)))
    if session.scalar(select(_pool.c.quarter).where(_pool.c.quarter <= over).limit(1)) is not None:
        return 0
    return keys.forget_secrets([_secret_of(over)])


def quarter_before(quarter: str) -> str:
    """Return the quarter before one like "2026-Q4"."""
    year, number = int(quarter[:4]), int(quarter[-1])
    return f"{year}-Q{number - 1}" if number > 1 else f"{year - 1}-Q4"


def _opened(keys: PoolKeys, row: Any) -> dict[str, Any]:
    key = keys.secret(_secret_of(row.quarter))
    fact: dict[str, Any] = json.loads(open_bytes(row.sealed, key, associated_data=_place(row.id)))
    return fact | {"id": new_id()}


def _padded(fact: dict[str, Any]) -> bytes:
    text = canonical_json({name: value for name, value in fact.items() if name != "id"})
    if len(text) > SIZE:
        raise ValueError("a fact is longer than the pool's fixed size")
    return text.ljust(SIZE)  # spaces after JSON say nothing


def _secret_of(quarter: str) -> str:
    return f"facts-{quarter.lower()}"


def _place(pooled_id: uuid.UUID) -> bytes:
    return b"pooled_facts/sealed/" + pooled_id.bytes
