"""The share of reports that came sealed: of the whole country, and of ten reports at least."""

from urllib.request import urlopen

import pytest

from signals.clock import today
from signals.intake.shares import sealed_percent
from signals.vocabulary import ProcessRole
from signals.web.http.metrics import Figures, serve_metrics
from tests.support.phone import Phone
from tests.support.world import IN_GRONINGEN, World, report


@pytest.fixture
def phone(world: World) -> Phone:
    root = world.keystore.root_public_key()
    assert root
    return Phone(world.client(), root)


def _share(world: World) -> int | None:
    with world.sessions() as session:
        return sealed_percent(session, today(world.clock))


def _figures(world: World) -> str:
    server = serve_metrics(
        Figures(sessions=world.sessions, clock=world.clock, reads_intake=True), {}, host="127.0.0.1", port=0
    )
    try:
        with urlopen(f"http://127.0.0.1:{server.server_address[1]}/metrics", timeout=5) as answer:
            return str(answer.read().decode())
    finally:
        server.shutdown()
        server.server_close()


def test_nine_reports_have_no_share_and_ten_do(world: World, phone: Phone) -> None:
    for number in range(6):
        world.receive(number)
    for _ in range(3):
        phone.send(phone.seal(report(IN_GRONINGEN)))
    assert _share(world) is None
    assert "signals_sealed_percent" not in _figures(world)
    phone.send(phone.seal(report()))
    assert _share(world) == 40
    assert "\nsignals_sealed_percent 40.0\n" in _figures(world)
    for role, is_there in ((ProcessRole.ALL, True), (ProcessRole.DESK, False)):
        figures = world.app(role).test_client().get("/metrics").get_data(as_text=True)
        assert ("\nsignals_sealed_percent 40.0\n" in figures) is is_there


def test_a_report_counts_for_seven_days(world: World, phone: Phone) -> None:
    for _ in range(10):
        phone.send(phone.seal(report()))
    world.move(days=6)
    assert _share(world) == 100
    world.move(days=1)
    assert _share(world) is None
