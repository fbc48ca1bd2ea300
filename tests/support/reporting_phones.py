"""Phones that send reports at a steady rate, each until it is acknowledged, as the app does."""

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from itertools import count, pairwise

PHONES = 25
EVERY_SECONDS = 0.5  # of each phone: 50 reports a second of all
PATIENCE_SECONDS = 30
ACCEPTED = 201
BODY = json.dumps({"postcode": "1012AB", "house_number": 12}).encode()


class ReportingPhones:
    """What phones sent to a front on this machine, and what they heard."""

    def __init__(self, port: int) -> None:
        self.acknowledged: dict[uuid.UUID, float] = {}
        self.refusals: Counter[int | str] = Counter()
        self._port = port
        self._stopped = threading.Event()
        self._numbers = count()
        self._threads = [threading.Thread(target=self._report) for _ in range(PHONES)]

    def acknowledged_since(self, moment: float) -> list[float]:
        """Return the moments of the acknowledgements after one, in order."""
        return sorted(at for at in list(self.acknowledged.values()) if at > moment)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each phone hear the answer that it waits for, and end."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def show(self, since: float) -> None:
        """Print how many reports were acknowledged, and how long none was after a moment."""
        heard = [since, *self.acknowledged_since(since)]
        silence = max((later - earlier for earlier, later in pairwise(heard)), default=0)
        print(f"{len(self.acknowledged)} acknowledged, silent for {silence:.1f} s, refused: {self.refusals}")

    def _report(self) -> None:
        due = time.monotonic()
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            due = max(due, time.monotonic() - 1) + EVERY_SECONDS
            self._until_acknowledged(uuid.UUID(int=next(self._numbers), version=4))

    def _until_acknowledged(self, key: uuid.UUID) -> None:
        while (heard := self._send(key)) != ACCEPTED:
            self.refusals[heard] += 1
            if self._stopped.wait(EVERY_SECONDS):
                return
        self.acknowledged[key] = time.monotonic()

    def _send(self, key: uuid.UUID) -> int | str:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(key)}
        try:
            connection.request("POST", "/api/v1/signals", BODY, headers)
            return connection.getresponse().status
        except (OSError, HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()


@contextmanager
def reporting(port: int) -> Iterator[ReportingPhones]:
    """Let phones report for the length of the block."""
    phones = ReportingPhones(port)
    phones.start()
    try:
        yield phones
    finally:
        phones.stop()
