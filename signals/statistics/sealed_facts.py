"""Keep facts sealed until the tables of their year are drawn, under a key of the year.

The draw deletes the rows, and then the key. So the database alone tells nothing of a fact beside a deletion
record, and an older copy tells nothing at all.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Connection, Table, delete, select

from privacy.bulk import insert_many
from privacy.keystore import Keystore
from privacy.sealing import opener, seal_bytes
from signals.models import SignalFact
from signals.models.base import new_id
from signals.statistics.facts import Fact

SIZE: Final = 256
"""Bytes of every fact before sealing: the true length would tell its number of attempts."""

_BETWEEN: Final = "|"
_table: Final = cast(Table, SignalFact.__table__)


def store_facts(connection: Connection, keys: Keystore, facts: Iterable[Fact]) -> None:
    """Seal facts into their table, in the transaction of their purge."""
    rows = [(new_id(), fact) for fact in facts]
    opened = {year: keys.secret(secret_of(year)) for year in {fact.year for _, fact in rows}}
    columns: dict[str, list[Any]] = {
        "id": [fact_id for fact_id, _ in rows],
        "received_quarter": [fact.received for _, fact in rows],
        "year": [fact.year for _, fact in rows],
        "sealed": [
            seal_bytes(_padded(fact), opened[fact.year], associated_data=_place(fact_id))
            for fact_id, fact in rows
        ],
    }
    if rows:
        insert_many(connection, _table, columns)


def stored_facts(connection: Connection, keys: Keystore, *, since: str) -> Iterator[Fact]:
    """Yield the stored facts that the tables of a year or of a later one need.

    Raises `EnvelopeRefused` for a row that was moved or changed.
    """
    query = select(_table.c.id, _table.c.year, _table.c.sealed).where(_table.c.year >= since)
    years = connection.scalars(select(_table.c.year).where(_table.c.year >= since).distinct()).all()
    opened = {year: opener(keys.secret(secret_of(year))) for year in years}
    with connection.execute(query.execution_options(yield_per=10_000)) as rows:
        for fact_id, year, sealed in rows:
            yield Fact(*opened[year](sealed, _place(fact_id)).decode().rstrip().split(_BETWEEN))


def forget_facts(connection: Connection, *, until: str) -> None:
    """Delete the facts that only this year and earlier ones need: their tables are drawn."""
    connection.execute(delete(SignalFact).where(_table.c.year <= until))


def secret_of(year: str) -> str:
    """Return the name of the key of a year, which goes after the draw."""
    return f"facts-{year}"


def _padded(fact: Fact) -> bytes:
    text = _BETWEEN.join(fact).encode()
    if len(text) > SIZE:
        raise ValueError("a fact is longer than the fixed size")
    return text.ljust(SIZE)


def _place(fact_id: UUID) -> bytes:
    return b"signal_facts/sealed/" + fact_id.bytes
