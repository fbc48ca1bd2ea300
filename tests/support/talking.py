"""A client of a running server: keep-alive connections on one thread, with little work of its own."""

import json
import selectors
import socket
import time
import uuid
from collections.abc import Mapping
from itertools import islice
from typing import Any

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
            else:
                selector.unregister(key.fileobj)
                key.data.socket.close()
    selector.close()
    return {"seconds": time.perf_counter() - started, "statuses": statuses, "latencies": latencies}


def post_of(path: str, body: Mapping[str, Any], further: str = "") -> bytes:
    """Return a whole report as bytes, with an Idempotency-Key of its own; `further` are lines of its head."""
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Accept-Language: nl-NL,nl;q=0.9\r\nIdempotency-Key: {uuid.uuid4()}\r\n{further}"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
