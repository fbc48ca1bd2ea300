"""Measure the questions of every minute: queue, search, opening, intake, health, doctor."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import uuid4

from flask.testing import FlaskClient
from sqlalchemy import select

from privacy.logs import configure_logging
from signals.cli.doctor import examine
from signals.models import Signal, StaffMember
from signals.staff.accounts import issue_token
from signals.vocabulary import ProcessRole, SignalState
from signals.web.http.metrics import Figures
from tests.support.world import AMSTERDAM, World, report

FAR_PAGE = 100


def receive_some(world: World) -> Callable[[int], None]:
    """Return what takes in so many reports, as the front does."""
    intake = world.intake(limit=10**7)

    def receive(number: int) -> None:
        for _ in range(number):
            intake.receive(world.clock, key=uuid4(), report=report())

    return receive


def hot_queries(world: World) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield each query by name."""
    receive, client, worker = receive_some(world), _client(world), world.worker()
    front = world.app(ProcessRole.FRONT).test_client()
    configure_logging(level="CRITICAL")  # the seeded signals are unreadable, and each look at one says so
    receive(1)
    worker.arrive()
    arrived = world.row(select(Signal.id).where(Signal.state == SignalState.NEW).limit(1))
    signal = f"/api/v1/signals/{arrived}"
    page = "/api/v1/queue?limit=25"
    far = page
    for _ in range(FAR_PAGE - 1):
        far = f"{page}&cursor={client.get(far).json['next_cursor']}"
    doctor = replace(world.settings, role=ProcessRole.WORKER)
    figures = Figures(sessions=world.sessions, clock=world.clock, reads_intake=True)
    yield from {
        "queue, first page": lambda: _ok(client, "get", page),
        f"queue, page {FAR_PAGE}": lambda: _ok(client, "get", far),
        "search by reference": lambda: _ok(client, "post", "/api/v1/search", reference="0000-00001"),
        "search by address": lambda: _ok(
            client, "post", "/api/v1/search", postcode="1012AB", house_number=12
        ),
        "open a signal": lambda: _ok(client, "get", signal),
        "claim and release": lambda: [_ok(client, "post", f"{signal}/{do}") for do in ("claim", "release")],
        "take in a report": lambda: receive(1),
        "readyz, front and desk": lambda: [_ok(one, "get", "/readyz") for one in (front, client)],
        "metrics": lambda: list(figures.collect()),
        "doctor": lambda: list(examine(doctor, world.clock)),
    }.items()


def _client(world: World) -> FlaskClient:
    actor = world.staff(AMSTERDAM)
    with world.begin(actor) as operation:
        member = operation.session.get_one(StaffMember, actor.id)
        token = issue_token(operation, member=member, label="bench")
    limits = replace(world.settings.limits, openings_per_hour=10**9)
    client = world.app(ProcessRole.DESK, limits=limits).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def _ok(client: FlaskClient, method: str, path: str, **body: object) -> None:
    answer = client.open(path, method=method.upper(), json=body or None)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}")
