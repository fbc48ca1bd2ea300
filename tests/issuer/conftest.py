"""Fixtures of the tests in this folder."""

from collections.abc import Iterator
from functools import partial
from itertools import cycle

import pytest

from privacy.tokens import TokenKey
from signals.issuer.signing import new_key


@pytest.fixture(autouse=True, scope="session")
def made_keys() -> Iterator[None]:
    """Give all issuers of a process keys from one dozen: to make these took half the time of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("signals.issuer.week_keys.new_key", partial(next, _from_a_dozen()))
        yield


def _from_a_dozen() -> Iterator[tuple[TokenKey, bytes]]:
    made = []
    for _number in range(12):
        made.append(new_key())
        yield made[-1]
    yield from cycle(made)
