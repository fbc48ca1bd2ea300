"""The outbox and its delivery on both databases: several workers, failing providers, killed workers."""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, event, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from notifications.channels import Outgoing
from notifications.channels.email import EmailChannel, Security, SmtpServer
from notifications.delivery import DeliveryReport, deliver_due
from notifications.models import Base, DeliveryAttempt, MessageState
from notifications.outbox import enqueue, withdraw
from notifications.retry import PermanentFailure, TemporaryFailure, Throttled
from signals.db import make_engine, session_factory
from tests.notifications.building import LINK, NOON, new_message, subject
from tests.notifications.smtp_server import DROP, HOST, Mailbox, smtp_server
from tests.support.outbox import Outbox
from tests.support.sending import Crash, During, crash, problems


# Writing
def test_the_same_message_twice_is_written_once(outbox: Outbox) -> None:
    assert outbox.write(new_message(), new_message()) == 1
    assert outbox.write(new_message(not_before=NOON + timedelta(days=1))) == 0
    assert outbox.message().not_before == NOON


def test_another_event_subject_or_recipient_is_another_message(outbox: Outbox) -> None:
    outbox.write(new_message())
    reminder = new_message(event="reminder", values={"link": LINK, "due_on": "2026-11-25"})
    others = [reminder, new_message(subject_id=subject(2)), new_message(recipient="lead@example.org")]
    assert outbox.write(*others) == 3


def test_a_message_goes_when_its_transaction_is_rolled_back(outbox: Outbox) -> None:
    with outbox.factory() as session:
        enqueue(session, [new_message()])
        session.rollback()
    assert outbox.messages() == []


def test_the_messages_of_a_subject_are_found_by_an_index() -> None:
    """SQLite, because some versions of PostgreSQL skip through an index that begins with another column."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    asked = "EXPLAIN QUERY PLAN DELETE FROM outbox_messages WHERE subject_id = 'x'"
    with engine.connect() as connection:
        plan = [row.detail for row in connection.execute(text(asked))]
    assert [step.split()[0] for step in plan] == ["SEARCH"], plan
    engine.dispose()


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
        watching = During(lambda _: counts["checkout"] - counts["checkin"])
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
        deliver_due(outbox.factory, outbox.clock, {"memory": During(end_connections_at_the_third)})
    assert Counter(m.state for m in outbox.messages())[MessageState.DELIVERED] == 3
    assert outbox.deliver().delivered == 1
    engine.dispose()


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


def test_an_error_that_no_channel_should_raise_frees_the_other_messages_at_once(outbox: Outbox) -> None:
    outbox.write(*(new_message(subject_id=subject(number)) for number in range(1, 4)))
    with pytest.raises(Crash):
        deliver_due(outbox.factory, outbox.clock, {"memory": During(crash)})
    assert outbox.deliver().delivered == 2


def test_a_sent_message_is_recorded_when_the_next_check_fails(outbox: Outbox) -> None:
    outbox.write(*(new_message(subject_id=subject(number)) for number in (1, 2)))
    asked: list[str] = []

    def obsolete(_session: Session, event: str, *_about: object) -> None:
        asked.append(event)
        if len(asked) == 2:
            raise Crash

    with pytest.raises(Crash):
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


def test_a_mail_whose_connection_dropped_in_data_is_repeated_once(
    outbox: Outbox, mail: EmailChannel, mailbox: Mailbox
) -> None:
    outbox.write(new_message(channel="email"))
    mailbox.data_answers = deque([DROP])
    assert post(outbox, mail).retried == 1
    assert post(outbox, mail).delivered == 1
    assert len(mailbox.inbox) == 1
    assert outbox.message().provider_message_id == f"<{outbox.message().id}@example.org>"


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
