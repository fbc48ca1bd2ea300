"""A routing look-up in memory, on the coverage of a whole installation."""

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median

from signals.clock import SystemClock, today
from signals.routing.snapshot import Router
from tests.bench.addresses import addresses
from tests.bench.house import make_house
from tests.bench.results import Line

LOOKUPS = 20_000


def measure_routing(folder: Path, *, rounds: int) -> Iterator[Line]:
    """Distinct addresses from all over the country; the table alone, and the whole call with its snapshot."""
    house = make_house(folder)
    router = Router(house.engine(), root_public_key=None, refresh_seconds=60)
    on = today(SystemClock())
    places = [(address.postcode, address.number) for address in islice(addresses(7), LOOKUPS)]
    table = router.snapshot().table
    for label, route, at_most in (("table", table.route, 2.0), ("router", router.route, None)):
        seconds = []
        for _ in range(rounds):
            started = time.perf_counter()
            for postcode, number in places:
                route(postcode, number, on)
            seconds.append((time.perf_counter() - started) / LOOKUPS)
        yield Line("routing", f"look-up, {label}", median(seconds) * 1e6, "us", at_most=at_most)
