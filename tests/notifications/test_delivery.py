"""The outbox and its delivery on both databases: several workers, failing providers, killed workers."""

import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from notifications.channels import Outgoing, Sent
from notifications.channels.email import EmailChannel, Security, SmtpServer
from notifications.channels.folder import FolderChannel
from notifications.delivery import DeliveryReport, deliver_due
from notifications.models import Base, DeliveryAttempt, MessageState, OutboxMessage
from notifications.outbox import enqueue, withdraw
from notifications.retry import OutcomeUnknown, PermanentFailure, TemporaryFailure, Throttled
from signals.db import make_engine, session_factory
from tests.notifications.building import LINK, NOON, new_message, subject
from tests.notifications.smtp_server import DROP, HOST, Mailbox, smtp_server
from tests.support.meanwhile import meanwhile
from tests.support.outbox import Outbox

LEASE = timedelta(seconds=120)


def problems(message: OutboxMessage) -> list[str | None]:
    return [attempt.problem for attempt in message.attempts]


# Writing


def test_enqueue_gives_how_many_messages_are_new(outbox: Outbox) -> None:
    assert outbox.write(new_message(subject_id=subject(1)), new_message(subject_id=subject(2))) == 2


def test_the_same_message_twice_is_written_once(outbox: Outbox) -> None:
    assert outbox.write(new_message(), new_message()) == 1
    assert outbox.write(new_message(not_before=NOON + timedelta(days=1))) == 0
    assert outbox.message().not_before == NOON


def test_another_event_subject_or_recipient_is_another_message(outbox: Outbox) -> None:
    outbox.write(new_message())
    reminder = new_message(event="reminder", values={"link": LINK, "due_on": "2026-11-25"})
    others = [reminder, new_message(subject_id=subject(2)), new_message(recipient="lead@example.org")]
    assert outbox.write(*others) == 3


def test_nothing_to_write_writes_nothing(outbox: Outbox) -> None:
    assert outbox.write() == 0


def test_many_messages_are_written_in_few_statements(outbox: Outbox) -> None:
    assert outbox.write(*(new_message(subject_id=subject(number)) for number in range(1_201))) == 1_201


def test_a_message_goes_when_its_transaction_is_rolled_back(outbox: Outbox) -> None:
    with outbox.factory() as session:
        enqueue(session, [new_message()])
        session.rollback()
    assert outbox.messages() == []


def test_a_message_can_be_written_through_a_connection(outbox: Outbox) -> None:
    with outbox.engine.begin() as connection:
        assert enqueue(connection, [new_message()]) == 1
    assert outbox.message().state is MessageState.QUEUED


def test_withdrawing_a_subject_removes_its_messages_and_their_attempts(outbox: Outbox) -> None:
    outbox.write(new_message(), new_message(subject_id=subject(2)))
    outbox.deliver()
    with outbox.factory.begin() as session:
        assert withdraw(session, subject_id=subject(1)) == 1
    assert outbox.message().subject_id == subject(2)
    with outbox.factory() as session:
        assert len(session.scalars(select(DeliveryAttempt)).all()) == 1


# Sending


def test_a_due_message_is_delivered_and_recorded(outbox: Outbox) -> None:
    outbox.write(new_message())
    assert outbox.deliver() == DeliveryReport(delivered=1)
    message = outbox.message()
    assert message.state is MessageState.DELIVERED
    assert message.provider_message_id == f"memory-{message.id}"
    assert (message.tries, message.settled_at, message.leased_until) == (1, NOON, None)
    assert [(attempt.at, attempt.delivered) for attempt in message.attempts] == [(NOON, True)]


def test_a_delivered_message_is_not_sent_again(outbox: Outbox) -> None:
    outbox.write(new_message())
    outbox.deliver()
    assert outbox.deliver().total == 0
    assert len(outbox.channel.sent) == 1


def test_a_message_waits_for_its_moment(outbox: Outbox) -> None:
    outbox.write(new_message(not_before=NOON + timedelta(minutes=5)))
    assert outbox.deliver().total == 0
    outbox.clock.moment += timedelta(minutes=5)
    assert outbox.deliver().delivered == 1


