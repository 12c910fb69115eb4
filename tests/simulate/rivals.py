"""What would others decide on the same requests? A fixed-sample test peeked at, and thresholds with a count of failed checks."""

from collections.abc import Sequence
from math import sqrt
from typing import Final, NamedTuple

Z_ONE_SIDED: Final = 1.6448536269514722
"""Of a fixed-sample test at .05."""

NAIVE_SIDE_MIN: Final = 30
WINDOW: Final = 500
CHECKS: Final = 5
"""So many good checks promote, so many bad ones roll back, whichever comes first. Bad ones are never forgotten."""


class Ruling(NamedTuple):
    """Whether it ever said "below the margin", or "above"."""

    passed: bool = False
    tripped: bool = False


def naive(sides: Sequence[bool], harms: Sequence[float], *, ratio: float = 1.0, margin: float = 0.0, every: int = 1) -> Ruling:
    """The z test of "the candidate's mean harm is ``ratio`` times the stable's plus ``margin``", pooled over everything
    seen, looked at after each of ``every`` requests.
    """
    counts, sums, squares = [0, 0], [0.0, 0.0], [0.0, 0.0]
    passed = tripped = False
    for number, (side, harm) in enumerate(zip(sides, harms, strict=True)):
        counts[side] += 1
        sums[side] += harm
        squares[side] += harm * harm
        if number % every or counts[0] < NAIVE_SIDE_MIN or counts[1] < NAIVE_SIDE_MIN:
            continue
        stable, candidate = sums[0] / counts[0], sums[1] / counts[1]
        variance = (squares[1] / counts[1] - candidate * candidate) / counts[1]
        variance += ratio * ratio * (squares[0] / counts[0] - stable * stable) / counts[0]
        if variance <= 0:
            continue
        z = (candidate - ratio * stable - margin) / sqrt(variance)
        passed = passed or z <= -Z_ONE_SIDED
        tripped = tripped or z >= Z_ONE_SIDED
        if passed and tripped:
            break
    return Ruling(passed, tripped)


def threshold_checks(sides: Sequence[bool], harms: Sequence[float], *, limit: float) -> Ruling:
    """Flagger's manner: the candidate's mean harm in each window of requests against a fixed ``limit``."""
    good = bad = 0
    for start in range(0, len(sides) - WINDOW + 1, WINDOW):
        seen = [harms[i] for i in range(start, start + WINDOW) if sides[i]]
        if seen and sum(seen) / len(seen) <= limit:
            good += 1
        else:
            bad += 1
        if good >= CHECKS or bad >= CHECKS:
            break
    return Ruling(good >= CHECKS, bad >= CHECKS)


def naive_split(sides: Sequence[bool], ps: Sequence[float], *, chi_squared: float) -> bool:
    """Whether the chi-squared test of the split ever alarmed, looked at after every request."""
    expected = variance = 0.0
    candidates = drawn = 0
    for side, p in zip(sides, ps, strict=True):
        if not 0 < p < 1:
            continue
        drawn += 1
        expected += p
        variance += p * (1 - p)
        candidates += side
        if drawn >= NAIVE_SIDE_MIN and (candidates - expected) ** 2 > chi_squared * variance:
            return True
    return False
