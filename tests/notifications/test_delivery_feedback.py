"""After sending, on both databases: what a provider calls back, open breakers, dead letters and figures."""

import random
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select, update
from sqlalchemy.orm import Session, selectinload, sessionmaker
from structlog.testing import capture_logs

from notifications import feedback
from notifications.breaker import FIRST_PAUSE, THRESHOLD, Breaker
from notifications.callbacks import PATH, StatusCalls, Verdict
from notifications.channels.memory import MemoryChannel
from notifications.dead_letters import dead_letters, drop, send_again
from notifications.delivery import DeliveryReport, deliver_due
from notifications.figures import (
    channel_health,
    count_messages,
    forget_messages,
    prometheus_text,
    waiting_since,
)
from notifications.models import Base, DeliveryCallback, MessageState, OutboxMessage
from notifications.outbox import enqueue
from notifications.retry import OutcomeUnknown, PermanentFailure, TemporaryFailure
from signals.clock import FixedClock
from signals.db import is_sqlite, make_engine, session_factory
from tests.notifications.building import NOON, new_message, subject

Factory = sessionmaker[Session]
TOKEN = "geheim"
SITE = "https://signalen.example"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    on_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/outbox.db" if on_file else request.getfixturevalue("postgres_url")
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def factory(engine: Engine) -> Factory:
    return session_factory(engine)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def channel() -> MemoryChannel:
    return MemoryChannel()


def write(factory: Factory, *numbers: int, **changes: object) -> None:
    with factory.begin() as session:
        enqueue(session, [new_message(subject_id=subject(number), **changes) for number in numbers or (1,)])


def deliver(factory: Factory, clock: FixedClock, channel: MemoryChannel, **more: object) -> DeliveryReport:
    return deliver_due(factory, clock, {"memory": channel}, rng=random.Random(1), **more)  # type: ignore[arg-type]


def the_message(factory: Factory) -> OutboxMessage:
    with factory() as session:
        return session.scalars(select(OutboxMessage).options(selectinload(OutboxMessage.attempts))).one()


def say(
    factory: Factory, clock: FixedClock, status: str, *, sid: str | None = None, code: int | None = None
) -> bool:
    message = the_message(factory)
    with factory.begin() as session:
        return feedback.note(
            session,
            clock,
            message_id=message.id,
            provider_message_id=sid or message.provider_message_id or "",
            status=status,
            code=code,
        )


def judge(factory: Factory, clock: FixedClock) -> int:
    with factory.begin() as session:
        return feedback.judge(session, clock, rng=random.Random(1))


def waiting_words(factory: Factory) -> int:
    with factory() as session:
        return session.scalar(select(func.count()).select_from(DeliveryCallback)) or 0


# What the provider says later


@pytest.mark.parametrize(("code", "state"), [(30003, MessageState.QUEUED), (30007, MessageState.FAILED)])
def test_a_message_that_was_taken_and_not_delivered_is_tried_again_or_given_up_by_its_code(
    factory: Factory, clock: FixedClock, channel: MemoryChannel, code: int, state: MessageState
) -> None:
    write(factory)
    deliver(factory, clock, channel)
    say(factory, clock, "undelivered", code=code)
    assert judge(factory, clock) == 1
    message = the_message(factory)
    assert message.state is state
    assert [attempt.problem for attempt in message.attempts] == [None, f"twilio_{code}"]


