"""Webhooks: signed CloudEvents, to public addresses only, and never along a redirect."""

import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import time_machine

from notifications.breaker import is_about_provider
from notifications.channels.webhook import CloudEvent, Webhook, post_event
from notifications.guarded_http import GuardedHttp
from notifications.retry import DeliveryFailure, PermanentFailure, TemporaryFailure, Throttled
from tests.notifications.building import NOON, subject
from tests.notifications.smtp_server import make_certificate

HOST = "127.0.0.1"
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
EVENT = CloudEvent(
    id=subject(7),
    source="urn:nld:oin:00000001234567890000:systeem:deurpost",
    type="nl.deurpost.signaal.stand-gewijzigd",
    subject=str(subject(1)),
    data={"id": str(subject(1)), "reference": "K7P4-QX2M", "state": "claimed", "day": "2026-11-24"},
)
Answer = tuple[int, dict[str, str]]
ENDLESS: Answer = (0, {})


@dataclass
class Receiver:
    """A receiver over TLS: its next answers (204 when there are none left), and what it got."""

    port: int = 0
    ca_file: Path = Path()
    answers: deque[Answer] = field(default_factory=deque)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}/events"

    def http(self, *names: str, seconds: float = 10.0) -> GuardedHttp:
        return GuardedHttp(private_hosts=frozenset(names), ca_file=self.ca_file, seconds=seconds)

    def post(self, http: GuardedHttp | None = None, url: str = "") -> None:
        webhook = Webhook(url=url or self.url, secret=SECRET, http=http or self.http(HOST))
        post_event(webhook, EVENT, NOON)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    context, authority = make_certificate(tmp_path)
    receiver = Receiver(ca_file=authority)
    server = ThreadingHTTPServer((HOST, 0), _handler(receiver))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield receiver
    receiver.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((dict(self.headers), body))
            status, headers = receiver.answers.popleft() if receiver.answers else (204, {})
            if not status:
                self._drip()
                return
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def _drip(self) -> None:
            """Send one byte after another, each in time, and never an end."""
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not receiver.released.wait(0.05):
                try:
                    self.wfile.write(b"a")
                except OSError:
                    return

        def log_message(self, *_: Any) -> None:
            """Keep the output of the tests clean."""

    return Handler


def resolving(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], list[str]]) -> list[str]:
    """Answer questions for addresses; return the names that were asked, as they come."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port)) for found in answer(host)]

    monkeypatch.setattr("notifications.guarded_http.getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@time_machine.travel(NOON, tick=False)
def test_an_event_arrives_signed_as_standard_webhooks_says(receiver: Receiver) -> None:
    from standardwebhooks.webhooks import Webhook as Verifier

    receiver.post()
    [(headers, body)] = receiver.got
    verified = Verifier(SECRET).verify(body, headers)
    assert headers["webhook-id"] == str(EVENT.id)
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert verified == {
        "specversion": "1.0",
        "id": str(EVENT.id),
        "source": EVENT.source,
        "type": EVENT.type,
        "subject": EVENT.subject,
        "datacontenttype": "application/json",
        "data": EVENT.data,
    }


def test_an_altered_event_does_not_verify(receiver: Receiver) -> None:
    from standardwebhooks.webhooks import Webhook as Verifier
    from standardwebhooks.webhooks import WebhookVerificationError

    receiver.post()
    [(headers, body)] = receiver.got
    altered = json.dumps(json.loads(body) | {"subject": "een ander"})
    with time_machine.travel(NOON, tick=False), pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(altered, headers)


@pytest.mark.parametrize(
    ("status", "failure"),
    [(410, PermanentFailure), (400, TemporaryFailure), (500, TemporaryFailure), (301, TemporaryFailure)],
)
def test_any_answer_but_2xx_is_a_failure_of_this_receiver_only(
    receiver: Receiver, status: int, failure: type[DeliveryFailure]
) -> None:
    receiver.answers.append((status, {"Location": f"https://{HOST}:{receiver.port}/elsewhere"}))
    with pytest.raises(failure, match=f"webhook_{status}") as refused:
        receiver.post()
    assert not is_about_provider(refused.value)
    assert len(receiver.got) == 1  # nothing followed the redirect


def test_a_receiver_may_ask_for_a_pause(receiver: Receiver) -> None:
    receiver.answers.append((503, {"Retry-After": "90"}))
    with pytest.raises(Throttled) as asked:
        receiver.post()
    assert asked.value.retry_after == timedelta(seconds=90)


def test_an_answer_without_an_end_is_cut_off(receiver: Receiver) -> None:
    receiver.answers.append(ENDLESS)
    with pytest.raises(TemporaryFailure, match="https_no_answer"):
        receiver.post(receiver.http(HOST, seconds=0.5))


def test_a_certificate_of_somebody_else_is_refused(receiver: Receiver) -> None:
    with pytest.raises(TemporaryFailure, match="https_tls"):
        receiver.post(GuardedHttp(private_hosts=frozenset({HOST})))
    assert receiver.got == []


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/events",
        "ftp://hooks.example.org/events",
        "https://user@hooks.example.org/events",
        "https://hooks.example.org/events#part",
        "https://hooks.example.org:geen/",
        "https:///events",
        "file:///etc/passwd",
    ],
)
def test_only_plain_https_addresses_are_called(receiver: Receiver, url: str) -> None:
    with pytest.raises(PermanentFailure, match="https_address"):
        receiver.post(url=url)


PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_with_a_private_address_is_refused(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    resolving(monkeypatch, lambda _name: ["93.184.216.34", address])
    with pytest.raises(PermanentFailure, match="https_private"):
        receiver.post(url=f"https://hooks.example.org:{receiver.port}/events")
    assert receiver.got == []


def test_an_address_without_a_name_is_refused_too(receiver: Receiver) -> None:
    with pytest.raises(PermanentFailure, match="https_private"):
        receiver.post(receiver.http("another.example.org"))
    assert receiver.got == []


def test_a_name_that_changes_after_the_check_leads_nowhere_else(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer is public; a second question would lead to the private receiver."""
    answers = deque([["93.184.216.34"], [HOST], [HOST]])
    asked = resolving(monkeypatch, lambda name: answers.popleft() if name == "hooks.example.org" else [name])
    reached: list[Any] = []

    def connect(_self: socket.socket, address: Any) -> None:
        reached.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(TemporaryFailure, match="https_connection"):
        receiver.post(url=f"https://hooks.example.org:{receiver.port}/events")
    assert reached == ["93.184.216.34"]
    assert asked.count("hooks.example.org") == 1


def test_a_name_without_an_address_is_tried_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_name: str) -> list[str]:
        raise OSError

    resolving(monkeypatch, fail)
    with pytest.raises(TemporaryFailure, match="https_connection"):
        receiver.post(url="https://hooks.example.org/events")


def test_a_proxy_of_the_environment_does_not_count(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    receiver.post()
    assert len(receiver.got) == 1
