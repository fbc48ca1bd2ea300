"""Who adds up everything ever published finds no hidden figure; with naive suppression he finds many."""

import pytest
from hypothesis import settings

from tests.support.disclosure import (
    as_published,
    history_of,
    knowing_what_is_small,
    naively,
    narrowed_down,
)

pytestmark = [pytest.mark.slow, pytest.mark.soak]

SOAK = settings.default is not None and settings.default.max_examples > 1_000


def _runs() -> list[tuple[int, int, int]]:
    """First year, last year, seed: a window of years in `make test`, ten years ten times in `make soak`."""
    return [(2015, 2024, seed) for seed in range(10)] if SOAK else [(2015, 2018, 7)]


@pytest.mark.parametrize(("first", "last", "seed"), _runs())
def test_nothing_hidden_is_narrowed_by_years_of_sparse_figures_and_much_is_by_naive_ones(
    first: int, last: int, seed: int
) -> None:
    history = history_of(range(first, last + 1), seed)
    hidden = [cell for cell, value in history.published.items() if value is None]
    small = [cell for cell, count in history.counts.items() if count < 5]
    told = narrowed_down(history.schemas, as_published(history.published), hidden)
    told_to_insiders = narrowed_down(
        history.schemas, as_published(history.published), hidden, knowing_what_is_small(history)
    )
    known = [
        cell for cell in hidden if "unknown" not in cell.keys
    ]  # who knows that every address is on the map
    nowhere = {cell: (0.0, 0.0) for cell in hidden if cell not in known}
    told_to_locals = narrowed_down(
        history.schemas, as_published(history.published), known, {**knowing_what_is_small(history), **nowhere}
    )
    told_naively = narrowed_down(history.schemas, naively(history.counts), small)
    report = (
        f"{first}-{last}, seed {seed}: {len(history.published)} cells, {len(hidden)} hidden, "
        f"{history.withheld} tables withheld; narrowed to fewer than five values: {len(told)}, "
        f"by who knows which are small: {len(told_to_insiders)}, and that no address is unknown: "
        f"{len(told_to_locals)}; naive: {len(told_naively)} of {len(small)}"
    )
    print(report)  # noqa: T201 - `make soak` keeps it
    assert told == []
    assert told_to_insiders == []
    assert nowhere
    assert told_to_locals == []
    assert len(told_naively) > len(small) / 10
    assert history.withheld == 0
