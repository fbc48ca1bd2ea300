"""Five thousand phones after an outage of ten minutes: the rule of their queue meets the servers' limits.

The pauses and rates are read from the files that phones and nginx run. The clock is simulated.
"""

import random
import re
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from pathlib import Path

import pytest

from signals.intake.daily_limit import STEP_LASTS, most_in_step
from signals.reference import municipalities
from signals.settings import LimitsSettings

PROJECT = Path(__file__).parents[2]
NGINX = (PROJECT / "docs/deploy/nginx.conf").read_text()
QUEUE = (PROJECT / "signals/web/static/front_queue.js").read_text()
OUTAGE, PATIENCE = 600.0, 900.0
"""Seconds."""
PHONES, ADDRESSES, PROCESSES = 5000, 50, 2
"""A mobile network lends one address to many phones."""


def number(pattern: str, text: str) -> int:
    """Return the product of the numbers that a pattern finds."""
    found = re.search(pattern, text)
    assert found, pattern
    product = 1
    for each in re.findall(r"\d+", found[1]):
        product *= int(each)
    return product


FIRST = number(r"FIRST_PAUSE = ([\d* ]+);", QUEUE) / 1000
LONGEST = number(r"LONGEST_PAUSE = ([\d* ]+);", QUEUE) / 1000
AFTER_NGINX = number(r":429 (\d+);", NGINX)


@dataclass
class Bucket:
    """A limit of nginx: so many a second, and a burst."""

    rate: int
    burst: int
    filled: float = 0
    at: float = 0

    @classmethod
    def of(cls, zone: str) -> "Bucket":
        return cls(
            number(rf"zone={zone}:\w+ rate=(\d+)r/s", NGINX), number(rf"zone={zone} burst=(\d+)", NGINX)
        )

    def has_room(self, now: float) -> bool:
        self.filled, self.at = max(0.0, self.filled - (now - self.at) * self.rate), now
        return self.filled < self.burst + 1

    def take(self) -> None:
        self.filled += 1


@dataclass
class Servers:
    """nginx with a bucket for each address and one for all, before processes with limits for each team."""

    limit: int
    everybody: Bucket = field(default_factory=lambda: Bucket.of("all_posts"))
    addresses: dict[int, Bucket] = field(default_factory=lambda: defaultdict(lambda: Bucket.of("posts")))
    recent: dict[tuple[int, str], deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def pause_after(self, address: int, team: str, process: int, now: float) -> float:
        """Return the seconds that a phone has to wait; none when its report was taken."""
        buckets = (self.addresses[address], self.everybody)
        if not all(bucket.has_room(now) for bucket in buckets):
            return AFTER_NGINX
        for bucket in buckets:
            bucket.take()
        taken, lasts = self.recent[process, team], STEP_LASTS.total_seconds()
        while taken and taken[0] <= now - lasts:
            taken.popleft()
        if len(taken) >= most_in_step(self.limit):
            return taken[0] + lasts - now + 1
        taken.append(now)
        return 0


def last_taken(chance: random.Random, limit: int, teams: Sequence[str]) -> float:
    """Return the seconds from the end of the outage to the last report."""
    servers = Servers(limit)
    tries = [(chance.uniform(0, OUTAGE), 0, chance.randrange(ADDRESSES), team) for team in teams]
    heapify(tries)
    now = 0.0
    while tries:
        now, count, address, team = heappop(tries)
        wait = min(FIRST * 2**count, LONGEST)
        if now >= OUTAGE:
            wait = servers.pause_after(address, team, chance.randrange(PROCESSES), now)
        if wait:
            heappush(tries, (now + wait * chance.uniform(1, 1.2), count + 1, address, team))
    return now - OUTAGE


@pytest.mark.parametrize("seed", range(3))
def test_all_reports_of_five_thousand_phones_are_taken_within_fifteen_minutes(seed: int) -> None:
    """Phones are where people live. A tenth of the limit in ten minutes made the largest city wait 22."""
    chance = random.Random(seed)
    places = list(municipalities().values())
    inhabitants = [place.inhabitants for place in places]
    teams = [place.code for place in chance.choices(places, inhabitants, k=PHONES)]
    assert last_taken(chance, LimitsSettings().open_reports_per_area_and_day, teams) < PATIENCE
