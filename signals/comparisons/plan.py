"""The plan of a comparison, and the order that it draws for a signal: rules without a database."""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from math import sqrt
from statistics import NormalDist
from typing import Any, Final
from uuid import UUID

from signals.vocabulary import AttemptKind, ComparisonArm, ConcernType

ORDERS: Final[Mapping[ComparisonArm, tuple[AttemptKind, AttemptKind]]] = {
    ComparisonArm.VISIT_FIRST: (AttemptKind.VISIT, AttemptKind.CARD),
    ComparisonArm.CARD_FIRST: (AttemptKind.CARD, AttemptKind.VISIT),
    ComparisonArm.LETTER_FIRST: (AttemptKind.LETTER, AttemptKind.VISIT),
}
"""The first two attempts of each arm."""

NEVER_DRAWN: Final = frozenset({ConcernType.CONFUSED, ConcernType.SELF_NEGLECT, ConcernType.FRAIL})
"""Concerns about people who get a visit in any case."""

FOLLOWED_DAYS: Final = 28
"""Days from the first claim in which contact counts."""

EPSILON: Final = "0.50"
POWER: Final = 0.8
ERROR: Final = 0.05

USED_OF_ARM: Final = 4
"""A block gives out this many times its number of arms, and holds twice as many orders.

The other half of a block stays unused. Without it, the last orders of a block could be counted out.
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan of a coordinator, fixed before the first draw. Percentages are of signals with contact."""

    question: str
    arms: tuple[ComparisonArm, ...]
    base_percent: int
    target_percent: int
    ends_on: date
    ethics_reference: str
    registered_on: date

    @property
    def looks(self) -> int:
        """Return how many pairs of arms are compared."""
        return len(self.arms) * (len(self.arms) - 1) // 2

    @property
    def per_arm(self) -> int:
        """Return the signals that each arm needs."""
        return size_per_arm(self.base_percent / 100, self.target_percent / 100, looks=self.looks)

    def as_text(self, code: str) -> str:
        """Return the registration: everything that was fixed, as JSON with sorted keys."""
        said = {
            "code": code,
            "question": self.question,
            "arms": {str(arm): ORDERS[arm] for arm in self.arms},
            "base_percent": self.base_percent,
            "target_percent": self.target_percent,
            "per_arm": self.per_arm,
            "power": POWER,
            "error": ERROR,
            "epsilon": EPSILON,
            "followed_days": FOLLOWED_DAYS,
            "never_drawn": sorted([*NEVER_DRAWN, "repeat", "urgent"]),
            "analysis": "as drawn; Newcombe with noise; Bonferroni over pairs of arms",
            "ends_on": self.ends_on.isoformat(),
            "ethics_reference": self.ethics_reference,
            "registered_on": self.registered_on.isoformat(),
        }
        return json.dumps(said, sort_keys=True, ensure_ascii=False)


def plan_of(text: str) -> Plan:
    """Return the plan of a registration."""
    said: dict[str, Any] = json.loads(text)
    return Plan(
        question=said["question"],
        arms=tuple(arm for arm in ORDERS if arm in said["arms"]),
        base_percent=said["base_percent"],
        target_percent=said["target_percent"],
        ends_on=date.fromisoformat(said["ends_on"]),
        ethics_reference=said["ethics_reference"],
        registered_on=date.fromisoformat(said["registered_on"]),
    )


def digest_of(text: str) -> str:
    """Return the SHA-256 of a registration, in hexadecimal digits."""
    return sha256(text.encode()).hexdigest()


def size_per_arm(base: float, target: float, *, looks: int = 1) -> int:
    """Return the signals an arm needs to tell two shares apart, for `POWER` at two-sided `ERROR`.

    The pooled formula of two proportions (Fleiss 1981, without correction for continuity), rounded. `looks`
    divides the error.
    """
    normal, middle = NormalDist(), (base + target) / 2
    chance = normal.inv_cdf(1 - ERROR / looks / 2) * sqrt(2 * middle * (1 - middle))
    effect = normal.inv_cdf(POWER) * sqrt(base * (1 - base) + target * (1 - target))
    return round(((chance + effect) / (target - base)) ** 2)


def drawn_arm(key: bytes, *, place: tuple[str, UUID, int], arms: Sequence[ComparisonArm]) -> ComparisonArm:
    """Return the arm at a place: comparison, organisation, and number (from 0) of its draws, in blocks.

    The key alone decides. So a place always has the same arm, and nobody without the key knows it.
    """
    code, organisation_id, number = place
    used = USED_OF_ARM * len(arms)
    block, within = divmod(number, used)

    def rank(ticket: int) -> bytes:
        said = f"comparison/v1|{code}|{organisation_id}|{block}|{ticket}"
        return hmac.digest(key, said.encode(), "sha256")

    return arms[sorted(range(2 * used), key=rank)[within] % len(arms)]


def kept_to(arm: ComparisonArm, kinds: Sequence[AttemptKind], *, ended_at_first: bool) -> bool:
    """Return whether the attempts follow the order of an arm; contact at the first one ends it."""
    needed = 1 if ended_at_first else 2
    return tuple(kinds[:needed]) == ORDERS[arm][:needed]
