"""A client in a process of its own: keep-alive connections, one thread, little work of its own.

`python -m tests.bench.client PORT PATH SEED COUNT CONNECTIONS [sealed]` sends COUNT reports and prints what
it saw. It seals them before the time runs.
"""

import json
import sys
from itertools import islice

from signals.intake.content import Report
from tests.bench.addresses import addresses, bodies
from tests.support.phone import OverHttp, Phone
from tests.support.talking import post_of, talk


def requests_for(path: str, seed: int, count: int) -> list[bytes]:
    """Whole requests as bytes, each with an address and an Idempotency-Key of its own."""
    return [post_of(path, body) for body in islice(bodies(seed), count)]


def sealed_requests(port: int, path: str, seed: int, count: int) -> list[bytes]:
    """Return the same sealed by their phones, which look up each postcode."""
    phone = Phone(OverHttp(f"http://127.0.0.1:{port}"), root=None)
    return [post_of(path, phone.seal(Report(address=one))) for one in islice(addresses(seed), count)]


if __name__ == "__main__":
    _port, _path, _seed, _count, _connections, *_how = sys.argv[1:]
    _numbers = int(_seed), int(_count)
    _sent = sealed_requests(int(_port), _path, *_numbers) if _how else requests_for(_path, *_numbers)
    _said = talk(int(_port), _sent, int(_connections))
    sys.stdout.write(json.dumps(_said))