def test_an_obsolete_message_is_dropped(outbox: Outbox) -> None:
    outbox.write(new_message(expires_at=NOON))
    assert outbox.deliver() == DeliveryReport(expired=1)
    assert outbox.channel.sent == []
    assert outbox.message().state is MessageState.EXPIRED


def test_a_message_for_a_channel_that_is_off_waits_until_it_expires(outbox: Outbox) -> None:
    outbox.write(new_message(channel="sms", expires_at=NOON + timedelta(days=1)))
    assert outbox.deliver().total == 0
    outbox.clock.moment += timedelta(days=1)
    assert outbox.deliver().expired == 1


def test_the_oldest_is_sent_first(outbox: Outbox) -> None:
    for number, minutes in ((1, 2), (2, 3), (3, 1)):
        outbox.write(new_message(subject_id=subject(number), not_before=NOON - timedelta(minutes=minutes)))
    outbox.deliver()
    by_id = {message.id: message.subject_id for message in outbox.messages()}
    assert [by_id[sent.id] for sent in outbox.channel.sent] == [subject(2), subject(1), subject(3)]


def test_an_organisation_with_much_to_tell_does_not_keep_another_waiting(outbox: Outbox) -> None:
    old = NOON - timedelta(hours=1)
    outbox.write(*(new_message(subject_id=subject(number), not_before=old) for number in range(1, 21)))
    outbox.write(
        new_message(subject_id=subject(99), organisation_id=subject(2000), recipient="b@example.org")
    )
    outbox.deliver(limit=2)
    assert [sent.recipient for sent in outbox.channel.sent] == ["team@example.org", "b@example.org"]


def test_no_connection_stays_open_during_a_call_of_a_provider(outbox: Outbox) -> None:
    outbox.write(*(new_message(subject_id=subject(number)) for number in range(1, 4)))
    with _counting("checkout", "checkin") as counts:
        watching = _During(lambda _: counts["checkout"] - counts["checkin"])
        deliver_due(outbox.factory, outbox.clock, {"memory": watching})
    assert watching.seen == [0, 0, 0]
    assert counts["checkout"] > 3  # of whatever pool


@pytest.mark.postgres
def test_a_sent_message_is_recorded_when_the_database_ends_all_connections(postgres_url: str) -> None:
    engine = make_engine(postgres_url)
    Base.metadata.create_all(engine)
    outbox = Outbox(postgres_url, engine, session_factory(engine))
    outbox.write_numbers(1, 2, 3, 4)
    ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    sent: list[Outgoing] = []

    def end_connections_at_the_third(message: Outgoing) -> int:
        sent.append(message)
        if len(sent) == 3:
            other = make_engine(postgres_url)
            with other.connect() as connection:
                connection.exec_driver_sql(f"{ends} AND pid <> pg_backend_pid()")
            other.dispose()
        return 0

    with pytest.raises(OperationalError):
        deliver_due(outbox.factory, outbox.clock, {"memory": _During(end_connections_at_the_third)})
    assert Counter(m.state for m in outbox.messages())[MessageState.DELIVERED] == 3
    assert outbox.deliver().delivered == 1
    engine.dispose()


def test_messages_are_ranked_again_when_sending_takes_long(outbox: Outbox) -> None:
    """More than one bite of one organisation waits, and a word of another comes while it is sent slowly."""
    outbox.write(*(new_message(subject_id=subject(number)) for number in range(1, 121)))

    def slow(_: Outgoing) -> int:
        outbox.clock.moment += timedelta(seconds=1)
        return 0

    assert deliver_due(outbox.factory, outbox.clock, {"memory": _During(slow)}, limit=500).delivered == 50
    other = {"subject_id": subject(999), "organisation_id": subject(2000), "recipient": "b@example.org"}
    outbox.write(new_message(**other))
    assert outbox.deliver(limit=500).delivered == 71
    assert "b@example.org" in [sent.recipient for sent in outbox.channel.sent[:2]]


# Failing


