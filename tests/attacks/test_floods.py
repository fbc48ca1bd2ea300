"""Floods and slow clients before the real nginx of docs/deploy: other people's requests are answered."""

import json
import resource
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from signals.vocabulary import ProcessRole
from tests.support.nginx import Nginx, nginx_before
from tests.support.serving import free_port, serving
from tests.support.world import World

pytestmark = pytest.mark.slow

FLOODER = "127.0.9.9"
CARRIERS = [f"127.0.1.{number}" for number in range(1, 21)]


@pytest.fixture
def nginx(sqlite_world: World, tmp_path: Path) -> Iterator[Nginx]:
    with (
        serving(sqlite_world, role=ProcessRole.FRONT) as served,
        nginx_before(served.port, tmp_path / "nginx", free_port()) as running,
    ):
        yield running


def test_a_flood_from_one_address_is_refused_and_others_are_answered(nginx: Nginx) -> None:
    """It once gave 429 to 40 of 60 carriers."""
    for carrier in CARRIERS:
        assert 429 in nginx.flood("HEAD /", FLOODER, times=300)
        assert nginx.ask("GET", "/", client=carrier) == 200
    assert {_pass_on(nginx, carrier) for carrier in CARRIERS[:5]} == {201}


def test_files_of_the_page_do_not_use_up_the_share_of_reports(nginx: Nginx) -> None:
    for _ in range(10):
        assert 429 in nginx.flood("HEAD /static/page.css", FLOODER, times=400)
        assert _pass_on(nginx, FLOODER) == 201


def test_thousands_of_slow_bodies_leave_room_for_a_report(nginx: Nginx) -> None:
    """Some 820 of them, a byte every 8 seconds, once kept out every carrier."""
    allow_files(5000)
    with ExitStack() as slow:
        for number in range(2000):
            begin_slow_body(slow, nginx, f"127.{2 + number // 20}.0.1")
        assert _pass_on(nginx, CARRIERS[0]) == 201
        assert nginx.ask("GET", "/", client=CARRIERS[1]) == 200


def test_one_address_keeps_only_its_own_share_of_connections(nginx: Nginx) -> None:
    with ExitStack() as slow:
        for _ in range(20):
            begin_slow_body(slow, nginx, FLOODER)
        with nginx.connect(FLOODER) as connection:
            connection.sendall(_head(0))
            answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 429")
        assert b"\r\nRetry-After: 30\r\n" in answer  # else a phone waits for up to a quarter of an hour
        assert _pass_on(nginx, CARRIERS[0]) == 201


def test_the_proxy_refuses_a_large_body_itself_and_writes_down_no_address(nginx: Nginx) -> None:
    with nginx.connect(FLOODER) as connection:
        connection.sendall(_head(5000) + bytes(5000))
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"api-version" not in answer.lower()
    written = [file.read_bytes() for file in nginx.folder.rglob("*") if file.is_file()]
    assert not [content for content in written if FLOODER.encode() in content]


def begin_slow_body(stack: ExitStack, nginx: Nginx, client: str) -> None:
    connection = stack.enter_context(nginx.connect(client))
    connection.sendall(_head(100) + b"{")


def allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def _head(length: int) -> bytes:
    said = f"Host: meldpunt.example.org\r\nContent-Type: application/json\r\nContent-Length: {length}"
    return f"POST /api/v1/signals HTTP/1.1\r\n{said}\r\n\r\n".encode()


def _pass_on(nginx: Nginx, client: str) -> int:
    body = json.dumps({"postcode": "1012AB", "house_number": 12}).encode()
    headers = {"Content_Type": "application/json", "Idempotency_Key": str(uuid.uuid4())}
    return nginx.ask("POST", "/api/v1/signals", client=client, body=body, **headers)
