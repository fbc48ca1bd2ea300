"""Reports that did not open come back with their keys, and only a person gives one up."""

import secrets
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from privacy.keystore import Keystore, open_keystore
from signals.arrival.refused import discard, refused_reports
from signals.clock import today
from signals.models import AuditEntry, IdempotencyKey, SealedReport
from signals.vocabulary import AuditAction, DeletionReason
from tests.support.retention import retention_of
from tests.support.world import AMSTERDAM, World


@pytest.fixture
def wrong(world: World) -> Iterator[Keystore]:
    """Another keystore than the one that the reports are sealed to."""
    made = open_keystore(f"sqlite:///{world.folder}/wrong.db", secrets.token_bytes(32))
    made.create_schema()
    made.ensure_root()
    yield made
    made.dispose()


def refused(world: World, wrong: Keystore, *numbers: int) -> list[uuid.UUID]:
    """Let reports come in while the worker has the wrong keystore; return their ids."""
    for number in numbers:
        world.receive(number)
    assert replace(world.worker(), keystore=wrong).arrive() == 0
    return [report.signal_id for report in world.sealed()]


def test_after_the_right_keystore_is_back_a_report_of_a_month_ago_arrives_and_is_followed_up(
    world: World, wrong: Keystore
) -> None:
    (signal_id,) = refused(world, wrong, 1)
    world.move(days=30)
    worker = world.worker()
    assert replace(worker, keystore=wrong).retry_refused() == 0
    assert worker.forget_retries() == 0
    worker.sweep_keys()
    assert (worker.retry_refused(), worker.retry_refused()) == (1, 0)
    (signal,) = world.signals()
    assert (signal.id, signal.claim_by > today(world.clock)) == (signal_id, True)
    assert retention_of(world).run(world.clock).total == 0
    world.clock.moment += signal.claim_by - today(world.clock) + timedelta(days=7)
    assert retention_of(world).run(world.clock).purged == {DeletionReason.UNATTENDED: 1}


def test_those_that_stay_refused_hold_up_no_other_and_keep_their_first_day(
    world: World, wrong: Keystore
) -> None:
    damaged, *others = refused(world, wrong, *range(1, 6))
    first = today(world.clock)
    with world.sessions.begin() as session:
        session.execute(update(SealedReport).where(SealedReport.signal_id == damaged).values(envelope=b"x"))
    world.move(days=3)
    assert world.worker(arrival=replace(world.settings.arrival, batch_size=2)).retry_refused() == 4
    assert {signal.id for signal in world.signals()} == set(others)
    assert [(report.signal_id, report.refused_on) for report in world.sealed()] == [(damaged, first)]


def test_an_acknowledged_report_stays_until_a_person_gives_it_up(world: World, wrong: Keystore) -> None:
    mine, other = refused(world, wrong, 1, 2)
    world.move(days=400)
    world.worker().forget_retries()
    with world.begin() as operation:
        assert [row.signal_id for row in refused_reports(operation.session)] == sorted([mine, other])
        assert discard(operation, SealedReport.signal_id.in_([mine])) == 1
    assert [report.signal_id for report in world.sealed()] == [other]
    purged = select(AuditEntry.subject_id).where(AuditEntry.action == AuditAction.SIGNAL_PURGED)
    assert world.rows(purged) == [mine]


def test_an_envelope_that_never_came_through_intake_goes_after_four_weeks(
    world: World, wrong: Keystore
) -> None:
    refused(world, wrong, 1)
    key_id = world.sealed()[0].mailbox_key_id
    with world.sessions.begin() as session:
        session.execute(IdempotencyKey.__table__.delete())  # type: ignore[attr-defined]
    world.move(days=28)
    world.worker().forget_retries()
    assert world.count(SealedReport) == 1
    world.move(days=1)
    world.worker().forget_retries()
    assert world.count(SealedReport) == 0
    world.worker().sweep_keys()
    assert world.keystore.mailbox_private_keys([key_id]) == {}


def test_a_waiting_report_is_never_given_up(world: World) -> None:
    world.receive(1)
    with world.begin() as operation:
        assert discard(operation, SealedReport.organisation_id == AMSTERDAM) == 0