def test_an_undelivered_message_goes_out_again_later(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    write(factory)
    deliver(factory, clock, channel)
    say(factory, clock, "failed", code=30003)
    judge(factory, clock)
    clock.moment += timedelta(hours=1)
    assert deliver(factory, clock, channel).delivered == 1
    assert len(channel.sent) == 2


def test_words_out_of_order_count_by_the_furthest(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    write(factory)
    deliver(factory, clock, channel)
    for status in ("delivered", "sent", "queued"):
        say(factory, clock, status)
    assert judge(factory, clock) == 3
    assert the_message(factory).state is MessageState.DELIVERED


def test_a_late_lesser_word_does_not_undo_a_failure(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    write(factory)
    deliver(factory, clock, channel)
    say(factory, clock, "undelivered", code=30003)
    judge(factory, clock)
    say(factory, clock, "sent")
    judge(factory, clock)
    assert the_message(factory).state is MessageState.QUEUED


def test_a_repeated_word_is_noted_once_and_counts_once(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    write(factory)
    deliver(factory, clock, channel)
    assert say(factory, clock, "undelivered", code=30003)
    assert not say(factory, clock, "undelivered", code=30003)
    judge(factory, clock)
    say(factory, clock, "undelivered", code=30003)
    judge(factory, clock)
    assert len(the_message(factory).attempts) == 2


def test_a_word_about_an_earlier_try_does_not_touch_a_later_one(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    write(factory)
    deliver(factory, clock, channel)
    say(factory, clock, "undelivered", sid="SMearlier", code=30007)
    judge(factory, clock)
    assert the_message(factory).state is MessageState.DELIVERED


def test_a_message_in_doubt_is_found_by_the_providers_word_and_not_repeated(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    write(factory)
    channel.failures.append(OutcomeUnknown())
    deliver(factory, clock, channel)
    say(factory, clock, "sent", sid="SM1")
    clock.moment += timedelta(hours=1)
    assert deliver(factory, clock, channel).total == 0
    assert the_message(factory).provider_message_id == "SM1"
    assert channel.sent == []


def test_a_worker_that_died_while_sending_is_found_by_the_providers_word(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    write(factory)
    with factory.begin() as session:
        values = {"state": MessageState.SENDING, "tries": 1, "leased_until": NOON}
        session.execute(update(OutboxMessage).values(**values))
    say(factory, clock, "queued", sid="SM1")
    deliver(factory, clock, channel)
    assert the_message(factory).state is MessageState.DELIVERED
    assert channel.sent == []


def test_a_word_about_a_message_that_is_being_sent_waits(factory: Factory, clock: FixedClock) -> None:
    write(factory)
    with factory.begin() as session:
        lease = NOON + timedelta(minutes=2)
        session.execute(update(OutboxMessage).values(state=MessageState.SENDING, tries=1, leased_until=lease))
    say(factory, clock, "undelivered", sid="SM1", code=30007)
    assert judge(factory, clock) == 0
    assert waiting_words(factory) == 1


@pytest.mark.parametrize("message_id", [None, uuid.UUID(int=1)], ids=["by the provider's", "by both"])
def test_a_message_is_found_by_its_ids_and_not_by_reading_the_outbox(
    factory: Factory, message_id: uuid.UUID | None
) -> None:
    asked: list[tuple[str, Any]] = []
    word = DeliveryCallback(message_id=message_id, provider_message_id="SM1", status="sent")
    with factory() as session:
        event.listen(session.get_bind(), "before_cursor_execute", lambda *said: asked.append(said[2:4]))
        feedback._find(session, "SM1", [word])
        statement, values = asked[-1]
        plan = explained(session, statement, values)
    assert "ix_outbox_messages_provider_message_id" in plan
    assert "Seq Scan" not in plan
    assert "SCAN outbox_messages" not in plan


def explained(session: Session, statement: str, values: Any) -> str:
    """How the database goes about it; PostgreSQL as if there were many rows."""
    connection = session.connection()
    if is_sqlite(session):
        return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    return str(connection.exec_driver_sql(f"EXPLAIN {statement}", values).all())


def test_words_about_a_message_that_is_gone_are_forgotten(factory: Factory, clock: FixedClock) -> None:
    with factory.begin() as session:
        feedback.note(
            session,
            clock,
            message_id=uuid.UUID(int=5),
            provider_message_id="SM5",
            status="sent",
            code=None,
        )
    assert judge(factory, clock) == 1
    assert waiting_words(factory) == 0


# The call itself


def call(factory: Factory, clock: FixedClock, **changes: str) -> Verdict:
    """A call as Twilio signs it, with one thing changed after the signing."""
    from twilio.request_validator import RequestValidator

    query = f"message={subject(7)}"
    form = {"MessageSid": "SM0123", "MessageStatus": "delivered", "To": "+31612345678"}
    signature = RequestValidator(TOKEN).compute_signature(f"{SITE}{PATH}?{query}", form)
    arguments = {"signature": signature, "query": query} | {
        name: value for name, value in changes.items() if name in ("signature", "query")
    }
    form |= {name: value for name, value in changes.items() if name not in arguments}
    calls = StatusCalls(sessions=factory, clock=clock, auth_token=TOKEN, public_url=SITE)
    return calls.take(form=form, **arguments)


def test_a_signed_call_is_noted_without_the_phone_number(factory: Factory, clock: FixedClock) -> None:
    assert call(factory, clock) is Verdict.NOTED
    with factory() as session:
        noted = session.scalars(select(DeliveryCallback)).one()
    assert (noted.message_id, noted.provider_message_id, noted.status) == (subject(7), "SM0123", "delivered")


@pytest.mark.parametrize(
    "changes",
    [
        {"MessageStatus": "undelivered"},
        {"MessageSid": "SM9999"},
        {"ErrorCode": "30007"},
        {"query": f"message={subject(8)}"},
        {"query": ""},
        {"signature": ""},
        {"signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="},
    ],
)
def test_a_call_that_was_tampered_with_is_refused_and_leaves_nothing(
    factory: Factory, clock: FixedClock, changes: dict[str, str]
) -> None:
    assert call(factory, clock, **changes) is Verdict.FORGED
    assert waiting_words(factory) == 0


# Breakers


def test_a_provider_that_is_down_is_left_alone_after_a_few_messages(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    write(factory, *range(1, 21))
    channel.failures.extend(TemporaryFailure("smtp_connection") for _ in range(20))
    breakers = {"memory": Breaker()}
    with capture_logs() as lines:
        assert deliver(factory, clock, channel, breakers=breakers).retried == THRESHOLD
        assert deliver(factory, clock, channel, breakers=breakers).total == 0
    assert len(channel.failures) == 20 - THRESHOLD
    assert [(line["event"], line["channel"], line["reason"]) for line in lines] == [
        ("outbox.channel_fails", "memory", "smtp_connection")
    ]


def test_once_the_provider_is_back_everything_goes_out_once(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    write(factory, *range(1, 21))
    channel.failures.extend(TemporaryFailure("smtp_connection") for _ in range(THRESHOLD))
    breakers = {"memory": Breaker()}
    deliver(factory, clock, channel, breakers=breakers)
    clock.moment += FIRST_PAUSE + timedelta(minutes=5)
    with capture_logs() as lines:
        deliver(factory, clock, channel, breakers=breakers)
    assert [line["event"] for line in lines] == ["outbox.channel_works_again"]
    assert len(channel.sent) == len({message.id for message in channel.sent}) == 20


# What lost its sense


def test_an_obsolete_message_expires_with_the_reason(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    write(factory)
    report = deliver(factory, clock, channel, obsolete=lambda *_about: "claimed")
    assert report.expired == 1
    assert (the_message(factory).state, the_message(factory).reason) == (MessageState.EXPIRED, "claimed")
    assert channel.sent == []


def test_an_expired_message_has_the_reason_too_late(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    write(factory, expires_at=NOON)
    deliver(factory, clock, channel)
    assert the_message(factory).reason == "too_late"


# Dead letters


def fail(factory: Factory, clock: FixedClock, channel: MemoryChannel) -> None:
    write(factory)
    channel.failures.append(PermanentFailure("smtp_550"))
    deliver(factory, clock, channel)


def test_a_dead_letter_is_shown_with_its_class_and_without_its_recipient(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    fail(factory, clock, channel)
    with factory() as session:
        [letter] = dead_letters(session)
    assert (letter.event, letter.problem, letter.tries) == ("new_signal", "smtp_550", 1)
    assert "@" not in repr(letter)


def test_a_dead_letter_can_be_sent_again(factory: Factory, clock: FixedClock, channel: MemoryChannel) -> None:
    fail(factory, clock, channel)
    with factory.begin() as session:
        assert send_again(session, clock) == 1
    assert deliver(factory, clock, channel).delivered == 1


def test_a_dead_letter_in_double_doubt_is_really_sent_again(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    write(factory)
    channel.failures.extend([OutcomeUnknown(), OutcomeUnknown()])
    for _ in range(2):
        deliver(factory, clock, channel)
        clock.moment += timedelta(hours=5)
    with factory.begin() as session:
        assert send_again(session, clock, ids=[the_message(factory).id]) == 1
    assert deliver(factory, clock, channel).delivered == 1


def test_a_dropped_dead_letter_keeps_its_reason_and_can_not_be_sent(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    fail(factory, clock, channel)
    with factory.begin() as session:
        assert drop(session, clock) == 1
        assert send_again(session, clock) == 0
    assert the_message(factory).reason == "dropped_by_hand"


# Figures


def count(factory: Factory, clock: FixedClock) -> None:
    with factory.begin() as session:
        count_messages(session, clock)


def test_the_figures_tell_states_classes_and_the_age_of_the_oldest(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    fail(factory, clock, channel)
    write(factory, 2, 3, channel="email")
    clock.moment += timedelta(minutes=2)
    count(factory, clock)
    with factory() as session:
        text = prometheus_text(session, clock).decode()
    assert 'signals_messages{channel="email",problem="",state="queued"} 2.0' in text
    assert 'signals_messages{channel="memory",problem="smtp_550",state="failed"} 1.0' in text
    assert "signals_oldest_due_message_seconds 120.0" in text


def test_a_message_that_is_tried_again_waits_since_its_first_try(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    write(factory)
    for _ in range(3):
        channel.failures.append(TemporaryFailure("smtp_connection"))
        deliver(factory, clock, channel)
        clock.moment += timedelta(hours=5)
    channel.failures.append(TemporaryFailure("smtp_connection"))
    deliver(factory, clock, channel)  # so that it is not due now
    count(factory, clock)
    with factory() as session:
        [health] = channel_health(session)
        text = prometheus_text(session, clock).decode()
        late = [waiting_since(session, NOON + timedelta(minutes=minutes)) for minutes in (0, 1)]
    assert (health.waiting, health.waiting_since, health.last_problem) == (1, NOON, "smtp_connection")
    assert 'signals_messages{channel="memory",problem="smtp_connection",state="queued"} 1.0' in text
    assert "signals_oldest_due_message_seconds 54000.0" in text
    assert late == [0, 1]


def test_a_message_that_is_not_due_yet_is_in_no_figure(factory: Factory, clock: FixedClock) -> None:
    write(factory, not_before=NOON + timedelta(minutes=20))
    count(factory, clock)
    with factory() as session:
        assert channel_health(session) == []
        assert b'state="queued"' not in prometheus_text(session, clock)


def test_counting_twice_replaces_the_figures(factory: Factory, clock: FixedClock) -> None:
    write(factory)
    count(factory, clock)
    count(factory, clock)
    with factory() as session:
        assert b'state="queued"} 1.0' in prometheus_text(session, clock)


def test_a_channel_works_again_once_a_message_arrived_after_the_failure(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    fail(factory, clock, channel)
    count(factory, clock)
    with factory() as session:
        [broken] = channel_health(session)
    write(factory, 2)
    clock.moment += timedelta(minutes=1)
    deliver(factory, clock, channel)
    count(factory, clock)
    with factory() as session:
        [mended] = channel_health(session)
    assert (broken.works, broken.problems, mended.works) == (False, ("smtp_550",), True)
    assert mended.last_delivered_at == clock.now()


def test_settled_messages_are_forgotten_after_ninety_days_and_waiting_ones_never(
    factory: Factory, clock: FixedClock, channel: MemoryChannel
) -> None:
    write(factory)
    deliver(factory, clock, channel)
    write(factory, 2)
    clock.moment += timedelta(days=91)
    with factory.begin() as session:
        assert forget_messages(session, clock) == 1
    assert the_message(factory).subject_id == subject(2)
