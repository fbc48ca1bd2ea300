"""Other reference files than those that are shipped, as after a newer state of the map took their place."""

from collections.abc import Callable, Iterator

import pytest

from signals import reference
from signals.statistics import old_menu as menu

Rows = list[dict[str, str]]


def replace_map(
    monkeypatch: pytest.MonkeyPatch, file: str, change: Callable[[dict[str, str]], dict[str, str] | None]
) -> None:
    """Let a reference file have other lines: `change` gives each anew, or None for one that is gone."""
    read = reference._rows

    def changed(name: str) -> Iterator[dict[str, str]]:
        for row in read(name):
            found = change(dict(row)) if name == file else row
            if found is not None:
                yield found

    monkeypatch.setattr(reference, "_rows", changed)
    forget_map()


def forget_map() -> None:
    """Read the reference files anew at their next use."""
    for kept in (
        reference.geography,
        reference.municipalities,
        reference.ggd_regions,
        reference.provinces,
        reference.pc4_runs,
        reference.straddling,
        reference.boundary_changes,
        reference._pc4_index,
        menu._of_areas,
    ):
        kept.cache_clear()
