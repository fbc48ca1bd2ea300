"""Facts: what the tables need of one signal, without id, address or name.

A purge seals the fact of each signal under a key of the year whose tables need it. After the draw the rows
go, and the key with them. So the database alone tells nothing of a fact beside a deletion record.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from random import Random, SystemRandom
from typing import Any, Final, NamedTuple, TypeVar, cast
from uuid import UUID

from sqlalchemy import Connection, Table, delete, select

from privacy.bulk import insert_many
from privacy.keystore import Keystore
from privacy.pseudonyms import quarter_of
from privacy.sealing import open_bytes, seal_bytes
from signals import reference
from signals.clock import AMSTERDAM
from signals.intake.content import Report
from signals.models import SignalFact
from signals.models.base import new_id
from signals.statistics.menu import (
    ATTEMPTS_COUNTED,
    KINDS_COUNTED,
    NO,
    NOT_REACHED,
    UNKNOWN,
    YES,
    Codes,
    Flag,
)
from signals.vocabulary import AttemptKind, AttemptResult, NotReachedReason, Outcome

SIZE: Final = 320
"""Bytes of every fact before sealing: the true length would tell its number of attempts."""

Attempt = tuple[AttemptKind, AttemptResult, datetime]
"""Kind, result and moment of one contact attempt."""

_Tried = TypeVar("_Tried", bound=tuple[str, bool])
_table: Final = cast(Table, SignalFact.__table__)
_chance: Final[Random] = SystemRandom()


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The follow-up of a signal, the second source of a fact beside the report.

    `concluded_on`: the first conclusion, which settles the year; None without an outcome now. `reason`: why
    the team tried less often than it asks.
    """

    received_on: date
    contact_by: date
    concluded_on: date | None
    attempts: Sequence[Attempt]
    outcome: Outcome | None
    newly_known: bool | None
    repeat: bool
    reason: NotReachedReason | None = None
    organisation_id: UUID | None = None


class Fact(NamedTuple):
    """One signal for the tables. `concluded`: the year of the first conclusion, None when it has no outcome.

    `attempts`: (kind, contact) of the first four attempts, up to the first contact. `kinds`: two at most.
    """

    organisation: str
    received: str
    concluded: str | None
    region: str
    outcome: str | None
    kinds: Sequence[str]
    attempts: Sequence[tuple[str, bool]]
    reached: bool
    in_time: bool
    newly_known: bool | None
    repeat: bool

    @property
    def year(self) -> str:
        """Return the last year of which a table needs this fact."""
        return self.concluded or self.received[:4]


def fact_from(
    course: Course, report: Report | None, municipality_code: str | None, *, chance: Random = _chance
) -> Fact:
    """Return the fact of a signal; `report` is None when its content is gone."""
    attempts = sorted(course.attempts, key=lambda attempt: attempt[2])
    tried = [(kind.value, result is AttemptResult.CONTACT) for kind, result, _ in attempts]
    concluded = course.concluded_on if course.outcome else None
    outcome = NOT_REACHED[course.reason] if course.outcome is Outcome.NOT_REACHED else course.outcome
    return Fact(
        organisation=str(course.organisation_id or ""),
        received=quarter_of(course.received_on),
        concluded=str(concluded.year) if concluded else None,
        region=region_of(municipality_code) or UNKNOWN,
        outcome=outcome,
        kinds=_some(report.summary.concern_types if report else (), chance),
        attempts=until_contact(tried),
        reached=any(contact for _, contact in tried),
        in_time=bool(attempts) and attempts[0][2].astimezone(AMSTERDAM).date() <= course.contact_by,
        newly_known=course.newly_known,
        repeat=course.repeat,
    )


def cells_of(fact: Fact) -> Iterator[tuple[str, Codes]]:
    """Yield (table, cell) of each cell of the yearly tables that a concluded signal changes by one."""
    for number, (kind, contact) in enumerate(fact.attempts, start=1):
        yield "attempts", (str(number), kind, _answer(contact))
    yield "regions", (fact.region, _answer(fact.reached))
    yield "outcomes", (fact.outcome or "",)
    for kind in fact.kinds:
        yield "kinds", (kind,)
    yield "course", (Flag.IN_TIME, _answer(fact.in_time))
    yield "course", (Flag.REPEAT, _answer(fact.repeat))
    if fact.newly_known is not None:
        yield "course", (Flag.NEWLY_KNOWN, _answer(fact.newly_known))


