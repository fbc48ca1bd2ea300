"""Let somebody else act between two statements, so that a race happens on every machine and in every run."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

from sqlalchemy import Engine, event

HEAD_START: Final = 0.5
"""Seconds for the other to finish in; if a lock stops the other, it goes on once the lock is free."""


@contextmanager
def meanwhile(engine: Engine, after: str, other: Callable[[], Any]) -> Iterator[None]:
    """Run `other` once, on a thread of its own, right after the first statement that contains `after`.

    The end of the block raises the error of `other`, or an error if no statement matched.
    """
    acting: list[Future[Any]] = []
    turn = Lock()  # the other one may execute such a statement before its future is in the list

    def let_in(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if after in statement and turn.acquire(blocking=False):
            acting.append(pool.submit(other))
            wait(acting, timeout=HEAD_START)

    event.listen(engine, "after_cursor_execute", let_in)
    try:
        with ThreadPoolExecutor(1) as pool:
            yield
    finally:
        event.remove(engine, "after_cursor_execute", let_in)
    (done,) = acting
    done.result()
