"""After sending, on both databases: what a provider calls back, open breakers, dead letters and figures."""

import random
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from structlog.testing import capture_logs

from notifications import feedback
from notifications.breaker import FIRST_PAUSE, THRESHOLD, Breaker
from notifications.callbacks import PATH, StatusCalls, Verdict
from notifications.dead_letters import dead_letters, drop, send_again
from notifications.figures import (
    channel_health,
    count_messages,
    forget_messages,
    waiting_since,
)
from notifications.models import DeliveryCallback, MessageState, OutboxMessage
from notifications.retry import OutcomeUnknown, PermanentFailure, TemporaryFailure
from tests.notifications.building import NOON, subject
from tests.support.outbox import Outbox, prometheus_text

TOKEN = "geheim"
SITE = "https://signalen.example"


def say(outbox: Outbox, status: str, *, sid: str | None = None, code: int | None = None) -> bool:
    message = outbox.message()
    with outbox.factory.begin() as session:
        return feedback.note(
            session,
            outbox.clock,
            message_id=message.id,
            provider_message_id=sid or message.provider_message_id or "",
            status=status,
            code=code,
        )


def judge(outbox: Outbox) -> int:
    with outbox.factory.begin() as session:
        return feedback.judge(session, outbox.clock, rng=random.Random(1))


def waiting_words(outbox: Outbox) -> int:
    with outbox.factory() as session:
        return session.scalar(select(func.count()).select_from(DeliveryCallback)) or 0


# Later words of the provider
@pytest.mark.parametrize(("code", "state"), [(30003, MessageState.QUEUED), (30007, MessageState.FAILED)])
def test_a_message_that_was_taken_and_not_delivered_is_tried_again_or_given_up_by_its_code(
    outbox: Outbox, code: int, state: MessageState
) -> None:
    outbox.write_numbers()
    outbox.deliver()
    say(outbox, "undelivered", code=code)
    assert judge(outbox) == 1
    message = outbox.message()
    assert message.state is state
    assert [attempt.problem for attempt in message.attempts] == [None, f"twilio_{code}"]


def test_words_out_of_order_count_by_the_furthest(outbox: Outbox) -> None:
    outbox.write_numbers()
    outbox.deliver()
    for status in ("delivered", "sent", "queued"):
        say(outbox, status)
    assert judge(outbox) == 3
    assert outbox.message().state is MessageState.DELIVERED


def test_a_repeated_word_is_noted_once_and_counts_once(outbox: Outbox) -> None:
    outbox.write_numbers()
    outbox.deliver()
    assert say(outbox, "undelivered", code=30003)
    assert not say(outbox, "undelivered", code=30003)
    judge(outbox)
    say(outbox, "undelivered", code=30003)
    judge(outbox)
    assert len(outbox.message().attempts) == 2


def test_a_word_about_an_earlier_try_does_not_touch_a_later_one(outbox: Outbox) -> None:
    outbox.write_numbers()
    outbox.deliver()
    say(outbox, "undelivered", sid="SMearlier", code=30007)
    judge(outbox)
    assert outbox.message().state is MessageState.DELIVERED


def test_a_message_in_doubt_is_found_by_the_providers_word_and_not_repeated(outbox: Outbox) -> None:
    outbox.write_numbers()
    outbox.channel.failures.append(OutcomeUnknown())
    outbox.deliver()
    say(outbox, "sent", sid="SM1")
    outbox.clock.moment += timedelta(hours=1)
    assert outbox.deliver().total == 0
    assert outbox.message().provider_message_id == "SM1"
    assert outbox.channel.sent == []


def test_a_worker_that_died_while_sending_is_found_by_the_providers_word(outbox: Outbox) -> None:
    outbox.write_numbers()
    with outbox.factory.begin() as session:
        values = {"state": MessageState.SENDING, "tries": 1, "leased_until": NOON}
        session.execute(update(OutboxMessage).values(**values))
    say(outbox, "queued", sid="SM1")
    outbox.deliver()
    assert outbox.message().state is MessageState.DELIVERED
    assert outbox.channel.sent == []


