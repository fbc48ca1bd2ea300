"""Keep facts sealed until the tables of their year are drawn, under a key of the year.

The draw deletes the rows, and then the key. So the database alone tells nothing of a fact beside a deletion
record, and an older copy tells nothing at all.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, delete, select
from structlog import get_logger

from privacy.bulk import insert_many
from privacy.keystore import KeyRefused, Keystore
from privacy.sealing import EnvelopeRefused, opener, seal_bytes
from signals.models import SignalFact
from signals.models.base import new_id
from signals.statistics.facts import Fact, Result
from signals.statistics.menu import PeriodKind, kind_of

SIZE: Final = 256
"""Bytes of every fact before sealing: the true length would tell its number of attempts."""

_BETWEEN: Final = "|"
_LAST_YEAR: Final = "9999"
"""Codes of comparisons come after it."""

log = get_logger(__name__)

_table: Final = cast(Table, SignalFact.__table__)


def store_facts(connection: Connection, keys: Keystore, facts: Iterable[Fact | Result]) -> None:
    """Seal facts into their table, in the transaction of their purge.

    Without a readable key of the year a fact is lost, and logged: no purge waits for the figures.
    """
    made = [(new_id(), fact) for fact in facts]
    opened = {year: _key_of(keys, year) for year in {fact.year for _, fact in made}}
    rows = [(fact_id, fact) for fact_id, fact in made if opened[fact.year]]
    columns: dict[str, list[Any]] = {
        "id": [fact_id for fact_id, _ in rows],
        "received_quarter": [fact.received for _, fact in rows],
        "year": [fact.year for _, fact in rows],
        "sealed": [
            seal_bytes(_padded(fact), opened[fact.year] or b"", associated_data=_place(fact_id))
            for fact_id, fact in rows
        ],
    }
    if rows:
        insert_many(connection, _table, columns)


def _key_of(keys: Keystore, year: str) -> bytes | None:
    try:
        return keys.secret(secret_of(year))
    except KeyRefused:
        log.error("statistics.facts_lost", year=year)
        return None


def stored_facts(connection: Connection, keys: Keystore, *, since: str) -> Iterator[Fact]:
    """Yield the stored facts that the tables of a year or of a later one need.

    Leaves out and logs a row that was moved or changed. Raises `EnvelopeRefused` when no row of a year opens:
    then its key is lost.
    """
    years = _table.c.year.between(since, _LAST_YEAR)
    return (Fact(*texts) for texts in _opened(connection, keys, years))


def stored_results(connection: Connection, keys: Keystore, *, code: str) -> Iterator[Result]:
    """Yield the stored results of a comparison."""
    return (Result(*texts) for texts in _opened(connection, keys, _table.c.year == code))


def _opened(connection: Connection, keys: Keystore, wanted: ColumnElement[bool]) -> Iterator[list[str]]:
    query = select(_table.c.id, _table.c.year, _table.c.sealed).where(wanted)
    years = connection.scalars(select(_table.c.year).where(wanted).distinct()).all()
    opened = {year: opener(keys.secret(secret_of(year))) for year in years}
    unread, read = set[str](), set[str]()
    with connection.execute(query.execution_options(yield_per=10_000)) as rows:
        for fact_id, year, sealed in rows:
            try:
                text = opened[year](sealed, _place(fact_id))
            except EnvelopeRefused:
                log.error("statistics.fact_refused", fact_id=str(fact_id), year=year)
                unread.add(year)
                continue
            read.add(year)
            yield text.decode().rstrip().split(_BETWEEN)
    if unread - read:
        raise EnvelopeRefused


def forget_facts(connection: Connection, *, of: str) -> None:
    """Delete what a released year, and earlier ones, or a released comparison needed; a quarter keeps all."""
    if kind_of(of) is not PeriodKind.QUARTER:
        is_year = kind_of(of) is PeriodKind.YEAR
        connection.execute(delete(SignalFact).where(_table.c.year <= of if is_year else _table.c.year == of))


def secret_of(year: str) -> str:
    """Return the name of the key of a year or a comparison, which goes after the draw."""
    return f"facts-{year.lower()}"


def _padded(fact: Fact | Result) -> bytes:
    text = _BETWEEN.join(fact).encode()
    if len(text) > SIZE:
        raise ValueError("a fact is longer than the fixed size")
    return text.ljust(SIZE)


def _place(fact_id: UUID) -> bytes:
    return b"signal_facts/sealed/" + fact_id.bytes
