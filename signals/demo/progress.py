"""Show on a terminal how far the demo is."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

_Item = TypeVar("_Item")


def shown(items: Sequence[_Item], what: str) -> Iterable[_Item]:
    """Go through items, with a bar on stderr when a person watches."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, what, console=console, transient=True, disable=not console.is_terminal)
