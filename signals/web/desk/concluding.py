"""Show the ways to conclude a signal as tiles in three groups, and the signal that comes after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext

from signals.casework.outcomes import attempts_asked
from signals.casework.questions import NOT_SO, SPOKEN, missing
from signals.casework.queue import next_for
from signals.models import Signal
from signals.vocabulary import OPEN_STATES, NotReachedReason, Outcome, SignalState
from signals.web.labels import label
from signals.web.staff_kit.auth import current
from signals.web.staff_kit.context import read
from signals.web.staff_kit.forms import ENDINGS
from signals.web.staff_kit.opened import organisation_id


@dataclass(frozen=True, kw_only=True)
class Ending:
    """Hold one tile: the code of the form, its words, and what a conclusion with it asks."""

    code: str
    words: str
    asks: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Hold tiles with their title; `least`: the attempts that the team asks and did not make yet."""

    title: str
    endings: Sequence[Ending]
    least: int | None = None


def ending_groups(signal: Signal, language: str) -> list[Group]:
    """Return the groups of tiles: spoken with somebody, not reached, not so; none for a concluded signal."""
    if signal.state not in OPEN_STATES:
        return []
    least = read(attempts_asked, signal)
    groups = (
        (gettext("Spoken"), SPOKEN, None),
        (gettext("Not reached"), frozenset({Outcome.NOT_REACHED}), least),
        (gettext("Not so"), NOT_SO, None),
    )
    tiles = [
        (outcome, _ending(signal, code, outcome, why, language)) for code, (outcome, why) in ENDINGS.items()
    ]
    return [
        Group(title=title, endings=[tile for outcome, tile in tiles if outcome in group], least=asked)
        for title, group, asked in groups
    ]


def ending_choices(language: str) -> list[tuple[str, str]]:
    """Return the codes of all tiles with their words."""
    return [(code, _words(outcome, why, language)) for code, (outcome, why) in ENDINGS.items()]


def next_signal(signal: Signal) -> UUID | None:
    """Return the signal to open after a concluded one: the most urgent that the reader has or nobody has."""
    if signal.state is not SignalState.CONCLUDED:
        return None
    return read(next_for, organisation_id=organisation_id(), staff_id=current().member.id)


def _ending(
    signal: Signal, code: str, outcome: Outcome, why: NotReachedReason | None, language: str
) -> Ending:
    asks: list[str] = sorted(missing(signal, outcome))
    if outcome in (Outcome.REFERRED, Outcome.ESCALATED):
        asks.append(outcome)  # each shows its own part of the list
    return Ending(code=code, words=_words(outcome, why, language), asks=asks)


def _words(outcome: Outcome, why: NotReachedReason | None, language: str) -> str:
    return label(why or outcome, language)
