"""The rules hold in every state that a small world can reach; the whole of each is explored, through the product's own functions."""

import resource
import sys
from collections import Counter

import pytest

from tests.model.explorer import STATES_MAX
from tests.model.small_worlds import PAIRS, explore, stage
from tests.model.stage import FEATURES, Stage

MEMORY_KB_MAX = 1_000_000


def reached(of: Stage) -> Counter[str]:
    return Counter(str(rollout.progress.phase) for number in range(len(of.shelf)) for rollout in of.shelf[number].rollouts.values())


@pytest.mark.parametrize("features", [(each,) for each in FEATURES] + list(PAIRS), ids=" and ".join)
def test_the_rules_hold_in_every_state_of_a_small_world(features: tuple[str, ...]) -> None:
    of = stage(*features)
    found = explore(of)
    sys.stdout.write(f"{' and '.join(features)}: {found}, {len(of.shelf)} worlds\n")
    assert found.states <= STATES_MAX
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MEMORY_KB_MAX
    assert reached(of).keys() >= {"running", "baking", "completed", "retiring", "retired", "rolling_back", "rolled_back"}
    if features == ("operators",):
        done = {deed.kind for (_, deed, _), outcome in of.moves._known.items() if outcome is not None}
        assert {*of.commands} <= done, "all that people can ask is done in some state"
    if {"provider", "operators"} & {*features}:
        assert reached(of)["paused"]
