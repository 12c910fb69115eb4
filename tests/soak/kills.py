"""The control plane killed 200 times in the middle of rollouts. ``python -m tests.soak.kills [SEED ...]`` ends with 0 only if no rule
broke, no answered command was lost and no request failed.
"""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.acceptance.kills import check_log, kill_often

SEEDS: Final = tuple(range(20261101, 20261111))
KILLS: Final = 20


def play(seed: int) -> bool:
    """One rollout with its kills."""
    with tempfile.TemporaryDirectory(prefix="changeover-kills-") as folder:
        night = asyncio.run(kill_often(Path(folder), kills=KILLS, seed=seed))
        changes = check_log(Path(folder), night)
    sound = night.traffic.failed == 0 and night.regressions == 0
    sys.stdout.write(
        f"seed {seed}: {night.kills} kills, {night.traffic.answered} requests, {night.traffic.failed} failed, "
        f"{night.regressions} tables went back, {len(changes)} events without a gap, "
        f"{len(night.told)} commands answered and {night.unheard} not: "
        f"{'sound' if sound else 'BROKEN'}\n"
    )
    sys.stdout.flush()
    return sound


def main(arguments: Sequence[str]) -> int:
    sound = [play(seed) for seed in [int(argument) for argument in arguments] or SEEDS]
    return 0 if all(sound) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
