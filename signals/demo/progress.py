"""A progress bar on stderr for the steps of a longer command; silent unless asked for."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")
Progress = Callable[[Iterable[Any], str], Iterable[Any]]


def silent(items: Iterable[Item], description: str) -> Iterable[Item]:
    """The items, without a bar."""
    del description
    return items


@contextmanager
def visible() -> Iterator[Progress]:
    """A function that shows a bar on stderr while its items are gone through."""
    # Imported when a bar is wanted: a service starts without it.
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        yield lambda items, description: bar.track(list(items), description=description)