def test_a_temporary_failure_is_tried_again_later(outbox: Outbox) -> None:
    outbox.write(new_message())
    outbox.channel.failures.append(TemporaryFailure("smtp_451"))
    assert outbox.deliver() == DeliveryReport(retried=1)
    assert outbox.deliver().total == 0
    outbox.clock.moment = outbox.message().not_before
    assert outbox.deliver() == DeliveryReport(delivered=1)
    assert problems(outbox.message()) == ["smtp_451", None]


def test_a_permanent_failure_becomes_a_dead_letter(outbox: Outbox) -> None:
    outbox.write(new_message())
    outbox.channel.failures.append(PermanentFailure("smtp_550"))
    assert outbox.deliver() == DeliveryReport(failed=1)
    message = outbox.message()
    assert (message.state, message.settled_at) == (MessageState.FAILED, NOON)
    outbox.clock.moment += timedelta(days=2)
    assert outbox.deliver().total == 0


def test_a_provider_that_wants_a_pause_gets_it(outbox: Outbox) -> None:
    outbox.write(new_message())
    outbox.channel.failures.append(Throttled("twilio_429", timedelta(hours=1)))
    assert outbox.deliver().retried == 1
    assert outbox.message().not_before >= NOON + timedelta(hours=1)


def test_after_a_day_without_a_provider_live_messages_arrive_once(outbox: Outbox) -> None:
    outbox.write(*(new_message(subject_id=subject(number)) for number in range(1, 4)))
    outbox.write(new_message(subject_id=subject(9), expires_at=NOON + timedelta(hours=8)))
    for _ in range(24):
        outbox.channel.failures = deque([TemporaryFailure("smtp_connection")] * 4)
        outbox.deliver()
        outbox.clock.moment += timedelta(hours=1)
    outbox.channel.failures.clear()
    outbox.clock.moment += timedelta(hours=4)
    assert outbox.deliver().delivered == 3
    states = Counter(message.state for message in outbox.messages())
    assert states == {MessageState.DELIVERED: 3, MessageState.EXPIRED: 1}


def test_a_failure_of_one_message_does_not_hold_up_the_next(outbox: Outbox) -> None:
    outbox.write(new_message(subject_id=subject(1)), new_message(subject_id=subject(2)))
    outbox.channel.failures.append(PermanentFailure("smtp_550"))
    assert outbox.deliver() == DeliveryReport(delivered=1, failed=1)


def test_a_second_silence_of_the_provider_goes_to_a_person(outbox: Outbox) -> None:
    outbox.write(new_message())
    outbox.channel.failures.extend([OutcomeUnknown(), OutcomeUnknown()])
    assert outbox.deliver().retried == 1
    outbox.clock.moment += timedelta(hours=1)
    assert outbox.deliver().failed == 1


def test_an_error_that_no_channel_should_raise_frees_the_other_messages_at_once(outbox: Outbox) -> None:
    outbox.write(*(new_message(subject_id=subject(number)) for number in range(1, 4)))
    with pytest.raises(_Crash):
        deliver_due(outbox.factory, outbox.clock, {"memory": _During(_crash)})
    assert outbox.deliver().delivered == 2


def test_a_sent_message_is_recorded_when_the_next_check_fails(outbox: Outbox) -> None:
    outbox.write(*(new_message(subject_id=subject(number)) for number in (1, 2)))
    asked: list[str] = []

    def obsolete(_session: Session, event: str, *_about: object) -> None:
        asked.append(event)
        if len(asked) == 2:
            raise _Crash

    with pytest.raises(_Crash):
        deliver_due(outbox.factory, outbox.clock, {"memory": outbox.channel}, obsolete=obsolete)
    assert [message.state for message in outbox.messages()].count(MessageState.DELIVERED) == 1
    outbox.clock.moment += timedelta(hours=1)
    outbox.deliver()
    assert len(outbox.channel.sent) == 2  # each once


# Through a real mail server


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def mail(mailbox: Mailbox) -> Iterator[EmailChannel]:
    with smtp_server(mailbox) as port:
        server = SmtpServer(host=HOST, port=port, security=Security.NONE, timeout_seconds=5)
        found = EmailChannel(server=server, sender="meldingen@example.org")
        yield found
        found.rest()


def post(outbox: Outbox, mail: EmailChannel) -> DeliveryReport:
    report = deliver_due(outbox.factory, outbox.clock, {"email": mail})
    outbox.clock.moment += timedelta(hours=5)
    return report


