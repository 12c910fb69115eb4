"""Accuracy on items that both versions answer: the candidate worse by exactly the margin, looked at after every item."""

from collections.abc import Callable
from math import sqrt
from random import Random
from typing import Final

from changeover.evidence.paired import PairedCounts, PairedSums, paired_sums
from changeover.gates.levels import ALPHA_PASS, threshold
from tests.simulate.findings import Findings, finding
from tests.simulate.rivals import NAIVE_SIDE_MIN, Z_ONE_SIDED, Ruling
from tests.simulate.traffic import picked

ALPHA_TRIP: Final = 0.005
DELTA: Final = 0.02
"""Two points of right answers, or of the scale of scores."""

DISCORDANCE: Final = 0.08
"""The share of items that only one version answers rightly."""

STEPS: Final = (0.0, -0.25, 0.25)
WORSE: Final = 0.25
BETTER: Final = WORSE - DELTA / 0.25
"""Shares of items on which the candidate's score is one step of four lower, or higher."""


def run_accuracy(dice: Random, items: int) -> Findings:
    """Right or wrong."""
    minus, plus = (DISCORDANCE + DELTA) / 2, (DISCORDANCE - DELTA) / 2
    return {"accuracy": _run(dice, items, chances=(minus, minus + plus, 1.0), values=(-1.0, 1.0, 0.0), looked=_counts())}


def run_paired_scores(dice: Random, items: int) -> Findings:
    """Scores on 0 to 1."""
    chances = (1 - WORSE - BETTER, 1 - BETTER, 1.0)
    return {"paired scores": _run(dice, items, chances=chances, values=STEPS, looked=_sums())}


Look = Callable[[float], tuple[bool, bool]]
"""Takes the next item's difference in; whether a pass and a fail stand."""


def _run(dice: Random, items: int, *, chances: tuple[float, ...], values: tuple[float, ...], looked: Look) -> dict[str, bool]:
    differences = [picked(values, chances, dice.random()) for _ in range(items)]
    passed = tripped = False
    for difference in differences:
        to_pass, to_fail = looked(difference)
        passed, tripped = passed or to_pass, tripped or to_fail
    peeked = _naive(differences)
    return finding(ours=(passed, tripped), naive=(peeked.passed, peeked.tripped))


def _counts() -> Look:
    seen = PairedCounts()

    def look(difference: float) -> tuple[bool, bool]:
        nonlocal seen
        seen = seen.merged(PairedCounts(items=1, plus=int(difference > 0), minus=int(difference < 0)))
        return _stands(seen.log_e_pass(delta=DELTA), seen.log_e_fail(delta=DELTA))

    return look


def _sums() -> Look:
    seen = PairedSums(delta=DELTA)
    bets: dict[float, PairedSums] = {}

    def look(difference: float) -> tuple[bool, bool]:
        nonlocal seen
        bet = bets.get(difference)
        if bet is None:
            bet = bets[difference] = paired_sums([difference], delta=DELTA)
        seen = seen.merged(bet)
        return _stands(seen.log_e_pass, seen.log_e_fail)

    return look


def _stands(passing: float, failing: float) -> tuple[bool, bool]:
    return passing >= threshold(ALPHA_PASS), failing >= threshold(ALPHA_TRIP)


def _naive(differences: list[float]) -> Ruling:
    """The paired z test of "lower by the margin", after every item."""
    total = squares = 0.0
    passed = tripped = False
    for count, difference in enumerate(differences, start=1):
        total += difference
        squares += difference * difference
        mean = total / count
        variance = squares / count - mean * mean
        if count < NAIVE_SIDE_MIN or variance <= 0:
            continue
        z = (mean + DELTA) / sqrt(variance / count)
        passed, tripped = passed or z >= Z_ONE_SIDED, tripped or z <= -Z_ONE_SIDED
    return Ruling(passed, tripped)
