"""Several workers deliver at once, and workers are killed."""

import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from notifications.channels import Outgoing
from notifications.channels.folder import FolderChannel
from notifications.delivery import DeliveryReport, deliver_due
from notifications.models import OutboxMessage
from notifications.outbox import withdraw
from tests.notifications.building import NOON, new_message, subject
from tests.support.meanwhile import meanwhile
from tests.support.outbox import Outbox
from tests.support.sending import Crash, During, crash, problems

LEASE = timedelta(seconds=120)


# Several workers
def test_two_workers_at_once_send_each_message_once(outbox: Outbox) -> None:
    outbox.write(*(new_message(subject_id=subject(number)) for number in range(1, 61)))
    start = threading.Barrier(2)

    def work() -> int:
        start.wait(10)
        done = 0
        while (report := outbox.deliver(limit=7)).total:
            done += report.delivered
        return done

    with ThreadPoolExecutor(2) as pool:
        shares = [future.result(60) for future in [pool.submit(work), pool.submit(work)]]
    assert sum(shares) == 60
    assert set(Counter(sent.id for sent in outbox.channel.sent).values()) == {1}
    assert len(outbox.channel.sent) == 60


def test_a_worker_leaves_alone_what_another_is_sending(outbox: Outbox) -> None:
    outbox.write(*(new_message(subject_id=subject(number)) for number in range(1, 4)))
    other = During(lambda _: outbox.deliver().total)
    assert deliver_due(outbox.factory, outbox.clock, {"memory": other}, limit=1).delivered == 1
    assert other.seen == [2]


def test_a_lease_that_ends_too_soon_is_noticed_and_the_delivery_counts(outbox: Outbox) -> None:
    """The first worker takes longer than its lease; the second repeats the message meanwhile."""
    outbox.write(new_message())

    def overtake(_: Outgoing) -> int:
        outbox.clock.moment += LEASE
        return outbox.deliver().delivered

    slow = During(overtake)
    assert deliver_due(outbox.factory, outbox.clock, {"memory": slow}) == DeliveryReport(overtaken=1)
    assert slow.seen == [1]
    assert problems(outbox.message()).count("interrupted") == 1


def test_a_message_withdrawn_while_its_result_is_recorded_is_gone(outbox: Outbox) -> None:
    outbox.write(new_message())

    def overtake(_: Outgoing) -> int:
        outbox.clock.moment += LEASE
        return outbox.deliver().delivered

    def purge() -> None:
        with outbox.factory.begin() as session:
            withdraw(session, subject_id=new_message().subject_id)

    with meanwhile(outbox.engine, "FROM outbox_messages \nWHERE outbox_messages.id = ", purge):
        report = deliver_due(outbox.factory, outbox.clock, {"memory": During(overtake)})
    assert report == DeliveryReport(overtaken=1)
    assert outbox.messages() == []


def test_a_lease_that_ran_out_before_sending_began_is_not_used(outbox: Outbox) -> None:
    """The first message takes longer than the lease, and another worker takes the second meanwhile."""
    outbox.write(new_message(subject_id=subject(1)), new_message(subject_id=subject(2)))

    def overtake(_: Outgoing) -> int:
        outbox.clock.moment += LEASE - timedelta(seconds=1)
        with (
            outbox.factory.begin() as session
        ):  # the sending one is still held, the waiting one is made to lapse
            [waiting] = session.scalars(select(OutboxMessage).where(OutboxMessage.state == "queued"))
            waiting.leased_until = outbox.clock.now()
        return outbox.deliver().delivered

    slow = During(overtake)
    assert deliver_due(outbox.factory, outbox.clock, {"memory": slow}) == DeliveryReport(
        delivered=1, overtaken=1
    )
    assert len(slow.seen) == 1
    assert len(outbox.channel.sent) == 1


