"""The fixed menu: every published table, and its kind of period. Nothing finer exists.

A released table keeps its dimensions and members for ever, because later releases are checked against it.
Another list of outcomes is another dimension in another table. A window has the municipalities of its own
years (`divisions`); the menu has today's.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from privacy.disclosure.tables import QUARTER, WINDOW, YEAR, Dimension, Measure, Schema
from signals import reference
from signals.vocabulary import AttemptKind, ConcernType, Outcome

RECEIVED: Final = "received"
CONCLUDED: Final = "concluded"
UNKNOWN: Final = "unknown"
"""The member of areas for a signal whose address lies on no map, or is gone."""

MUNICIPALITIES: Final = "municipalities"
_SINCE: Final = re.compile(r"_[12]\d{3}$")

WINDOW_YEARS: Final = 4
"""The years of a window like 2023-2026, the only period of figures by municipality."""

_FIRST_YEAR_OF_A_WINDOW: Final = 2023

OUTCOME_GROUPS: Final[Mapping[Outcome, str]] = {
    Outcome.NO_CONCERN: "no_concern",
    Outcome.TALK_SUFFICED: "helped",
    Outcome.HELP_ACCEPTED: "helped",
    Outcome.REFERRED: "helped",
    Outcome.ESCALATED: "helped",
    Outcome.ALREADY_KNOWN: "known",
    Outcome.HELP_DECLINED: "declined",
    Outcome.NOT_REACHED: "not_reached",
    Outcome.DUPLICATE: "void",
    Outcome.WRONG_ADDRESS: "void",
    Outcome.MISUSE: "void",
}
"""Outcomes in groups; an address link keeps only the group of a purged signal."""

MIXED: Final = "mixed"
"""The member of `kinds` for a signal with attempts of several kinds."""

NONE: Final = "none"
NO_ATTEMPT: Final = "0"
NUMBERS: Final = ("1-2", "3", "4+")
"""The number of attempts in bands: one or two, three, four and more."""

SIGNALS: Final = Measure(name="signals")
CLAIMED_IN_TIME: Final = Measure(name="claimed_in_time", part_of="signals")
CONTACTED: Final = Measure(name="contacted", part_of="signals", same_as=("tried", "yes"))
CONTACTED_IN_TIME: Final = Measure(
    name="contacted_in_time", part_of="contacted", same_as=("tried_in_time", "yes")
)
REACHED: Final = Measure(name="reached", part_of="contacted", same_as=("reached", "yes"))
HELPED: Final = Measure(name="helped", part_of="signals", same_as=("outcome_group", "helped"))
ASKED: Final = Measure(name="known_asked", part_of="signals")
NEWLY_KNOWN: Final = Measure(name="newly_known", part_of="known_asked")
REPEATS: Final = Measure(name="repeats", part_of="signals")
MEDIAN_TO_CLAIM: Final = Measure(name="median_hours_to_claim", derived=True, base="signals")
MEDIAN_TO_CONTACT: Final = Measure(name="median_hours_to_contact", derived=True, base="contacted")


def menu() -> tuple[Schema, ...]:
    """Return every table, in the order of the pages."""
    return (_INTAKE, _FOLLOW_UP, _OUTCOME_GROUPS, _OUTCOMES, _ATTEMPTS, *_of_areas())


def tables_for(kind: str) -> tuple[Schema, ...]:
    """Return the tables of one kind of period: quarter, year or window."""
    return tuple(schema for schema in menu() if kind in schema.periods)


_INTAKE: Final = Schema(
    name="intake",
    title={"nl": "Ontvangen signalen, naar wat opviel", "en": "Signals received, by what was noticed"},
    dimensions=(
        Dimension(name="concern_type", members=tuple(each.value for each in ConcernType), exclusive=False),
    ),
    measures=(SIGNALS,),
    counted_by=RECEIVED,
    periods=(QUARTER, YEAR),
)
_FOLLOW_UP: Final = Schema(
    name="follow_up",
    title={"nl": "Wat er van afgeronde signalen werd", "en": "What became of concluded signals"},
    dimensions=(),
    measures=(
        SIGNALS,
        CLAIMED_IN_TIME,
        CONTACTED,
        CONTACTED_IN_TIME,
        REACHED,
        HELPED,
        ASKED,
        NEWLY_KNOWN,
        REPEATS,
        MEDIAN_TO_CLAIM,
        MEDIAN_TO_CONTACT,
    ),
    counted_by=CONCLUDED,
    periods=(QUARTER, YEAR),
)
_OUTCOME_GROUPS: Final = Schema(
    name="outcome_groups",
    title={"nl": "Uitkomsten in groepen", "en": "Outcomes in groups"},
    dimensions=(Dimension(name="outcome_group", members=tuple(dict.fromkeys(OUTCOME_GROUPS.values()))),),
    measures=(SIGNALS,),
    counted_by=CONCLUDED,
    periods=(QUARTER, YEAR),
)
_OUTCOMES: Final = Schema(
    name="outcomes",
    title={"nl": "Uitkomsten", "en": "Outcomes"},
    dimensions=(
        Dimension(
            name="outcome",
            members=tuple(each.value for each in Outcome),
            parent={outcome.value: group for outcome, group in OUTCOME_GROUPS.items()},
            within="outcome_group",
        ),
    ),
    measures=(SIGNALS,),
    counted_by=CONCLUDED,
    periods=(YEAR,),
)
_KINDS: Final = tuple(each.value for each in AttemptKind)
_ATTEMPTS: Final = Schema(
    name="attempts",
    title={
        "nl": "Wat mensen bereikt: pogingen naar soort en aantal",
        "en": "What reaches people: attempts by kind and number",
    },
    dimensions=(
        Dimension(
            name="kinds",
            members=(NONE, *_KINDS, MIXED),
            parent={NONE: "no", **dict.fromkeys((*_KINDS, MIXED), "yes")},
            within="tried",
        ),
        Dimension(name="number", members=(NO_ATTEMPT, *NUMBERS)),
        Dimension(name="reached", members=("yes", "no")),
    ),
    measures=(SIGNALS,),
    counted_by=CONCLUDED,
    periods=(YEAR,),
    impossible=(
        *((NONE, number, "*") for number in NUMBERS),
        *((kind, NO_ATTEMPT, "*") for kind in (*_KINDS, MIXED)),
        (NONE, "*", "yes"),
        ("*", NO_ATTEMPT, "yes"),
    ),
)


@lru_cache(maxsize=1)
def _of_areas() -> tuple[Schema, ...]:
    regions = Dimension(name="region", members=(*reference.ggd_regions(), UNKNOWN))
    known = {code: place.ggd_code for code, place in reference.municipalities().items()}
    return (
        Schema(
            name="regions_received",
            title={"nl": "Ontvangen signalen per GGD-regio", "en": "Signals received by GGD region"},
            dimensions=(regions,),
            measures=(SIGNALS,),
            counted_by=RECEIVED,
            periods=(YEAR, WINDOW),
        ),
        Schema(
            name="regions_follow_up",
            title={"nl": "Opvolging per GGD-regio", "en": "Follow-up by GGD region"},
            dimensions=(regions,),
            measures=(SIGNALS, CLAIMED_IN_TIME, CONTACTED, REACHED, HELPED),
            counted_by=CONCLUDED,
            periods=(YEAR,),
        ),
        municipalities({**known, UNKNOWN: UNKNOWN}),
    )


def municipalities(regions: Mapping[str, str], *, since: int | None = None) -> Schema:
    """Return the table of municipalities, each in a region; `since`: the first year of another division."""
    added = "" if since is None else f"_{since}"
    return Schema(
        name=f"{MUNICIPALITIES}{added}",
        title={"nl": "Ontvangen signalen per gemeente", "en": "Signals received by municipality"},
        dimensions=(
            Dimension(
                name=f"municipality{added}", members=tuple(regions), parent=dict(regions), within="region"
            ),
        ),
        measures=(SIGNALS,),
        counted_by=RECEIVED,
        periods=(WINDOW,),
    )


def window_from(year: int) -> tuple[int, int]:
    """Return first and last year of the first fixed window that begins in this year or later."""
    first = year + (_FIRST_YEAR_OF_A_WINDOW - year) % WINDOW_YEARS
    return first, first + WINDOW_YEARS - 1


def is_division(table: str) -> bool:
    """Return whether it is a table of municipalities; their divisions are not bound to the menu."""
    return stem(table) == MUNICIPALITIES


def stem(name: str) -> str:
    """Return a name of a table or dimension without the year of its division."""
    return _SINCE.sub("", name)
