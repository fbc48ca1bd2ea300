"""The e-mail channel against a real SMTP server."""

import email
import email.policy
import socket
from collections import deque
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from threading import Thread

import pytest
from aiosmtpd.smtp import Envelope

from notifications.breaker import is_about_provider
from notifications.channels.email import EmailChannel, Security, SmtpServer
from notifications.retry import DeliveryFailure, OutcomeUnknown, PermanentFailure, TemporaryFailure
from tests.notifications.building import outgoing, subject
from tests.notifications.smtp_server import (
    DROP,
    HOST,
    SILENCE,
    Mailbox,
    accept_only,
    make_certificate,
    smtp_server,
)

SENDER = "meldingen@example.org"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def plain(mailbox: Mailbox) -> Iterator[EmailChannel]:
    with smtp_server(mailbox) as port:
        found = channel(port, Security.NONE)
        yield found
        found.rest()


def channel(port: int, security: Security, **changes: object) -> EmailChannel:
    options = {"host": HOST, "port": port, "security": security, "timeout_seconds": 5.0, **changes}
    return EmailChannel(server=SmtpServer(**options), sender=SENDER)  # type: ignore[arg-type]


def send_one(found: EmailChannel) -> None:
    """One message, and its connection is left."""
    try:
        found.send(outgoing())
    finally:
        found.rest()


def received(mailbox: Mailbox) -> EmailMessage:
    [envelope] = mailbox.inbox
    return read(envelope)


def read(envelope: Envelope) -> EmailMessage:
    assert isinstance(envelope.content, bytes)
    mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def test_a_mail_arrives_with_text_and_html(plain: EmailChannel, mailbox: Mailbox) -> None:
    plain.send(outgoing())
    mail = received(mailbox)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == ["Één melding.", ".", "Daarna."]
    assert html.get_content().strip() == "<p>Één melding.</p>"
    assert mail["Subject"] == "Er is een nieuwe melding"


def test_a_mail_says_that_it_is_automatic_and_when_it_was_sent(plain: EmailChannel, mailbox: Mailbox) -> None:
    plain.send(outgoing())
    mail = received(mailbox)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"] == "Tue, 24 Nov 2026 12:00:00 +0000"


def test_the_message_id_is_our_own_and_stays_the_same(plain: EmailChannel, mailbox: Mailbox) -> None:
    first, second = plain.send(outgoing()), plain.send(outgoing())
    assert first == second
    assert first.provider_message_id == f"<{subject(7)}@example.org>"
    assert len(mailbox.inbox) == 2
    assert {read(envelope)["Message-ID"] for envelope in mailbox.inbox} == {first.provider_message_id}


@pytest.mark.parametrize("code", [421, 450, 451, 452])
def test_a_temporary_refusal_of_the_recipient_is_temporary(
    plain: EmailChannel, mailbox: Mailbox, code: int
) -> None:
    mailbox.rcpt_answers = deque([f"{code} later"])
    with pytest.raises(TemporaryFailure, match=f"smtp_{code}"):
        plain.send(outgoing())


@pytest.mark.parametrize("code", [550, 551, 552, 553])
def test_a_permanent_refusal_of_the_recipient_is_permanent(
    plain: EmailChannel, mailbox: Mailbox, code: int
) -> None:
    mailbox.rcpt_answers = deque([f"{code} never"])
    with pytest.raises(PermanentFailure, match=f"smtp_{code}"):
        plain.send(outgoing())


@pytest.mark.parametrize("code", [501, 550, 553, 554])
def test_a_refusal_of_our_own_address_waits_until_somebody_mends_it(
    plain: EmailChannel, mailbox: Mailbox, code: int
) -> None:
    mailbox.mail_answers = deque([f"{code} you may not send from there"])
    with pytest.raises(TemporaryFailure, match="smtp_sender") as caught:
        plain.send(outgoing())
    assert is_about_provider(caught.value)
    assert plain.send(outgoing()).provider_message_id


def test_the_check_finds_out_that_our_own_address_is_refused(plain: EmailChannel, mailbox: Mailbox) -> None:
    plain.check()
    mailbox.mail_answers = deque(["550 you may not send from there"])
    with pytest.raises(TemporaryFailure, match="smtp_sender"):
        plain.check()
    assert mailbox.inbox == []


def test_a_refusal_never_repeats_the_recipients_address(plain: EmailChannel, mailbox: Mailbox) -> None:
    mailbox.rcpt_answers = deque(["550 team@example.org is unknown"])
    with pytest.raises(PermanentFailure) as caught:
        plain.send(outgoing())
    assert "team@" not in repr(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_connection_dropped_in_data_leaves_the_outcome_unknown(
    plain: EmailChannel, mailbox: Mailbox
) -> None:
    mailbox.data_answers = deque([DROP])
    with pytest.raises(OutcomeUnknown):
        plain.send(outgoing())


def test_a_server_that_does_not_answer_in_time_leaves_the_outcome_unknown(mailbox: Mailbox) -> None:
    mailbox.data_answers = deque([SILENCE])
    with smtp_server(mailbox) as port, pytest.raises(OutcomeUnknown):
        send_one(channel(port, Security.NONE, timeout_seconds=0.15))


def test_a_server_that_is_not_there_is_a_temporary_failure() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TemporaryFailure, match="smtp_connection"):
        send_one(channel(port, Security.NONE))