# Killed workers
def test_a_worker_killed_after_sending_repeats_the_message_once_and_says_so(
    outbox: Outbox, tmp_path: Path
) -> None:
    outbox.write(new_message())
    _kill_while_sending(outbox.url, tmp_path / "mail")
    assert outbox.deliver().total == 0
    outbox.clock.moment += LEASE
    assert outbox.deliver() == DeliveryReport(delivered=1)
    message = outbox.message()
    assert sorted(map(str, problems(message))) == ["None", "interrupted"]
    assert message.tries == 2


def test_the_folder_holds_one_mail_even_when_the_worker_was_killed_after_writing_it(
    outbox: Outbox, tmp_path: Path
) -> None:
    outbox.write(new_message())
    _kill_while_sending(outbox.url, tmp_path / "mail")
    outbox.clock.moment += LEASE
    folder = FolderChannel(folder=tmp_path / "mail", sender="meldingen@example.org")
    assert deliver_due(outbox.factory, outbox.clock, {"memory": folder}).delivered == 1
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 1


def test_a_message_whose_worker_died_twice_goes_to_a_person(outbox: Outbox) -> None:
    outbox.write(new_message())
    for _ in range(2):
        with pytest.raises(Crash):
            deliver_due(outbox.factory, outbox.clock, {"memory": During(crash)})
        outbox.clock.moment += LEASE
    assert outbox.deliver() == DeliveryReport(failed=1)
    assert outbox.channel.sent == []
    assert problems(outbox.message()) == ["interrupted", "interrupted"]


def test_a_message_that_a_killed_worker_only_leased_is_sent_without_doubt(
    outbox: Outbox, tmp_path: Path
) -> None:
    outbox.write(*(new_message(subject_id=subject(number)) for number in range(1, 5)))
    _kill_while_sending(outbox.url, tmp_path / "mail")
    outbox.clock.moment += LEASE
    assert outbox.deliver().delivered == 4
    doubted = [message for message in outbox.messages() if "interrupted" in problems(message)]
    assert len(doubted) == 1


def test_a_result_that_another_worker_recorded_first_counts_as_overtaken(outbox: Outbox) -> None:
    """The first of two takes longer than its lease, and the other worker has it meanwhile; not the second."""
    outbox.write(*(new_message(subject_id=subject(number)) for number in (1, 2)))
    seen: list[Outgoing] = []

    def overtake_the_first(message: Outgoing) -> int:
        seen.append(message)
        if len(seen) > 1:
            return 0
        with outbox.factory.begin() as session:
            [sending] = session.scalars(select(OutboxMessage).where(OutboxMessage.state == "sending"))
            sending.leased_until = outbox.clock.now()
        return outbox.deliver(limit=1).delivered

    first = During(overtake_the_first)
    assert deliver_due(outbox.factory, outbox.clock, {"memory": first}) == DeliveryReport(
        delivered=1, overtaken=1
    )
    assert first.seen == [1, 0]
    tries = {len(problems(message)) for message in outbox.messages()}
    assert tries == {1, 3}  # interrupted, and what each of the two workers found


KILLED_WORKER = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from notifications.channels.folder import FolderChannel
from notifications.delivery import deliver_due
from signals.clock import FixedClock
from signals.db import make_engine, session_factory

class KilledAfterSending:
    left = int(sys.argv[4])
    def send(self, message):
        sent = FolderChannel(folder=Path(sys.argv[2]), sender="meldingen@example.org").send(message)
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        return sent

clock = FixedClock(datetime.fromisoformat(sys.argv[3]))
deliver_due(session_factory(make_engine(sys.argv[1])), clock, {"memory": KilledAfterSending()})
"""


def _kill_while_sending(url: str, folder: Path, *, after: int = 1) -> None:
    """A worker of its own process that dies between sending and recording the message of that number."""
    command = [sys.executable, "-c", KILLED_WORKER, url, str(folder), NOON.isoformat(), str(after)]
    worker = subprocess.run(command, cwd=Path(__file__).parents[2], timeout=60, check=False)
    assert worker.returncode == -9
    assert len(list(folder.glob("*.eml"))) == after
