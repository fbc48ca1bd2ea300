"""Invented addresses all over the Netherlands: real four-digit postcodes, everything after them made up."""

import random
from collections.abc import Iterator
from typing import Any

from signals.reference import pc4_runs
from signals.routing.postcodes import Address

_LETTERS = "ABCDEFGHJKLMNPRSTVWXZ"
_CONCERNS = ("seems_lonely", "mail_piling_up", "not_seen", "frail", "confused")


def addresses(seed: int) -> Iterator[Address]:
    """Addresses without end, every municipality among them; the same for the same seed."""
    chosen = random.Random(seed)
    runs = pc4_runs()
    while True:
        run = chosen.choice(runs)
        first, second = chosen.choice(_LETTERS), chosen.choice(_LETTERS)
        second = "B" if first == "S" else second  # the Dutch post issues no SA, SD and SS
        postcode = f"{chosen.randint(run.first, run.last)}{first}{second}"
        yield Address(postcode=postcode, number=chosen.randint(1, 400))


def bodies(seed: int) -> Iterator[dict[str, Any]]:
    """Yield the bodies that a carrier's phone sends for the addresses."""
    for count, address in enumerate(addresses(seed)):
        concerns = [_CONCERNS[count % len(_CONCERNS)], _CONCERNS[(count + 2) % len(_CONCERNS)]]
        yield {"postcode": address.postcode, "house_number": address.number, "concern_types": concerns}
