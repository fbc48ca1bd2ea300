"""Read `demo.toml`: the stories that the demo tells, and the weights by which it draws its figures."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeVar

from signals.casework.outcomes import ReopenReason
from signals.intake.content import Report, Summary
from signals.routing.postcodes import Address
from signals.vocabulary import (
    AttemptKind,
    AttemptResult,
    ConcernType,
    DeferralReason,
    NotReachedReason,
    Outcome,
    ReferredTo,
    Role,
    Seen,
)

_Item = TypeVar("_Item")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One act of a team, so many working days after the receipt, at an hour in Amsterdam.

    `act` names a function of `telling`, and `values` are its arguments.
    """

    after: int
    hour: int
    act: str
    values: Mapping[str, Any]
    by: Role = Role.WORKER


@dataclass(frozen=True, kw_only=True)
class Story:
    """One report to a team, some working days ago, and the steps of the team after it."""

    team: str
    days_ago: int
    report: Report = field(repr=False)
    steps: tuple[Step, ...]


def stories() -> Iterator[Story]:
    """Yield all stories. Raises `ValueError` or `KeyError` for an unknown code in the file."""
    data = demo_data()
    plots = {name: tuple(map(_step, lines.splitlines())) for name, lines in data["plots"].items()}
    for team, lines in data["stories"].items():
        for line in lines.splitlines():
            days_ago, postcode, house, concerns, seen, plot = line.split(maxsplit=5)
            number, addition = house.rstrip("ABC"), house.lstrip("0123456789")
            report = Report(
                address=Address.parse(postcode=postcode, number=int(number), addition=addition),
                summary=Summary(
                    concern_types=tuple(map(ConcernType, concerns.split("+"))) if concerns != "-" else (),
                    seen=None if seen == "-" else Seen(seen),
                ),
            )
            yield Story(team=team, days_ago=int(days_ago), report=report, steps=plots[plot])


def places() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the postcodes of the stories, each with street, town, neighbourhood and district."""
    for line in demo_data()["places"]["streets"].splitlines():
        postcode, _, names = line.partition("  ")
        if postcode:
            yield postcode, tuple(names.split(", "))


def shown(items: Sequence[_Item], what: str) -> Iterable[_Item]:
    """Go through items, with a bar on stderr when a person watches."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, what, console=console, transient=True, disable=not console.is_terminal)


def weights(name: str) -> Mapping[str, int]:
    """Return how often each code occurs beside the others."""
    found: Mapping[str, int] = demo_data()["weights"][name]
    return found


@cache
def demo_data() -> Mapping[str, Any]:
    """Return the whole file."""
    return tomllib.loads(files(__package__).joinpath("demo.toml").read_text(encoding="utf-8"))


def _step(line: str) -> Step:
    after, hour, act, *words = line.split()
    if act == "note":
        values: dict[str, Any] = {"text": " ".join(words)}
    else:
        pairs = (word.split("=") for word in words)
        values = {name: _READ[act, name](code) for name, code in pairs}
    by = values.pop("by", Role.WORKER)
    return Step(after=int(after), hour=int(hour), act=act, values=values, by=by)


_READ: Final[Mapping[tuple[str, str], Any]] = {
    ("claim", "by"): Role,
    ("attempt", "by"): Role,
    ("attempt", "kind"): AttemptKind,
    ("attempt", "result"): AttemptResult,
    ("attempt", "workers"): int,
    ("attempt", "agreed_in_days"): int,
    ("notice", "notified"): str,
    ("notice", "deferred_because"): DeferralReason,
    ("conclude", "outcome"): Outcome,
    ("conclude", "referred_to"): ReferredTo,
    ("conclude", "newly_known"): "yes".__eq__,
    ("conclude", "reason"): NotReachedReason,
    ("reopen", "reason"): ReopenReason,
}
"""The reader of each value, by act and name."""
