"""Jobs that start at one moment, as two people at once do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any


def run_at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run jobs on a thread each, all from the same moment; return their results in order.

    Raises the error of a job.
    """
    barrier = Barrier(len(jobs), timeout=30)

    def go(job: Callable[[], Any]) -> Any:
        barrier.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(go, job) for job in jobs]]
