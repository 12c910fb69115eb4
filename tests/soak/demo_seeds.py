"""The demonstration with ten seeds: every outcome is printed, and the bar is checked.

``python -m tests.soak.demo_seeds [SEED ...]`` ends with 0 only if at least nine in ten runs end in both expected outcomes and none in a
wrong promotion.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from changeover.demo.story import NEWEST, SHORTER
from changeover.rollout.state import Phase

SEEDS: Final = tuple(range(20260601, 20260611))
EXPECTED_SHARE_MIN: Final = 0.9
WAIT_S: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One run. ``endings`` are the rollouts that ended, candidate and phase; ``numbers`` is for people."""

    seed: int
    exit_code: int
    endings: tuple[tuple[str, str], ...]
    numbers: str

    @property
    def is_expected(self) -> bool:
        return self.exit_code == 0 and self.endings == ((SHORTER, Phase.COMPLETED), (NEWEST, Phase.ROLLED_BACK))

    @property
    def is_wrong_promotion(self) -> bool:
        return (NEWEST, Phase.COMPLETED) in self.endings

    def __str__(self) -> str:
        ended = ", ".join(f"{candidate} {phase}" for candidate, phase in self.endings) or "no rollout ended"
        verdict = "WRONG PROMOTION" if self.is_wrong_promotion else "as expected" if self.is_expected else "NOT AS EXPECTED"
        return f"seed {self.seed}: {verdict} (exit {self.exit_code}): {ended}; {self.numbers}"


def meets_the_bar(outcomes: Sequence[Outcome]) -> bool:
    expected = sum(outcome.is_expected for outcome in outcomes)
    return expected >= EXPECTED_SHARE_MIN * len(outcomes) and not any(outcome.is_wrong_promotion for outcome in outcomes)


def play(seed: int) -> Outcome:
    """One demonstration in a process of its own."""
    command = [sys.executable, "-m", "changeover", "demo", "--json", "--seed", str(seed)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    try:
        report: Any = msgspec.json.decode(finished.stdout)
    except msgspec.DecodeError:
        return Outcome(seed=seed, exit_code=finished.returncode or 1, endings=(), numbers=finished.stderr.strip()[-500:])
    return Outcome(
        seed=seed,
        exit_code=finished.returncode,
        endings=tuple((ending["candidate"], ending["phase"]) for ending in report["endings"]),
        numbers=numbers(report),
    )


def numbers(report: Any) -> str:
    spent = "; ".join(
        f"{ending['candidate']}: " + ", ".join(f"{count} at {percent} %" for percent, count in ending["requests"].items())
        for ending in report["endings"]
    )
    problem = f"; {report['problem']}" if report["problem"] else ""
    return f"{report['requests']} requests, {report['failed']} failed, {report['seconds']:.0f} s; {spent}{problem}"


def main(arguments: Sequence[str]) -> int:
    seeds = [int(argument) for argument in arguments] or SEEDS
    outcomes: list[Outcome] = []
    for seed in seeds:
        outcomes.append(play(seed))
        sys.stdout.write(f"{outcomes[-1]}\n")
        sys.stdout.flush()
    met = meets_the_bar(outcomes)
    expected = sum(outcome.is_expected for outcome in outcomes)
    wrong = sum(outcome.is_wrong_promotion for outcome in outcomes)
    sys.stdout.write(f"{expected} of {len(outcomes)} as expected, {wrong} wrong promotions: {'met' if met else 'NOT MET'}\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