def test_starttls_protects_the_mail_and_the_sign_in(mailbox: Mailbox, tmp_path: Path) -> None:
    context, trusted = make_certificate(tmp_path)
    guard = accept_only("desk", "geheim")
    with smtp_server(
        mailbox, tls_context=context, require_starttls=True, authenticator=guard, auth_required=True
    ) as port:
        send_one(channel(port, Security.STARTTLS, ca_file=trusted, user="desk", password="geheim"))
    assert mailbox.secure == [True]


def test_a_refused_sign_in_waits_until_somebody_mends_it(mailbox: Mailbox, tmp_path: Path) -> None:
    context, trusted = make_certificate(tmp_path)
    guard = accept_only("desk", "geheim")
    with (
        smtp_server(mailbox, tls_context=context, authenticator=guard, auth_required=True) as port,
        pytest.raises(TemporaryFailure, match="smtp_sign_in"),
    ):
        send_one(channel(port, Security.STARTTLS, ca_file=trusted, user="desk", password="fout"))


def test_tls_from_the_start_protects_the_mail(mailbox: Mailbox, tmp_path: Path) -> None:
    context, trusted = make_certificate(tmp_path)
    with smtp_server(mailbox, ssl_context=context) as port:
        send_one(channel(port, Security.TLS, ca_file=trusted))
    assert len(mailbox.inbox) == 1


def test_a_certificate_without_an_authority_is_refused(mailbox: Mailbox, tmp_path: Path) -> None:
    context, _ = make_certificate(tmp_path)
    with (
        smtp_server(mailbox, tls_context=context) as port,
        pytest.raises(TemporaryFailure, match="smtp_tls"),
    ):
        send_one(channel(port, Security.STARTTLS))
    assert mailbox.inbox == []


def test_a_server_without_starttls_gets_no_mail_in_the_clear(mailbox: Mailbox) -> None:
    with smtp_server(mailbox) as port, pytest.raises(TemporaryFailure, match="smtp_not_supported"):
        send_one(channel(port, Security.STARTTLS))
    assert mailbox.inbox == []


@pytest.mark.parametrize("address", ["", "team", "a@b\r\nBcc: c@d.nl", "@", "tëam@example.org", "<a@b>"])
def test_a_text_that_is_no_address_is_a_permanent_failure(address: str) -> None:
    with pytest.raises(PermanentFailure, match="bad_address"):
        channel(1, Security.NONE).send(outgoing(recipient=address))


# One connection for a batch


def test_a_batch_goes_over_one_connection_and_each_message_to_its_own_recipient(
    plain: EmailChannel, mailbox: Mailbox
) -> None:
    for name in ("a", "b", "c"):
        plain.send(outgoing(recipient=f"{name}@example.org"))
    assert mailbox.connections == 1
    assert [envelope.rcpt_tos for envelope in mailbox.inbox] == [
        ["a@example.org"],
        ["b@example.org"],
        ["c@example.org"],
    ]


@pytest.mark.parametrize("answer", ["450 later", "550 never"])
def test_a_refused_message_leaves_nothing_behind_for_the_next_on_the_connection(
    plain: EmailChannel, mailbox: Mailbox, answer: str
) -> None:
    plain.send(outgoing())
    mailbox.rcpt_answers = deque([answer])
    with pytest.raises(DeliveryFailure):
        plain.send(outgoing(recipient="refused@example.org"))
    plain.send(outgoing(recipient="next@example.org"))
    assert [envelope.rcpt_tos for envelope in mailbox.inbox] == [["team@example.org"], ["next@example.org"]]
    assert mailbox.connections == 1


@pytest.mark.parametrize("answer", ["421 closing", "503 what?", DROP])
def test_a_connection_that_the_server_ended_meanwhile_is_opened_once_more(
    plain: EmailChannel, mailbox: Mailbox, answer: str
) -> None:
    plain.send(outgoing())
    mailbox.mail_answers = deque([answer])
    plain.send(outgoing())
    assert (len(mailbox.inbox), mailbox.connections) == (2, 2)


@pytest.mark.parametrize(("answer", "problem"), [("421 closing", "smtp_421"), (DROP, "smtp_disconnected")])
def test_it_is_opened_once_and_not_again(
    plain: EmailChannel, mailbox: Mailbox, answer: str, problem: str
) -> None:
    plain.send(outgoing())
    mailbox.mail_answers = deque([answer, answer])
    with pytest.raises(TemporaryFailure, match=problem):
        plain.send(outgoing())
    assert (len(mailbox.inbox), len(mailbox.sessions)) == (1, 3)


def test_after_a_doubt_the_message_is_not_sent_again_and_the_next_has_a_new_connection(
    plain: EmailChannel, mailbox: Mailbox
) -> None:
    plain.send(outgoing())
    mailbox.data_answers = deque([DROP])
    with pytest.raises(OutcomeUnknown):
        plain.send(outgoing())
    plain.send(outgoing())
    assert (len(mailbox.inbox), mailbox.connections) == (2, 2)


def test_a_connection_is_left_after_a_hundred_messages(
    plain: EmailChannel, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.channels.email.MOST_ON_ONE", 2)
    for _ in range(3):
        plain.send(outgoing())
    assert (len(mailbox.inbox), mailbox.connections) == (3, 2)


def test_two_threads_never_share_a_connection(plain: EmailChannel, mailbox: Mailbox) -> None:
    plain.send(outgoing())
    other = Thread(target=send_one, args=(plain,))
    other.start()
    other.join(10)
    plain.send(outgoing())
    assert (len(mailbox.inbox), mailbox.connections) == (3, 2)
