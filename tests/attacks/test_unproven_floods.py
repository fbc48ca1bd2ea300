"""Ten thousand reports without tokens: carriers with tokens go on, and no team sees more than its twelve."""

from collections import Counter

import pytest

from tests.support.flooding import flood
from tests.support.world import World


@pytest.mark.slow
def test_a_flood_without_tokens_stops_no_carrier_and_reaches_each_team_twelve_times(
    sqlite_world: World,
) -> None:
    seen = flood(sqlite_world, size=10_000, carriers=60)
    assert (seen.calm["statuses"], seen.pressed["statuses"]) == ({201: 60}, {201: 60})
    assert sum(seen.flooded["statuses"].values()) == 10_000
    assert set(seen.flooded["statuses"]) == {201, 429}
    sqlite_world.worker().arrive()
    signals = sqlite_world.signals()
    assert sum(signal.profession is not None for signal in signals) == 120
    unproven = Counter(signal.organisation_id for signal in signals if signal.profession is None)
    assert max(unproven.values()) == 12
