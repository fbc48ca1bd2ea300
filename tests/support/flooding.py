"""A flood of reports without tokens over HTTP, while carriers with tokens send theirs."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any

from signals.clock import SystemClock, today
from signals.settings import LimitsSettings
from signals.vocabulary import ProcessRole
from tests.support.phone import OverHttp, Phone
from tests.support.serving import Served, serving
from tests.support.talking import post_of, talk
from tests.support.token_side import Mint
from tests.support.world import IN_AMSTERDAM, IN_GRONINGEN, World, report

PATH = "/api/v1/signals"
PLACES = ("1012AB", "9711AA", "3511AB", "1000AA")
"""Addresses of two teams, of a GGD, and of nobody: those go to the national desk."""
STRAYS = 20
"""For each of two teams, with an address of the other one."""
LIMITS = LimitsSettings(unproven_reports_per_area_and_hour=1000, open_reports_per_area_and_day=5000)
"""The small lane of a day alone: that of an hour would stop each process at three."""


@dataclass(frozen=True, kw_only=True)
class Flood:
    """The answers to reports with tokens, alone and in the flood, and those to the flood itself."""

    calm: dict[str, Any]
    pressed: dict[str, Any]
    flooded: dict[str, Any]


def flood(world: World, *, size: int, carriers: int) -> Flood:
    """Send so many reports without tokens, and twice so many reports as there are carriers with them."""
    world.settings = replace(world.settings, limits=LIMITS)
    with serving(world, role=ProcessRole.FRONT) as served, ThreadPoolExecutor(1) as others:
        mint = Mint(today(SystemClock()), origin=f"127.0.0.1:{served.port}")
        mint.trust_in(world.settings.front.issuers_file)
        proven = list(_proven(mint, 2 * carriers))
        calm = talk(served.port, proven[:carriers], 1)
        flooding = others.submit(talk, served.port, _unproven(served, size), 8)
        pressed = talk(served.port, proven[carriers:], 1)
        return Flood(calm=calm, pressed=pressed, flooded=flooding.result())


def _proven(mint: Mint, count: int) -> Iterator[bytes]:
    for number, place in enumerate(islice(cycle(PLACES), count), start=1):
        token = urlsafe_b64encode(mint.token()).decode()
        body = {"postcode": place, "house_number": number}
        yield post_of(PATH, body, f'Authorization: PrivateToken token="{token}"\r\n')


def _unproven(served: Served, count: int) -> list[bytes]:
    """Return the flood; it begins with reports that were sealed for the wrong one of two teams."""
    phone = Phone(OverHttp(f"http://127.0.0.1:{served.port}"), root=None)
    two = [(IN_AMSTERDAM, IN_GRONINGEN), (IN_GRONINGEN, IN_AMSTERDAM)]
    strays = [phone.seal(report(wrong), report(right).canonical()) for wrong, right in STRAYS * two]
    clear = ({"postcode": PLACES[n % 4], "house_number": 1 + n} for n in range(count - len(strays)))
    return [post_of(PATH, body) for body in (*strays, *clear)]
