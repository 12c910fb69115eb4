"""A control plane that is killed at any moment loses nothing it said, does nothing twice, and no caller notices."""

import asyncio
import sys
from pathlib import Path

import pytest

from changeover.rollout.world import RolloutMoved
from tests.acceptance.kills import check_log, kill_often

KILLS = 20
SEED = 20261120
STEPS_MIN = 5
TOLD_MIN = 1 + KILLS // 2


@pytest.mark.timeout(300)
def test_twenty_kills_in_the_middle_of_a_rollout_break_no_rule_and_no_request(tmp_path: Path) -> None:
    night = asyncio.run(kill_often(tmp_path, kills=KILLS, seed=SEED))
    changes = check_log(tmp_path, night)
    sys.stdout.write(
        f"{night.traffic.answered} requests, {len(changes)} events, {len(night.told)} commands answered, {night.unheard} not\n"
    )
    assert night.kills == KILLS
    assert night.traffic.failed == 0
    assert night.regressions == 0, "I3: a gateway's table never goes back"
    steps = {change.body.progress.step for change in changes if isinstance(change.body, RolloutMoved)}
    assert len(steps) >= STEPS_MIN, "the rollout must have gone on meanwhile"
    assert len(night.told) >= TOLD_MIN, "commands must have been answered"