def test_a_word_about_a_message_that_is_being_sent_waits(outbox: Outbox) -> None:
    outbox.write_numbers()
    with outbox.factory.begin() as session:
        lease = NOON + timedelta(minutes=2)
        session.execute(update(OutboxMessage).values(state=MessageState.SENDING, tries=1, leased_until=lease))
    say(outbox, "undelivered", sid="SM1", code=30007)
    assert judge(outbox) == 0
    assert waiting_words(outbox) == 1


def test_words_about_a_message_that_is_gone_are_forgotten(outbox: Outbox) -> None:
    with outbox.factory.begin() as session:
        feedback.note(
            session,
            outbox.clock,
            message_id=uuid.UUID(int=5),
            provider_message_id="SM5",
            status="sent",
            code=None,
        )
    assert judge(outbox) == 1
    assert waiting_words(outbox) == 0


# The call itself


def call(outbox: Outbox, **changes: str) -> Verdict:
    """A call as Twilio signs it, with one thing changed after the signing."""
    from twilio.request_validator import RequestValidator

    query = f"message={subject(7)}"
    form = {"MessageSid": "SM0123", "MessageStatus": "delivered", "To": "+31612345678"}
    signature = RequestValidator(TOKEN).compute_signature(f"{SITE}{PATH}?{query}", form)
    arguments = {"signature": signature, "query": query} | {
        name: value for name, value in changes.items() if name in ("signature", "query")
    }
    form |= {name: value for name, value in changes.items() if name not in arguments}
    calls = StatusCalls(sessions=outbox.factory, clock=outbox.clock, auth_token=TOKEN, public_url=SITE)
    return calls.take(form=form, **arguments)


def test_a_signed_call_is_noted_without_the_phone_number(outbox: Outbox) -> None:
    assert call(outbox) is Verdict.NOTED
    with outbox.factory() as session:
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
    outbox: Outbox, changes: dict[str, str]
) -> None:
    assert call(outbox, **changes) is Verdict.FORGED
    assert waiting_words(outbox) == 0


# Breakers


def test_a_provider_that_is_down_is_left_alone_after_a_few_messages(outbox: Outbox) -> None:
    outbox.write_numbers(*range(1, 21))
    outbox.channel.failures.extend(TemporaryFailure("smtp_connection") for _ in range(20))
    breakers = {"memory": Breaker()}
    with capture_logs() as lines:
        assert outbox.deliver(breakers=breakers).retried == THRESHOLD
        assert outbox.deliver(breakers=breakers).total == 0
    assert len(outbox.channel.failures) == 20 - THRESHOLD
    assert [(line["event"], line["channel"], line["reason"]) for line in lines] == [
        ("outbox.channel_fails", "memory", "smtp_connection")
    ]


def test_once_the_provider_is_back_everything_goes_out_once(outbox: Outbox) -> None:
    outbox.write_numbers(*range(1, 21))
    outbox.channel.failures.extend(TemporaryFailure("smtp_connection") for _ in range(THRESHOLD))
    breakers = {"memory": Breaker()}
    outbox.deliver(breakers=breakers)
    outbox.clock.moment += FIRST_PAUSE + timedelta(minutes=5)
    with capture_logs() as lines:
        outbox.deliver(breakers=breakers)
    assert [line["event"] for line in lines] == ["outbox.channel_works_again"]
    assert len(outbox.channel.sent) == len({message.id for message in outbox.channel.sent}) == 20


# Dead letters


def fail(outbox: Outbox) -> None:
    outbox.write_numbers()
    outbox.channel.failures.append(PermanentFailure("smtp_550"))
    outbox.deliver()