def test_a_mail_refused_for_now_arrives_later(outbox: Outbox, mail: EmailChannel, mailbox: Mailbox) -> None:
    outbox.write(new_message(channel="email"))
    mailbox.rcpt_answers = deque(["451 greylisted"])
    assert post(outbox, mail).retried == 1
    assert post(outbox, mail).delivered == 1
    assert len(mailbox.inbox) == 1


def test_a_mail_refused_for_good_fails_at_once(outbox: Outbox, mail: EmailChannel, mailbox: Mailbox) -> None:
    outbox.write(new_message(channel="email"))
    mailbox.rcpt_answers = deque(["550 no such mailbox"])
    assert post(outbox, mail).failed == 1
    assert problems(outbox.message()) == ["smtp_550"]


def test_a_mail_whose_connection_dropped_in_data_is_repeated_once(
    outbox: Outbox, mail: EmailChannel, mailbox: Mailbox
) -> None:
    outbox.write(new_message(channel="email"))
    mailbox.data_answers = deque([DROP])
    assert post(outbox, mail).retried == 1
    assert post(outbox, mail).delivered == 1
    assert len(mailbox.inbox) == 1
    assert outbox.message().provider_message_id == f"<{outbox.message().id}@example.org>"


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
    other = _During(lambda _: outbox.deliver().total)
    assert deliver_due(outbox.factory, outbox.clock, {"memory": other}, limit=1).delivered == 1
    assert other.seen == [2]


def test_a_lease_that_ends_too_soon_is_noticed_and_the_delivery_counts(outbox: Outbox) -> None:
    """The first worker takes longer than its lease; the second repeats the message meanwhile."""
    outbox.write(new_message())

    def overtake(_: Outgoing) -> int:
        outbox.clock.moment += LEASE
        return outbox.deliver().delivered

    slow = _During(overtake)
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
        report = deliver_due(outbox.factory, outbox.clock, {"memory": _During(overtake)})
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

    slow = _During(overtake)
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
        with pytest.raises(_Crash):
            deliver_due(outbox.factory, outbox.clock, {"memory": _During(_crash)})
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


def test_a_worker_killed_later_on_leaves_one_in_doubt_and_the_rest_written_down(
    outbox: Outbox, tmp_path: Path
) -> None:
    outbox.write(*(new_message(subject_id=subject(number)) for number in range(1, 6)))
    _kill_while_sending(outbox.url, tmp_path / "mail", after=3)
    states = Counter(message.state for message in outbox.messages())
    assert states == {MessageState.DELIVERED: 2, MessageState.SENDING: 1, MessageState.QUEUED: 2}
    outbox.clock.moment += LEASE
    assert outbox.deliver().delivered == 3
    assert [problems(message) for message in outbox.messages()].count([None]) == 4


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

    first = _During(overtake_the_first)
    assert deliver_due(outbox.factory, outbox.clock, {"memory": first}) == DeliveryReport(
        delivered=1, overtaken=1
    )
    assert first.seen == [1, 0]
    tries = {len(problems(message)) for message in outbox.messages()}
    assert tries == {1, 3}  # interrupted, and what each of the two workers found


class _Crash(Exception):
    """An error that no channel should raise."""


def _crash(_: Outgoing) -> int:
    raise _Crash


@dataclass
class _During:
    """A channel that does something while it sends and keeps what came of it."""

    action: Callable[[Outgoing], int]
    seen: list[int] = field(default_factory=list)

    def send(self, message: Outgoing) -> Sent:
        self.seen.append(self.action(message))
        return Sent(provider_message_id="during")


@contextmanager
def _counting(*names: str, target: Any = Pool) -> Iterator[Counter[str]]:
    """Count events of SQLAlchemy inside the block, in any pool or engine."""
    counts: Counter[str] = Counter()
    listeners = [(name, lambda *_, name=name: counts.update([name])) for name in names]
    for name, listener in listeners:
        event.listen(target, name, listener)
    try:
        yield counts
    finally:
        for name, listener in listeners:
            event.remove(target, name, listener)


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
