"""The router: what it knows of the database, how soon it notices a change, and what it does without one."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete, event, select, text, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from signals import reference
from signals.errors import NoMailboxKey
from signals.models import CoverageArea, Organisation, Recipient
from signals.routing.municipalities import successors_on
from signals.routing.snapshot import routing_changed
from signals.vocabulary import OrganisationKind
from tests.factories import receiving
from tests.support.world import AMSTERDAM, NATIONAL, World

TODAY = date(2026, 11, 24)
MERGER = date(2027, 1, 1)


class Ticks:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


# Noticing changes


def test_a_change_is_noticed_once_the_refresh_time_has_passed_and_not_before(world: World) -> None:
    ticks = Ticks()
    router = world.router(refresh_seconds=1.0, ticks=ticks)
    assert router.route("1012AB", 12, TODAY).organisation_id == AMSTERDAM
    _suspend(world, AMSTERDAM)
    ticks.now += 0.9
    assert router.route("1012AB", 12, TODAY).organisation_id == AMSTERDAM
    ticks.now += 0.2
    assert router.route("1012AB", 12, TODAY).kind is OrganisationKind.GGD


def test_a_new_organisation_takes_its_area_over(world: World) -> None:
    router = world.router()
    assert router.route("4331AA", 7, TODAY).kind is OrganisationKind.GGD
    with world.sessions.begin() as session:
        session.add(receiving("municipality", "GM0687", name="Voorbeeld Welzijn Middelburg"))
        routing_changed(session)
    assert router.route("4331AA", 7, TODAY).name == "Voorbeeld Welzijn Middelburg"


def test_while_one_thread_reads_the_others_use_the_old_state(sqlite_world: World) -> None:
    router = sqlite_world.router()
    before = router.snapshot()
    _suspend(sqlite_world, AMSTERDAM)
    reading, finish = threading.Event(), threading.Event()

    def hold(*_arguments: Any) -> None:
        reading.set()
        assert finish.wait(10)

    event.listen(sqlite_world.engine, "before_cursor_execute", hold)
    slow = threading.Thread(target=router.snapshot)
    slow.start()
    assert reading.wait(10)
    try:
        assert router.snapshot() is before
    finally:
        finish.set()
        slow.join(10)
        event.remove(sqlite_world.engine, "before_cursor_execute", hold)
    assert router.snapshot() is not before


# Organisations that count
@pytest.mark.parametrize(
    "change",
    [
        lambda: update(Organisation).where(Organisation.id == AMSTERDAM).values(agreement_on=None),
        lambda: update(Organisation).where(Organisation.id == AMSTERDAM).values(legal_basis=""),
        lambda: update(Organisation).where(Organisation.id == AMSTERDAM).values(retention_basis=None),
        lambda: update(Organisation).where(Organisation.id == AMSTERDAM).values(suspended_from=TODAY),
        lambda: (
            update(Recipient)
            .where(Recipient.organisation_id == AMSTERDAM, Recipient.position == 2)
            .values(verified_on=None)
        ),
        lambda: (
            update(CoverageArea).where(CoverageArea.organisation_id == AMSTERDAM).values(valid_until=TODAY)
        ),
        lambda: delete(CoverageArea).where(CoverageArea.organisation_id == AMSTERDAM),
    ],
    ids=["agreement", "legal_basis", "retention_basis", "suspended", "one_recipient", "ended", "no_coverage"],
)
def test_an_organisation_that_may_not_receive_is_passed_over(world: World, change: Callable[[], Any]) -> None:
    with world.sessions.begin() as session:
        session.execute(change())
        routing_changed(session)
    assert world.router().route("1012AB", 12, TODAY).name == "GGD Amsterdam"


def test_every_municipality_resolves_to_an_organisation_or_its_own_ggd(world: World) -> None:
    table = world.router().snapshot().table.on(TODAY)
    reached: dict[str, set[str]] = {}
    for route in table.pc4_routes().values():
        assert route.covered
        if route.municipality_code is not None:
            reached.setdefault(route.municipality_code, set()).add(route.name)
    assert len(reference.municipalities()) == 342
    for code, municipality in reference.municipalities().items():
        own = {"GM0363": "Voorbeeld Welzijn Amsterdam", "GM0014": "Voorbeeld Welzijn Groningen"}.get(code)
        assert reached[_today_code(code)] == {own or reference.ggd_regions()[municipality.ggd_code].name}


# Dates


def test_coverage_counts_from_its_first_day_and_until_its_last(world: World) -> None:
    with world.sessions.begin() as session:
        where = CoverageArea.organisation_id == AMSTERDAM
        session.execute(update(CoverageArea).where(where).values(valid_until=MERGER))
        session.add(receiving("municipality", "GM0363", valid_from=MERGER, name="Opvolger"))
        routing_changed(session)
    router = world.router()
    assert router.route("1012AB", 12, date(2026, 12, 31)).organisation_id == AMSTERDAM
    assert router.route("1012AB", 12, MERGER).name == "Opvolger"


# Without a database, without a desk


def test_the_last_state_stays_in_use_while_the_database_is_away(world: World) -> None:
    router = world.router()
    router.snapshot()
    _suspend(world, AMSTERDAM)
    with world.sessions.begin() as session:
        session.execute(text("ALTER TABLE routing_version RENAME TO routing_version_away"))
    try:
        with capture_logs() as lines:
            assert router.route("1012AB", 12, TODAY).organisation_id == AMSTERDAM
        assert [line["event"] for line in lines] == ["routing.not_refreshed"]
    finally:
        with world.sessions.begin() as session:
            session.execute(text("ALTER TABLE routing_version_away RENAME TO routing_version"))
    assert router.route("1012AB", 12, TODAY).kind is OrganisationKind.GGD


def test_a_database_that_was_never_there_is_an_error_of_the_database(sqlite_world: World) -> None:
    sqlite_world.engine.dispose()
    (sqlite_world.folder / "signals.db").unlink()
    with pytest.raises(OperationalError):
        sqlite_world.router().snapshot()


def test_without_a_national_desk_a_new_process_says_so_plainly(world: World) -> None:
    _remove_desk(world)
    with capture_logs() as lines, pytest.raises(NoMailboxKey):
        world.router().snapshot()
    assert lines[0]["error"] == "NoNationalDesk"


def test_a_running_process_keeps_its_state_when_the_national_desk_is_removed(world: World) -> None:
    router = world.router()
    router.snapshot()
    _remove_desk(world)
    assert router.route("1012AB", 12, TODAY).organisation_id == AMSTERDAM


def test_readyz_says_that_routing_is_not_ready_without_a_national_desk(sqlite_world: World) -> None:
    client = sqlite_world.client()
    assert client.get("/readyz").status_code == 200
    _suspend(sqlite_world, NATIONAL)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["failed"]) == (503, ["routing"])
    assert client.get("/healthz").status_code == 200


def test_readyz_says_that_the_database_is_of_another_version(world: World) -> None:
    client = world.client()
    assert client.get("/readyz").status_code == 200
    with world.sessions.begin() as session:
        session.execute(text("ALTER TABLE sealed_reports RENAME COLUMN receipt_hash TO receipt"))
    world.engine.dispose()  # SQLite plans by what a connection knows of the schema
    try:
        answer = client.get("/readyz")
    finally:
        with world.sessions.begin() as session:
            session.execute(text("ALTER TABLE sealed_reports RENAME COLUMN receipt TO receipt_hash"))
    assert (answer.status_code, answer.get_json()["failed"]) == (503, ["database"])


def _suspend(world: World, organisation_id: object, on: date = date(2026, 1, 1)) -> None:
    with world.sessions.begin() as session:
        session.execute(
            update(Organisation).where(Organisation.id == organisation_id).values(suspended_from=on)
        )
        routing_changed(session)


def _remove_desk(world: World) -> None:
    with world.sessions.begin() as session:
        desk = session.scalars(select(Organisation).where(Organisation.id == NATIONAL)).one()
        session.delete(desk)
        routing_changed(session)


def _today_code(code: str) -> str:
    """The code of today's municipality in which one of the shipped map lies."""
    return successors_on(reference.geography(), TODAY).get(code, code)
