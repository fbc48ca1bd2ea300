"""Tokens: the whole call of the issuer against its bare private operation, and a flood without tokens."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from gmpy2 import mpz

from privacy.secret_files import write_new_secret_file
from privacy.tokens import challenge
from signals.app import create_app, open_issuer
from signals.clock import SystemClock, today
from signals.errors import AreaFull
from signals.intake.receiving import Intake
from signals.issuer.codes import add_code
from signals.settings import LimitsSettings, Settings
from signals.vocabulary import Environment, ProcessRole
from tests.bench.results import Line, quantile
from tests.support.token_client import Pending
from tests.support.token_side import Mint, issuer_in
from tests.support.world import World, make_template, make_world, report

TYPE = "application/private-token-request"


def measure_tokens(folder: Path, *, rounds: int, requests: int) -> Iterator[Line]:
    """Yield the issuer's rate on one core, and how long proven reports wait in a flood."""
    yield from _signing(folder / "issuer", rounds=rounds, requests=requests // 4)
    yield from _flood(folder / "flood", requests=requests)


def _signing(folder: Path, *, rounds: int, requests: int) -> Iterator[Line]:
    folder.mkdir()
    write_new_secret_file(folder / "issuer.key")
    settings = Settings(
        role=ProcessRole.ISSUER, environment=Environment.TEST, data_folder=folder, issuer=issuer_in(folder)
    )
    app, issuer = create_app(settings), open_issuer(settings)
    issuer.keep()
    on = today(SystemClock())
    with issuer.sessions.begin() as session:
        code = add_code(session, label="bench", phones=10_000, days=9, by="bench", on=on).code
    key = next(one.key for one in reversed(issuer.keys.published(on)) if one.week <= on)
    body = Pending.new(key, challenge(issuer="issuer.example.org", origin="example.org")).request
    signer, message = issuer.keys.signer(key.id[-1], on), mpz(int.from_bytes(body[3:], "big"))
    client = app.test_client()

    def ask() -> None:
        answer = client.post(
            "/token-request", data=body, content_type=TYPE, headers={"X-Enrolment-Code": code}
        )
        assert answer.status_code == 200

    bare, whole = [], []
    for _ in range(rounds):
        bare.append(_seconds_each(lambda: signer.private_operation(message), requests))
        whole.append(_seconds_each(ask, requests))
    yield Line(
        "tokens",
        "POST /token-request against a bare private operation, on one core",
        median(bare) / median(whole),
        at_least=0.5,
    )
    yield Line("tokens", "token requests per second of one core", 1 / median(whole))


def _seconds_each(act: Callable[[], object], times: int) -> float:
    begun = process_time()
    for _ in range(times):
        act()
    return (process_time() - begun) / times


def _flood(folder: Path, *, requests: int) -> Iterator[Line]:
    """Compare the slowest hundredth of proven reports, alone and while others send without tokens."""
    (folder / "template").mkdir(parents=True)
    (folder / "world").mkdir()
    make_template(folder / "template")
    world = make_world(folder / "template", folder / "world")
    mint = Mint(today(world.clock))
    mint.trust_in(world.settings.front.issuers_file)
    tokens = [mint.token() for _ in range(2 * 200)]
    door = world.intake(limit=100_000, lane=LimitsSettings())
    calm = [_sent(door, world, token) for token in tokens[:200]]
    with ThreadPoolExecutor(2) as pool:
        flood = [pool.submit(_without, door, world, requests) for _ in range(2)]
        pressed = [_sent(door, world, token) for token in tokens[200:]]
        stored = sum(each.result() for each in flood)
    yield Line(
        "tokens",
        "p99 of proven reports in a flood, against alone",
        quantile(pressed, 0.99) / quantile(calm, 0.99),
    )
    yield Line("tokens", "reports of the flood that were stored", stored)
    world.close()


def _sent(door: Intake, world: World, token: bytes) -> float:
    begun = perf_counter()
    door.receive(world.clock, key=uuid.uuid4(), report=report(), token=token)
    return perf_counter() - begun


def _without(door: Intake, world: World, times: int) -> int:
    stored = 0
    for _ in range(times):
        try:
            door.receive(world.clock, key=uuid.uuid4(), report=report())
            stored += 1
        except AreaFull:
            continue
    return stored
