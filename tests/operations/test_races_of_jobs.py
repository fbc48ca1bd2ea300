"""Let a job or another worker act between two statements of ours, on both databases."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete, literal, text

from notifications.outbox import enqueue
from signals.audit.trail import verify_trail
from signals.casework import claim
from signals.clock import today
from signals.intake.content import RETRY_DAYS
from signals.intake.storage import ReportStore
from signals.models import CoverageArea, IdempotencyKey, Receipt
from signals.retention.purging import purge
from signals.routing.snapshot import routing_changed
from signals.vocabulary import DeletionReason, OrganisationKind, ReceiptState
from tests.factories import ReceiptFactory, receiving
from tests.notifications.building import new_message
from tests.support.meanwhile import meanwhile
from tests.support.retention import arrived, concluded, retention_of
from tests.support.trail import keys_of, link, opened
from tests.support.world import AMSTERDAM, IN_AMSTERDAM, IN_GRONINGEN, LONG_AGO, World


# Workers beside one another
def test_keys_that_two_workers_destroy_are_reported_by_one(world: World) -> None:
    signal_id, retention = concluded(world), retention_of(world)
    with world.sessions.begin() as session:
        reasons = {signal_id: DeletionReason.CONCLUDED}
        purge(world.operation(session), reasons=reasons, locate=retention.locate)
    others: list[int] = []

    def destroy() -> None:
        others.append(retention.confirm_destroyed(world.clock))

    with meanwhile(world.engine, "FROM deletion_records", destroy):
        done = retention.confirm_destroyed(world.clock)
    assert sorted([done, *others]) == [0, 1]


def test_a_trail_that_is_pruned_while_it_is_verified_is_whole(world: World) -> None:
    opened(world, 3)
    link(world)
    world.move(days=800)
    opened(world, 3)
    link(world)

    def prune() -> None:
        world.worker().prune_audit()

    with meanwhile(world.engine, "min(audit_links", prune), world.sessions() as session:
        assert verify_trail(session, world.clock, keys=keys_of(world)) == ()


@pytest.mark.postgres
def test_messages_are_written_in_one_order_so_that_two_workers_never_wait_for_one_another(
    postgres_world: World,
) -> None:
    names = ("c", "a", "b")
    with postgres_world.sessions.begin() as session:
        enqueue(session, [new_message(recipient=f"{name}@example.org") for name in names])
    with postgres_world.sessions() as session:
        written = session.scalars(text("SELECT recipient FROM outbox_messages ORDER BY ctid")).all()
    assert written == [f"{name}@example.org" for name in sorted(names)]


# The door
def test_a_retry_of_what_is_forgotten_at_that_moment_is_stored_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, original = world.receive(1), ReportStore.add

    def forgotten_next(self: ReportStore, *row: Any) -> bool:
        stored = original(self, *row)
        with world.sessions.begin() as session:
            session.execute(delete(IdempotencyKey).where(literal(not stored)))
        return stored

    monkeypatch.setattr(ReportStore, "add", forgotten_next)
    assert world.receive(1).receipt == first.receipt
    assert world.count(IdempotencyKey) == 1


def test_a_report_that_arrives_while_old_keys_are_forgotten_keeps_its_receipt(world: World) -> None:
    world.receive(1, IN_GRONINGEN)
    world.worker().arrive()
    receipt = world.receive(2).receipt
    world.move(days=RETRY_DAYS + 1)
    with meanwhile(world.engine, "receipts", lambda: world.worker().arrive()):
        assert world.worker().forget_retries() == 1
    assert len(world.signals()) == 2
    assert world.intake().receipt_state(world.clock, receipt)[0] is ReceiptState.RECEIVED


def test_a_receipt_that_is_forgotten_at_that_moment_stops_no_claim(world: World) -> None:
    signal_id, worker = arrived(world), world.staff()
    with world.sessions.begin() as session:
        signal = world.signals()[0]
        session.add(ReceiptFactory.build(receipt_hash=signal.receipt_hash, changed_on=date(2024, 1, 1)))

    def forget() -> None:
        with world.sessions.begin() as session:
            session.execute(delete(Receipt))

    with meanwhile(world.engine, "receipts", forget), world.sessions.begin() as session:
        claim(world.operation(session, worker), signal_id=signal_id)
    assert world.signals()[0].claimed_by_id == worker.id


def test_an_area_that_changes_hands_while_routing_is_read_is_never_without_a_team(world: World) -> None:
    """The router reads organisations and areas as of one moment."""
    router = world.router(refresh_seconds=3600)

    def change_hands() -> None:
        with world.sessions.begin() as session:
            session.execute(delete(CoverageArea).where(CoverageArea.organisation_id == AMSTERDAM))
            session.add(receiving("municipality", "GM0363", valid_from=LONG_AGO, name="Team Zuid"))
            routing_changed(session)

    with meanwhile(world.engine, "FROM organisations", change_hands):
        route = router.route(IN_AMSTERDAM.postcode, IN_AMSTERDAM.number, today(world.clock))
    assert route.kind is OrganisationKind.SOCIAL_WORK
