"""A worker in a process of its own: waits for a line, does one job, says what it took.

`python -m tests.bench.working CONFIG arrive` (or `purge`)
"""

import sys
from pathlib import Path

from privacy.logs import configure_logging
from signals.app import make_worker
from signals.operations.schedule import settle_memory
from signals.settings import load_settings
from tests.bench.processes import when_told

if __name__ == "__main__":
    configure_logging(level="WARNING")
    worker = make_worker(load_settings(Path(sys.argv[1]), {}))
    if sys.argv[2] == "arrive":
        worker.arrive()  # connections, imports, mappers and statements
        settle_memory()  # as `signals work` does
        when_told(worker.arrive)
    else:
        retention = worker.retention()
        retention.preview(worker.clock)  # connections and mappers
        when_told(lambda: retention.run(worker.clock, confirmed=True))
