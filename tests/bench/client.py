"""A client in a process of its own: keep-alive connections, one thread, little work of its own.

`python -m tests.bench.client PORT PATH SEED COUNT CONNECTIONS [sealed]` sends COUNT reports and prints what
it saw. It seals them before the time runs.
"""

import json
import selectors
import socket
import sys
import time
import uuid
from itertools import islice
from typing import Any

from signals.intake.content import Report
from tests.bench.addresses import addresses, bodies
from tests.support.phone import OverHttp, Phone

PATIENCE_SECONDS = 30.0


class Conversation:
    """One connection: sends a request when the answer to the one before is whole."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self._asked_at = 0.0

    def ask(self, request: bytes) -> None:
        self._received = b""
        self._asked_at = time.perf_counter()
        self.socket.sendall(request)

    def hear(self) -> tuple[int, float] | None:
        """(status, seconds) once the answer is whole. Raises `ConnectionError` when the server hangs up."""
        chunk = self.socket.recv(65536)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        self._received += chunk
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < _content_length(head):
            return None
        return int(head[9:12]), time.perf_counter() - self._asked_at


def talk(port: int, requests: list[bytes], connections: int) -> dict[str, Any]:
    """Send everything over so many connections at once; returns seconds, statuses and the latencies."""
    waiting = iter(requests)
    selector = selectors.DefaultSelector()
    statuses: dict[int, int] = {}
    latencies: list[float] = []
    started = time.perf_counter()
    for first in islice(waiting, connections):
        conversation = Conversation(port)
        selector.register(conversation.socket, selectors.EVENT_READ, conversation)
        conversation.ask(first)
    while len(latencies) < len(requests):
        for key, _ in selector.select(PATIENCE_SECONDS):
            answer = key.data.hear()
            if answer is None:
                continue
            statuses[answer[0]] = statuses.get(answer[0], 0) + 1
            latencies.append(answer[1])
            following = next(waiting, None)
            if following is not None:
                key.data.ask(following)
    return {"seconds": time.perf_counter() - started, "statuses": statuses, "latencies": latencies}


def requests_for(path: str, seed: int, count: int) -> list[bytes]:
    """Whole requests as bytes, each with an address and an Idempotency-Key of its own."""
    return [_request(path, body) for body in islice(bodies(seed), count)]


def sealed_requests(port: int, path: str, seed: int, count: int) -> list[bytes]:
    """Return the same sealed by their phones, which look up each postcode."""
    phone = Phone(OverHttp(f"http://127.0.0.1:{port}"), root=None)
    return [_request(path, phone.seal(Report(address=one))) for one in islice(addresses(seed), count)]


def _request(path: str, body: dict[str, Any]) -> bytes:
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Accept-Language: nl-NL,nl;q=0.9\r\nIdempotency-Key: {uuid.uuid4()}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


if __name__ == "__main__":
    _port, _path, _seed, _count, _connections, *_how = sys.argv[1:]
    _numbers = int(_seed), int(_count)
    _sent = sealed_requests(int(_port), _path, *_numbers) if _how else requests_for(_path, *_numbers)
    _said = talk(int(_port), _sent, int(_connections))
    sys.stdout.write(json.dumps(_said))
