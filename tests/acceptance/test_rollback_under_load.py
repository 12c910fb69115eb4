"""Rolling back while requests come at 500 a second: none fails, and none begins on the candidate once every data plane knows."""

import asyncio
from pathlib import Path

import pytest

from tests.acceptance.rollbacks import roll_back_often, say

TIMES = 5


@pytest.mark.timeout(300)
def test_no_request_fails_and_none_is_late_when_a_rollout_is_rolled_back_under_load(tmp_path: Path) -> None:
    found = asyncio.run(roll_back_often(tmp_path, times=TIMES))
    say(found)
    assert found.failed == 0
    assert len(found.each) == TIMES
    assert all(one.asked > 0 for one in found.each), "the candidate must have served"
    assert [one.late for one in found.each] == [0] * TIMES
