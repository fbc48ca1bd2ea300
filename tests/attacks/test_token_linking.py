"""An attacker with both databases, and the issuer's log, learns nothing of which code sent which report."""

import io
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine, inspect, text

from privacy.logs import configure_logging
from privacy.tokens import challenge
from signals.app import open_issuer
from signals.clock import today
from signals.intake.authorisation import TrustedIssuers
from signals.issuer.codes import add_code, list_codes
from signals.models import SpentToken
from tests.support.token_client import Pending
from tests.support.world import IN_AMSTERDAM, World, report

CODES, REPORTS = 200, 20
DAYS = 5

pytestmark = pytest.mark.slow


@dataclass(kw_only=True)
class Past:
    """A week of requests and reports: the issuer's log, and the truth by spent row."""

    log: io.StringIO = field(default_factory=io.StringIO)
    code_of: dict[bytes, int] = field(default_factory=dict)
    day_of: dict[bytes, date] = field(default_factory=dict)


@pytest.fixture
def past(sqlite_world: World) -> Iterator[Past]:
    """Each day every code asks for as many tokens, and phones spend as many of those that they keep."""
    world, made = sqlite_world, Past()
    configure_logging(made.log, level="DEBUG", date_only=True)
    world.clock.moment -= timedelta(days=1)  # a Monday, so that all is one week
    issuer = open_issuer(world.settings, world.clock)
    issuer.keep()
    prover = TrustedIssuers(
        file=world.settings.front.issuers_file,
        origin="example.org",
        own=lambda: (issuer.url, issuer.directory()),
    )
    door = world.intake(limit=1_000_000, prover=prover)
    monday = today(world.clock)
    with issuer.sessions.begin() as session:
        codes = [
            add_code(session, label=f"Depot {n}", phones=5, days=90, by="test", on=monday).code
            for n in range(CODES)
        ]
    key = next(one.key for one in issuer.keys.published(monday) if one.week == monday)
    answers = challenge(issuer=urlsplit(issuer.url).netloc, origin="example.org")
    chance, purse = random.Random(9578), list[tuple[int, bytes]]()
    for day in range(DAYS + 1):
        asking = [] if day == DAYS else list(range(CODES)) * (REPORTS // DAYS)
        chance.shuffle(asking)
        for number in asking:
            pending = Pending.new(key, answers)
            purse.append((number, pending.token(issuer.sign(codes[number], pending.request))))
        chance.shuffle(purse)
        for number, token in (purse.pop() for _ in range(CODES * REPORTS // DAYS if day else 0)):
            door.receive(world.clock, key=uuid.uuid4(), report=report(IN_AMSTERDAM), token=token)
            spent = prover.proof(token, today(world.clock)).nonce_hash
            made.code_of[spent], made.day_of[spent] = number, today(world.clock)
        world.move(days=1)
    yield made
    issuer.engine.dispose()


def test_rows_of_both_sides_share_nothing_and_neither_order_nor_day_tells_better_than_chance(
    sqlite_world: World, past: Past
) -> None:
    issuer = open_issuer(sqlite_world.settings, sqlite_world.clock)
    ours, theirs = set(_values(sqlite_world.engine)), set(_values(issuer.engine))
    assert {value for value in ours & theirs if len(value) >= 8} == set()
    with sqlite_world.sessions() as session:
        spent = list(session.scalars(text(f"SELECT nonce_hash FROM {SpentToken.__tablename__}")))
    with issuer.sessions() as session:
        listed = list_codes(session)
    order = sorted(range(CODES), key=lambda number: listed[number].code_hash)
    assert len(spent) == CODES * REPORTS
    assert not [code.label for code in listed if code.label in past.log.getvalue()]
    assert not [code.id for code in listed if str(code.id) in past.log.getvalue()]
    # The k-th row of one side is taken for the k-th of the other; then rows in the order of bytes or days.
    guesses = {
        "as stored": {row: place // REPORTS for place, row in enumerate(spent)},
        "by hash": {row: order[place // REPORTS] for place, row in enumerate(sorted(spent))},
        "by day": {
            row: place % CODES for place, row in enumerate(sorted(spent, key=past.day_of.__getitem__))
        },
    }
    for name, guess in guesses.items():
        hits = sum(guess[row] == number for row, number in past.code_of.items())
        expected = REPORTS  # of 4,000 guesses, one in 200 is right by chance
        assert hits <= expected + 5 * expected**0.5, name
    issuer.engine.dispose()


def _values(engine: Engine) -> Iterator[str]:
    """Every value of a database that could be followed from one side to the other, dates apart."""
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names():
            for row in connection.execute(text(f"SELECT * FROM {table}")):
                yield from (_shown(value) for value in row if isinstance(value, bytes | str))


def _shown(value: Any) -> str:
    shown = value.hex() if isinstance(value, bytes) else value
    return "" if len(shown) == 10 and shown[4:5] == "-" else shown
