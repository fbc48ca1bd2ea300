"""Ten thousand reports without tokens: carriers with tokens go on, and no team sees more than its twelve."""

from collections import Counter

import pytest

from signals.intake.content import open_summaries
from signals.vocabulary import Source
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
    sources = {of: each.source for of, each in open_summaries(sqlite_world.keystore, signals).items()}
    by_team = Counter(signal.organisation_id for signal in signals if sources[signal.id] is Source.UNPROVEN)
    assert (len(signals) - by_team.total(), max(by_team.values())) == (120, 12)