def until_contact(attempts: Sequence[_Tried]) -> tuple[_Tried, ...]:
    """Return the first four attempts, (kind, contact) in their order, up to the first contact.

    An attempt after contact reaches somebody who is known by then: it says nothing about reaching people.
    """
    first = next((place for place, (_, contact) in enumerate(attempts) if contact), len(attempts))
    return tuple(attempts[: min(first + 1, ATTEMPTS_COUNTED)])


def store_facts(connection: Connection, keys: Keystore, facts: Iterable[Fact]) -> None:
    """Seal facts into their table, in the transaction of their purge."""
    ids = [(new_id(), fact) for fact in facts]
    if not ids:
        return
    opened = {year: keys.secret(secret_of(year)) for year in {fact.year for _, fact in ids}}
    columns: dict[str, list[Any]] = {
        "id": [fact_id for fact_id, _ in ids],
        "received_quarter": [fact.received for _, fact in ids],
        "year": [fact.year for _, fact in ids],
        "sealed": [
            seal_bytes(_padded(fact), opened[fact.year], associated_data=_place(fact_id))
            for fact_id, fact in ids
        ],
    }
    insert_many(connection, _table, columns)


def stored_facts(connection: Connection, keys: Keystore, *, since: str) -> Counter[Fact]:
    """Return the stored facts that the tables of a year or of a later one need, equal ones together.

    Raises `EnvelopeRefused` for a row that was moved or changed.
    """
    texts: Counter[bytes] = Counter()
    opened: dict[str, bytes] = {}
    query = select(_table.c.id, _table.c.year, _table.c.sealed).where(_table.c.year >= since)
    with connection.execute(query.execution_options(yield_per=10_000)) as rows:
        for fact_id, year, sealed in rows:
            key = opened.get(year) or opened.setdefault(year, keys.secret(secret_of(year)))
            texts[open_bytes(sealed, key, associated_data=_place(fact_id))] += 1
    return Counter({_read(text): number for text, number in texts.items()})


def forget_facts(connection: Connection, *, until: str) -> None:
    """Delete the facts that only this year and earlier ones need: their tables are drawn."""
    connection.execute(delete(SignalFact).where(_table.c.year <= until))


def secret_of(year: str) -> str:
    """Return the name of the key of a year, which goes after the draw."""
    return f"facts-{year}"


def region_of(municipality_code: str | None) -> str | None:
    """Return the GGD region of a municipality, None for one that is on no map.

    A former or future municipality has the region of its successor or predecessor, if that is known.
    """
    municipality = reference.municipalities().get(municipality_code or "")
    return municipality.ggd_code if municipality else _region_of_relatives(municipality_code)


def _region_of_relatives(code: str | None) -> str | None:
    known = reference.municipalities()
    for change in reference.boundary_changes():
        relative = {change.old_code: change.new_code, change.new_code: change.old_code}.get(code or "", "")
        if relative in known:
            return known[relative].ggd_code
    return None


def _some(kinds: Iterable[str], chance: Random) -> tuple[str, ...]:
    """Return at most two kinds, drawn at random: a fixed order would hide the last ones."""
    known = sorted(kinds)
    return tuple(sorted(chance.sample(known, min(KINDS_COUNTED, len(known)))))


def _answer(yes: bool) -> str:
    return YES if yes else NO


def _padded(fact: Fact) -> bytes:
    text = json.dumps(fact, separators=(",", ":")).encode()
    if len(text) > SIZE:
        raise ValueError("a fact is longer than the fixed size")
    return text.ljust(SIZE)  # spaces after JSON say nothing


def _read(text: bytes) -> Fact:
    fact = Fact(*json.loads(text))
    return fact._replace(
        kinds=tuple(fact.kinds), attempts=tuple((kind, contact) for kind, contact in fact.attempts)
    )


def _place(fact_id: UUID) -> bytes:
    return b"signal_facts/sealed/" + fact_id.bytes
