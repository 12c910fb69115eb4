"""After which requests could a verdict change? Where a block must end so that no look that matters is missed.

Evidence is a mean of bets, log E = log(mean over k of exp(l_k)), so that it never rises by more than the largest rise
of any l_k. From where it stands now, the sum of the largest possible rises of the next requests says before which
request it cannot have reached its threshold. The block is ended there and the real gate looks. Requests in between
cannot have changed a verdict: looking at block ends chosen like this *is* looking after every request, at the cost of a
few looks. A block's centre is frozen at its start, as in the product.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate
from math import ceil, inf, log, log1p
from typing import Final

from changeover.evidence.betting import bet_rates, weighted
from changeover.evidence.sample_ratio import ODDS
from changeover.evidence.units import is_comparable
from changeover.gates.levels import ALPHA_PASS, ALPHA_SAMPLE_RATIO, Evidence, Proven, threshold
from changeover.gates.rare import RareFold, RareQuestion
from changeover.gates.sample_ratio import SampleRatioCheck
from changeover.traffic.table import Side

STRETCH_MAX: Final = 2000
"""Requests at most between two looks."""

ROUNDING: Final = 1e-9


def distances(now: Evidence, proven: Proven, *, alpha_trip: float) -> tuple[float, float]:
    """How far a pass and a fail still are; what is proven already cannot be again."""
    to_pass = inf if proven.passed_at is not None else threshold(ALPHA_PASS) - now.passing
    to_fail = inf if proven.failed_at is not None else threshold(alpha_trip) - now.failing
    return to_pass, to_fail


def quiet_requests(fold: RareFold, question: RareQuestion, ps: Iterable[float]) -> int:
    """How many requests without an event there may be up to the first that could change the verdict. The event test
    does not move without events; the bets on the absolute margin do, a little.
    """
    to_pass, to_fail = distances(fold.evidence(question), fold.proven, alpha_trip=question.alpha_trip)
    most = STRETCH_MAX
    for p in ps:
        rises = [bet_rises(side, p=p, gain=1.0, centre=fold.centre.value, delta=question.delta) for side in Side]
        most = min(most, _steps(to_pass, max(rise[0] for rise in rises)), _steps(to_fail, max(rise[1] for rise in rises)))
    return most


def bet_rises(side: Side, *, p: float, gain: float, centre: float, delta: float) -> tuple[float, float]:
    """By how much one outcome can at most raise log E of a pass and of a fail: what the largest bet wins on it."""
    if not is_comparable(p):
        return 0.0, 0.0
    up, down = bet_rates(p=p, delta=delta)
    stake = weighted(side, p=p, gain=gain, centre=centre) + delta
    return max(0.0, log1p(up * stake)), max(0.0, log1p(-down * stake))


class SplitLooks:
    """Where the check of the split must be looked at: every request moves it, by an amount that is known beforehand."""

    def __init__(self, sides: Sequence[bool], ps: Sequence[float]) -> None:
        rises = (split_rise(side, p) for side, p in zip(sides, ps, strict=True))
        self._risen = list(accumulate(rises, initial=0.0))

    def next_cut(self, check: SampleRatioCheck, position: int) -> int:
        """The number of requests after which it could first alarm, ``position`` being seen."""
        if check.alarmed_at is not None:
            return len(self._risen) - 1
        enough = self._risen[position] + threshold(ALPHA_SAMPLE_RATIO) - check.log_e() - ROUNDING
        return max(position + 1, min(bisect_left(self._risen, enough), len(self._risen) - 1))


@cache
def split_rise(side: bool, p: float) -> float:
    """By how much a unit on this side can at most raise the log E of the split's check."""
    if not 0 < p < 1:
        return 0.0
    return max((log(odds) if side else 0.0) - log(p * odds + 1 - p) for odds in ODDS)


def _steps(distance: float, rise: float) -> int:
    if rise <= 0 or distance == inf:
        return STRETCH_MAX
    return min(STRETCH_MAX, max(1, ceil((distance - ROUNDING) / rise)))
