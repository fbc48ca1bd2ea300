"""The SMS channel: Twilio's real client against a scripted server."""

import json
import logging
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from notifications.channels.sms import SmsChannel, TwilioAccount, classify, pause
from notifications.retry import DeliveryFailure, OutcomeUnknown, PermanentFailure, TemporaryFailure, Throttled
from tests.notifications.building import outgoing, subject
from tests.notifications.smtp_server import make_certificate

HOST = "127.0.0.1"
NUMBER = "+31612345678"
Answer = tuple[int, dict[str, str], dict[str, Any]]
TAKEN: Answer = (201, {}, {"sid": "SM0123", "status": "accepted"})
HANG_UP: Answer = (0, {}, {})


@dataclass
class Script:
    """The next answers of the server (`TAKEN` when there are none left), and the forms it was sent."""

    answers: deque[Answer] = field(default_factory=deque)
    forms: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    port: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    hangs: bool = False
    server: Any = None


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()
    server = ThreadingHTTPServer((HOST, 0), _handler(script))
    script.server, script.port = server, server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield script
    script.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def channel(script: Script) -> Iterator[SmsChannel]:
    channel = SmsChannel(account=account(script.port))
    yield channel
    channel.close()


def account(port: int, timeout_seconds: float = 5.0) -> TwilioAccount:
    return TwilioAccount(
        account_sid="AC0123",
        auth_token="geheim",
        messaging_service_sid="MG0123",
        status_callback="https://signalen.example/callbacks/sms",
        timeout_seconds=timeout_seconds,
        api_url=f"http://{HOST}:{port}",
    )


def test_a_private_authority_counts_besides_the_known_ones(script: Script, tmp_path: Path) -> None:
    context, authority = make_certificate(tmp_path)
    script.server.socket = context.wrap_socket(script.server.socket, server_side=True)
    secure = replace(account(script.port), api_url=f"https://{HOST}:{script.port}")
    for ca_file, trusted in ((None, False), (authority, True)):
        channel = SmsChannel(account=replace(secure, ca_file=ca_file))
        with nullcontext() if trusted else pytest.raises(TemporaryFailure, match="twilio_connection"):
            assert channel.send(outgoing(recipient=NUMBER)).provider_message_id == "SM0123"
        channel.close()


def refusal(status: int, code: int, **headers: str) -> Answer:
    return status, headers, {"code": code, "message": f"about {NUMBER}", "status": status}


def test_a_text_message_goes_out_with_service_and_callback(channel: SmsChannel, script: Script) -> None:
    sent = channel.send(outgoing(recipient=NUMBER))
    assert sent.provider_message_id == "SM0123"
    assert script.paths == ["/2010-04-01/Accounts/AC0123/Messages.json"]
    assert script.forms == [
        {
            "To": NUMBER,
            "Body": "Nieuwe melding.",
            "MessagingServiceSid": "MG0123",
            "StatusCallback": f"https://signalen.example/callbacks/sms?message={subject(7)}",
        }
    ]


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (refusal(400, 21211), PermanentFailure),
        (refusal(400, 21610), PermanentFailure),
        (refusal(400, 30003), TemporaryFailure),
        (refusal(400, 30007), PermanentFailure),
        (refusal(401, 20003), TemporaryFailure),
        (refusal(429, 20429), Throttled),
        (refusal(500, 20500), TemporaryFailure),
        ((503, {}, {}), TemporaryFailure),
        (HANG_UP, OutcomeUnknown),
    ],
)
def test_an_answer_is_judged_by_its_code(
    channel: SmsChannel, script: Script, answer: Answer, failure: type[DeliveryFailure]
) -> None:
    script.answers.append(answer)
    with pytest.raises(failure) as caught:
        channel.send(outgoing(recipient=NUMBER))
    assert NUMBER not in repr(caught.value)


def test_a_server_that_does_not_answer_in_time_leaves_the_outcome_unknown(script: Script) -> None:
    script.hangs = True
    channel = SmsChannel(account=account(script.port, timeout_seconds=0.15))
    with pytest.raises(OutcomeUnknown):
        channel.send(outgoing(recipient=NUMBER))
    channel.close()


def test_a_server_that_is_not_there_is_a_temporary_failure() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    channel = SmsChannel(account=account(port))
    with pytest.raises(TemporaryFailure, match="twilio_connection"):
        channel.send(outgoing(recipient=NUMBER))
    channel.close()


def test_nothing_about_the_message_is_logged(
    channel: SmsChannel, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script.answers.append((201, {}, {"sid": "SM0123", "to": NUMBER, "body": "Nieuwe melding."}))
    with caplog.at_level(logging.DEBUG):
        channel.send(outgoing(recipient=NUMBER))
    assert NUMBER[1:] not in caplog.text
    assert "Nieuwe" not in caplog.text


def test_twilio_is_not_imported_before_the_first_message() -> None:
    code = "import sys, notifications.channels.sms as s; sys.exit('twilio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("value", "seconds"), [("0", 0), ("5", 5), ("", 0), ("soon", 0), ("-3", 0), ("٣", 0), ("9" * 40, 86_400)]
)
def test_a_pause_is_read_only_from_a_plain_number(value: str, seconds: int) -> None:
    assert pause({"Retry-After": value}) == timedelta(seconds=seconds)


def test_an_unknown_refusal_of_the_request_itself_is_permanent() -> None:
    assert isinstance(classify(status=400, code=99999), PermanentFailure)


def _handler(script: Script) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            script.forms.append({name: values[0] for name, values in parse_qs(form).items()})
            script.paths.append(self.path)
            if script.hangs:
                script.released.wait(10)
                return
            status, headers, body = script.answers.popleft() if script.answers else TAKEN
            if status:
                self._answer(status, headers, json.dumps(body).encode())

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """A quiet server."""

    return Handler
