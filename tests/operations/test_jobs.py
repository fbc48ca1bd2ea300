"""The jobs: keys ahead, forgetting retries, and a schedule that goes on after a failure."""

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update
from structlog.testing import capture_logs

from notifications import figures
from notifications.channels.email import EmailChannel
from notifications.models import MessageState, OutboxMessage
from notifications.outbox import enqueue
from privacy.keystore import open_keystore
from privacy.sealing import week_start
from signals.app import make_worker
from signals.keys.mailbox_keys import provision_mailbox_keys
from signals.models import IdempotencyKey, MailboxPublicKey, Organisation, RoutingVersion
from signals.notices.channels import make_channels
from signals.operations import jobs
from signals.operations.jobs import Worker
from signals.operations.schedule import start_in_background
from signals.settings import NotificationsSettings
from tests.notifications.building import new_message, subject
from tests.support.at_once import run_at_once
from tests.support.operations import operation
from tests.support.world import AMSTERDAM, IN_GRONINGEN, World

_MAIL = {"link": "https://example.org/desk", "sent_on": "2026-11-24"}
WEEK = week_start(date(2026, 11, 24))


# Sending messages


def test_one_ranking_of_all_that_is_due_serves_thousands_of_messages(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ranking sorts everything that is due, so each message of it must not pay for one."""
    monkeypatch.setattr(jobs, "MOST_RANKINGS", 1)
    mail = {"event": "test_message", "channel": "email", "values": _MAIL}
    with world.sessions.begin() as session:
        enqueue(session, [new_message(**mail, subject_id=subject(number)) for number in range(600)])
    world.move(hours=3)
    assert world.worker().deliver().delivered == 600


# Forgetting messages


def test_all_that_was_settled_long_ago_goes_in_one_run_however_much_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "FORGOTTEN_AT_ONCE", 2)
    worker = world.worker()
    for number in range(1, 4):
        world.receive(number)
        worker.arrive()  # one after the other: each tells the team anew
    number = world.count(OutboxMessage)
    assert number > 4
    long_ago = world.clock.now() - figures.KEPT - timedelta(days=1)
    with world.sessions.begin() as session:
        session.execute(update(OutboxMessage).values(state=MessageState.DELIVERED, settled_at=long_ago))
    assert worker.forget_messages() == number
    assert world.count(OutboxMessage) == 0


# Keys ahead


def test_keys_reach_from_this_week_to_four_weeks_ahead_for_every_organisation(world: World) -> None:
    keys = _weeks(world)
    assert set(keys) == set(_organisations(world))
    assert set(map(tuple, keys.values())) == {tuple(WEEK + timedelta(weeks=n) for n in range(5))}


def test_keys_are_made_once_and_to_look_for_them_takes_nobodys_turn_to_write(world: World) -> None:
    with world.engine.begin() as writing:
        writing.execute(update(RoutingVersion).values(version=RoutingVersion.version + 1))
        assert world.worker().provision_keys() == 0


def test_a_public_key_whose_private_half_was_lost_is_replaced_and_reports_arrive_again(world: World) -> None:
    """A restore of the keystore from a copy that is older than the key loses the private half."""
    lost = _key_ids(world, AMSTERDAM)
    world.keystore.destroy_mailbox_keys(lost)
    with capture_logs() as lines:
        assert world.worker().provision_keys() == len(lost) == 5
    assert [(line["event"], line["count"]) for line in lines] == [("mailbox_keys.private_half_gone", 5)]
    assert _key_ids(world, AMSTERDAM).isdisjoint(lost)
    assert world.receive(1).organisation.id == AMSTERDAM
    assert world.worker().arrive() == 1


def test_keys_of_another_keystore_are_left_alone(world: World, tmp_path: Path) -> None:
    """Somebody started a worker beside the wrong keystore: the right one must find its keys again."""
    wrong = open_keystore(f"sqlite:///{tmp_path}/wrong.db", secrets.token_bytes(32))
    wrong.create_schema()
    wrong.ensure_root()
    before = _key_ids(world, AMSTERDAM)
    with world.sessions.begin() as session:
        assert provision_mailbox_keys(operation(session, world.clock, keystore=wrong)) == 0
    wrong.dispose()
    assert _key_ids(world, AMSTERDAM) == before


def _key_ids(world: World, organisation_id: UUID) -> set[UUID]:
    own = select(MailboxPublicKey.key_id).where(MailboxPublicKey.organisation_id == organisation_id)
    return set(world.rows(own))


def test_a_public_half_that_was_lost_is_put_back_and_opens_what_was_sealed_before(world: World) -> None:
    world.receive(1)
    with world.sessions.begin() as session:
        session.execute(delete(MailboxPublicKey).where(MailboxPublicKey.organisation_id == AMSTERDAM))
    assert world.worker().provision_keys() == 5
    assert world.receive(2).organisation.id == AMSTERDAM
    assert world.worker().arrive() == 2


def test_made_by_two_workers_at_once_every_week_has_one_key(world: World) -> None:
    with world.sessions.begin() as session:
        session.execute(delete(MailboxPublicKey))

    made = run_at_once(*[lambda: world.worker().provision_keys() for _ in range(2)])
    expected = 5 * len(_organisations(world))
    assert sorted(made) == [0, expected]
    assert world.count(MailboxPublicKey) == expected
    assert world.worker().provision_keys() == 0


# Forgetting


def test_retries_are_kept_for_seven_days_and_forgotten_on_the_eighth(world: World) -> None:
    world.receive(1)
    world.worker().arrive()
    world.move(days=7)
    assert world.worker().forget_retries() == 0
    world.move(days=1)
    assert world.worker().forget_retries() == 1
    assert world.count(IdempotencyKey) == 0


# The process


def test_the_worker_of_the_settings_arrives_what_the_front_of_the_settings_received(
    sqlite_world: World,
) -> None:
    sqlite_world.receive(1)
    sqlite_world.receive(2, IN_GRONINGEN)
    worker = make_worker(sqlite_world.settings, clock=sqlite_world.clock)
    try:
        assert worker.arrive() == 2
    finally:
        worker.close()


def test_mail_goes_to_the_folder_where_one_is_set(sqlite_world: World) -> None:
    folder = sqlite_world.folder / "mail"
    notifications = NotificationsSettings(delay_minutes=0, mail_folder=folder)
    worker = sqlite_world.worker(notifications=notifications)
    sqlite_world.receive(1)
    worker.arrive()
    worker = replace(worker, channels=make_channels(worker.settings))
    assert worker.deliver().delivered == 2
    text = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"1012AB" not in text
    assert b"een@gm0363.example.org" in text


def test_mail_trusts_the_authorities_of_the_settings(sqlite_world: World) -> None:
    authorities = sqlite_world.folder / "ca.crt"
    mail = NotificationsSettings(smtp_host="mail.example.org")
    settings = replace(sqlite_world.settings, ca_file=authorities, notifications=mail)
    channel = make_channels(settings)["email"]
    assert isinstance(channel, EmailChannel)
    assert channel.server.ca_file == authorities


def test_the_health_of_a_worker_does_not_wait_for_a_writer(sqlite_world: World) -> None:
    with sqlite_world.sessions.begin() as session, ThreadPoolExecutor(1) as pool:
        session.execute(update(Organisation).values(is_example=True))
        asked = pool.submit(sqlite_world.worker().ping)
        answered, _ = wait([asked], timeout=10)
        session.rollback()
    assert answered


def test_a_schedule_runs_its_jobs_at_once_and_goes_on_after_one_failed(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_world.receive(1)
    failed, arrived = threading.Event(), threading.Event()
    original = Worker.arrive

    def arrive(worker: Worker) -> int:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("1012AB 12")
        count = original(worker)
        arrived.set()
        return count

    monkeypatch.setattr(Worker, "arrive", arrive)
    with capture_logs() as lines:
        schedule = start_in_background(sqlite_world.worker())
        try:
            assert arrived.wait(20)
        finally:
            schedule.shutdown()
    failures = [
        line for line in lines if line["event"] == "scheduler.job_failed" and line["job"] == "arrival"
    ]
    assert len(failures) == 1
    assert len(sqlite_world.signals()) == 1


def _organisations(world: World) -> list[object]:
    return list(world.rows(select(Organisation.id)))


def _weeks(world: World) -> dict[object, list[date]]:
    weeks: dict[object, list[date]] = {}
    with world.sessions() as session:
        for row in session.scalars(select(MailboxPublicKey).order_by(MailboxPublicKey.week)):
            weeks.setdefault(row.organisation_id, []).append(row.week)
    return weeks
