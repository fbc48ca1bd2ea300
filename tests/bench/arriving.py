"""One worker in a process of its own: waits for a line, brings in everything, says what it took.

`python -m tests.bench.arriving CONFIG`
"""

import json
import sys
import time
from pathlib import Path

from privacy.logs import configure_logging
from signals.app import make_worker
from signals.operations.schedule import settle_memory
from signals.settings import load_settings

if __name__ == "__main__":
    configure_logging(level="WARNING")
    worker = make_worker(load_settings(Path(sys.argv[1]), {}))
    worker.arrive()  # connections, imports, mappers and statements
    settle_memory()  # as `signals work` does
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    started, spent = time.time(), time.process_time()
    arrived = worker.arrive()
    cpu = time.process_time() - spent
    sys.stdout.write(
        json.dumps({"arrived": arrived, "from": started, "until": time.time(), "cpu": cpu}) + "\n"
    )
