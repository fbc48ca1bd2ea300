"""Facts: what the tables need of one signal, without id, address or name."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from random import Random, SystemRandom
from typing import Final, NamedTuple
from uuid import UUID

from privacy.pseudonyms import quarter_of
from signals import reference
from signals.clock import AMSTERDAM
from signals.comparisons.draws import Draw
from signals.intake.content import Report
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

Attempt = tuple[AttemptKind, AttemptResult, datetime]
"""Kind, result and moment of one contact attempt."""

_chance: Final[Random] = SystemRandom()


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The follow-up of a signal, the second source of a fact beside the report.

    `concluded_on`: the first conclusion, which settles the year. `reason`: why the team tried less often than
    it asks.
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
    draw: Draw | None = None

    @property
    def in_comparison(self) -> bool:
        """Return whether this signal takes part in a comparison."""
        return self.draw is not None and self.draw.counts


class Fact(NamedTuple):
    """One signal for the tables: codes, with spaces between several, and "" for what is not there.

    `concluded`: the year of the first conclusion, "" without an outcome now. `kinds`: two at most.
    `attempts`: `visit:no card:yes`, the first four up to the first contact; none of a signal that counts in a
    comparison instead.
    """

    organisation: str
    received: str
    concluded: str
    region: str
    outcome: str
    kinds: str
    attempts: str
    reached: str
    in_time: str
    newly_known: str
    repeat: str

    @property
    def year(self) -> str:
        """Return the last year of which a table needs this fact."""
        return self.concluded or self.received[:4]


class Result(NamedTuple):
    """One signal for the table of its comparison. Without `arm` it takes no part, which its row must hide."""

    comparison: str
    arm: str = ""
    contact: str = ""
    followed: str = ""

    @property
    def year(self) -> str:
        """Return what the result is kept for, as a fact is for its year."""
        return self.comparison

    @property
    def received(self) -> None:
        """Return no quarter: the fact of the signal has it."""
        return


def fact_from(
    course: Course, report: Report | None, municipality_code: str | None, *, chance: Random = _chance
) -> Fact:
    """Return the fact of a signal; `report` is None when its content is gone."""
    attempts = sorted(course.attempts, key=lambda attempt: attempt[2])
    tried = [f"{kind}:{_answer(result is AttemptResult.CONTACT)}" for kind, result, _ in attempts]
    concluded = course.concluded_on if course.outcome else None
    outcome = NOT_REACHED[course.reason] if course.outcome is Outcome.NOT_REACHED else course.outcome
    in_time = bool(attempts) and attempts[0][2].astimezone(AMSTERDAM).date() <= course.contact_by
    return Fact(
        organisation=str(course.organisation_id or ""),
        received=quarter_of(course.received_on),
        concluded=str(concluded.year) if concluded else "",
        region=region_of(municipality_code) or UNKNOWN,
        outcome=str(outcome or ""),
        kinds=_some(report.summary.concern_types if report else (), chance),
        attempts="" if course.in_comparison else _until_contact(tried),
        reached=_answer(any(attempt.endswith(f":{YES}") for attempt in tried)),
        in_time=_answer(in_time),
        newly_known="" if course.newly_known is None else _answer(course.newly_known),
        repeat=_answer(course.repeat),
    )


def _attempts(attempts: str) -> Iterator[Codes]:
    for number, attempt in enumerate(attempts.split(), start=1):
        yield str(number), *attempt.split(":")


def _kinds(kinds: str) -> Iterator[Codes]:
    return ((kind,) for kind in kinds.split())


def _course(in_time: str, newly_known: str, repeat: str) -> Iterator[Codes]:
    for flag, answer in ((Flag.IN_TIME, in_time), (Flag.NEWLY_KNOWN, newly_known), (Flag.REPEAT, repeat)):
        if answer:
            yield flag.value, answer


def _itself(*codes: str) -> Iterator[Codes]:
    yield codes


CELLS: Final[Mapping[str, tuple[tuple[str, ...], Callable[..., Iterator[Codes]]]]] = {
    "attempts": (("attempts",), _attempts),
    "regions": (("region", "reached"), _itself),
    "outcomes": (("outcome",), _itself),
    "kinds": (("kinds",), _kinds),
    "course": (("in_time", "newly_known", "repeat"), _course),
}
"""The yearly tables: the fields of a fact that each needs, and the cells that those change by one."""


def cells_of(fact: Fact) -> Iterator[tuple[str, Codes]]:
    """Yield (table, cell) of each cell of the yearly tables that a concluded signal changes by one."""
    for code, (fields, cells) in CELLS.items():
        for cell in cells(*(getattr(fact, field) for field in fields)):
            yield code, cell


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


def _some(kinds: Iterable[str], chance: Random) -> str:
    """Return at most two kinds, drawn at random: a fixed order would hide the last ones."""
    known = sorted(kinds)
    return " ".join(sorted(chance.sample(known, min(KINDS_COUNTED, len(known)))))


def _until_contact(tried: Sequence[str]) -> str:
    """Return the first attempts up to contact: a later one reaches somebody who is known by then."""
    first = next((place for place, attempt in enumerate(tried) if attempt.endswith(f":{YES}")), len(tried))
    return " ".join(tried[: min(first + 1, ATTEMPTS_COUNTED)])


def _answer(yes: bool) -> str:
    return YES if yes else NO