def test_a_dead_letter_is_shown_with_its_class_and_without_its_recipient(outbox: Outbox) -> None:
    fail(outbox)
    with outbox.factory() as session:
        [letter] = dead_letters(session)
    assert (letter.event, letter.problem, letter.tries) == ("new_signal", "smtp_550", 1)
    assert "@" not in repr(letter)


def test_a_dead_letter_in_double_doubt_is_really_sent_again(outbox: Outbox) -> None:
    outbox.write_numbers()
    outbox.channel.failures.extend([OutcomeUnknown(), OutcomeUnknown()])
    for _ in range(2):
        outbox.deliver()
        outbox.clock.moment += timedelta(hours=5)
    with outbox.factory.begin() as session:
        assert send_again(session, outbox.clock, ids=[outbox.message().id]) == 1
    assert outbox.deliver().delivered == 1


def test_a_dropped_dead_letter_keeps_its_reason_and_can_not_be_sent(outbox: Outbox) -> None:
    fail(outbox)
    with outbox.factory.begin() as session:
        assert drop(session, outbox.clock) == 1
        assert send_again(session, outbox.clock) == 0
    assert outbox.message().reason == "dropped_by_hand"


# Figures


def count(outbox: Outbox) -> None:
    with outbox.factory.begin() as session:
        count_messages(session, outbox.clock)


def test_the_figures_tell_states_classes_and_the_age_of_the_oldest(outbox: Outbox) -> None:
    fail(outbox)
    outbox.write_numbers(2, 3, channel="email")
    outbox.clock.moment += timedelta(minutes=2)
    count(outbox)
    with outbox.factory() as session:
        text = prometheus_text(session, outbox.clock)
    assert 'signals_messages{channel="email",problem="",state="queued"} 2.0' in text
    assert 'signals_messages{channel="memory",problem="smtp_550",state="failed"} 1.0' in text
    assert "signals_oldest_due_message_seconds 120.0" in text


def test_a_message_that_is_tried_again_waits_since_its_first_try(outbox: Outbox) -> None:
    outbox.write_numbers()
    for _ in range(3):
        outbox.channel.failures.append(TemporaryFailure("smtp_connection"))
        outbox.deliver()
        outbox.clock.moment += timedelta(hours=5)
    outbox.channel.failures.append(TemporaryFailure("smtp_connection"))
    outbox.deliver()  # so that it is not due now
    count(outbox)
    with outbox.factory() as session:
        [health] = channel_health(session)
        text = prometheus_text(session, outbox.clock)
        late = [waiting_since(session, NOON + timedelta(minutes=minutes)).late for minutes in (0, 1)]
    assert (health.waiting, health.waiting_since, health.last_problem) == (1, NOON, "smtp_connection")
    assert 'signals_messages{channel="memory",problem="smtp_connection",state="queued"} 1.0' in text
    assert "signals_oldest_due_message_seconds 54000.0" in text
    assert late == [0, 1]


def test_a_channel_works_again_once_a_message_arrived_after_the_failure(outbox: Outbox) -> None:
    fail(outbox)
    count(outbox)
    with outbox.factory() as session:
        [broken] = channel_health(session)
    outbox.write_numbers(2)
    outbox.clock.moment += timedelta(minutes=1)
    outbox.deliver()
    count(outbox)
    with outbox.factory() as session:
        [mended] = channel_health(session)
    assert (broken.works, broken.problems, mended.works) == (False, ("smtp_550",), True)
    assert mended.last_delivered_at == outbox.clock.now()


def test_settled_messages_are_forgotten_after_ninety_days_and_waiting_ones_never(outbox: Outbox) -> None:
    outbox.write_numbers()
    outbox.deliver()
    outbox.write_numbers(2)
    outbox.clock.moment += timedelta(days=91)
    with outbox.factory.begin() as session:
        assert forget_messages(session, outbox.clock) == 1
    assert outbox.message().subject_id == subject(2)
