"""Tokens: the whole call of the issuer against its bare private operation, and a flood without tokens."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from statistics import median
from time import process_time

from gmpy2 import mpz
from werkzeug.test import EnvironBuilder, run_wsgi_app

from privacy.secret_files import write_new_secret_file
from privacy.tokens import SIGNATURE_SIZE, challenge
from signals.app import create_app, open_issuer
from signals.clock import SystemClock, today
from signals.issuer.codes import add_code
from signals.settings import Settings
from signals.vocabulary import Environment, ProcessRole
from tests.bench.results import Line, quantile
from tests.support.flooding import flood
from tests.support.token_client import Pending
from tests.support.token_side import issuer_in
from tests.support.world import make_template, make_world

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
    headers = [("X-Enrolment-Code", code)]
    asked = EnvironBuilder("/token-request", method="POST", headers=headers, content_type=TYPE)
    environ = {**asked.get_environ(), "CONTENT_LENGTH": str(len(body)), "wsgi.input_terminated": True}

    def ask() -> None:
        parts, status, _headers = run_wsgi_app(app, environ | {"wsgi.input": BytesIO(body)}, buffered=True)
        assert (status, len(b"".join(parts))) == ("200 OK", SIGNATURE_SIZE)

    bare, whole = [], []
    for _ in range(rounds):
        bare.append(_seconds_each(lambda: signer.private_operation(message), requests))
        whole.append(_seconds_each(ask, requests))
    yield Line(
        "tokens",
        "POST /token-request without the HTTP server, against a bare private operation, on one core",
        median(bare) / median(whole),
        at_least=0.7,
    )
    yield Line("tokens", "token requests per second of one core", 1 / median(whole))


def _seconds_each(act: Callable[[], object], times: int) -> float:
    begun = process_time()
    for _ in range(times):
        act()
    return (process_time() - begun) / times


def _flood(folder: Path, *, requests: int) -> Iterator[Line]:
    """Compare proven reports over HTTP, alone and while eight connections send without tokens."""
    (folder / "template").mkdir(parents=True)
    (folder / "world").mkdir()
    make_template(folder / "template")
    world = make_world(folder / "template", folder / "world")
    seen = flood(world, size=5 * requests, carriers=200)
    calm, pressed = (quantile(each["latencies"], 0.99) for each in (seen.calm, seen.pressed))
    yield Line("tokens", "p99 of proven reports in a flood, against alone", pressed / calm, at_most=2)
    yield Line("tokens", "the same in a flood", pressed * 1e3, "ms")
    refused = sum(count for status, count in seen.pressed["statuses"].items() if status != 201)
    yield Line("tokens", "proven reports that were refused in it", refused, at_most=0)
    yield Line("tokens", "reports of the flood that were stored", seen.flooded["statuses"][201])
    world.close()
