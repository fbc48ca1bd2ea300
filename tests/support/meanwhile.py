"""Somebody else who acts between two statements: so a race happens on every machine and at every run."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

from sqlalchemy import Engine, event

HEAD_START: Final = 0.5
"""Seconds to be done in, for who is not made to wait by a lock; who is goes on once that is let go."""


@contextmanager
def meanwhile(engine: Engine, after: str, other: Callable[[], Any]) -> Iterator[None]:
    """Within it, `other` acts once, on a thread of its own, right after a statement with this text in it.

    What it raises is raised at the end; so is it when there was no such statement.
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
