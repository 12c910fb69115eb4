"""How many units will a test need until it rejects? Foretold from what is assumed of both sides, before the first one.

Every mixture of bets here is a family of straight lines: the log-capital of each bet is a slope times one walking sum,
plus a drift times its length. The mixture rejects where the sum crosses one line, which is found by Newton's rule; when it
crosses is a first passage. Counts of events walk exactly like that; the bets on scores do to first order.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from math import ceil, exp, inf, log, log1p, sqrt
from typing import Final, NamedTuple

from changeover.evidence.betting import FRACTIONS, bet_rates, weighted
from changeover.evidence.cost_ratio import one_sided_multiplier
from changeover.evidence.events import STEPS
from changeover.evidence.first_passage import Passage, Walk, passage
from changeover.evidence.interval import SIDE_MIN, TIGHTEST_AT
from changeover.evidence.mixture import log_mean_exp
from changeover.evidence.paired import failing_rates, passing_rates
from changeover.evidence.power import Spread, two_points
from changeover.traffic.table import Side

HALF: Final = 0.5
MOST: Final = 0.8

OVERSHOOT: Final = 0.583
"""By how many deviations of what comes between two looks a walk lies above a line when it is first seen above it, on average
(Siegmund 1985).
"""

MOST_DEVIATION: Final = 0.8416
"""Standard deviations above the middle by which four fifths lie."""

UPWARDS: Final = 0.3989
"""The mean of the upper half of a normal deviation, the lower half taken as 0."""

UNITS_MAX: Final = 1e9
"""Beyond this nobody waits: it counts as never."""

_NEWTON_STEPS: Final = 60
_CLOSE: Final = 1e-9
_NO_VARIANCE: Final = 1e-18
_EARLIEST: Final = 20.0
_LATEST: Final = 12.0
_HALVINGS: Final = 60


class Need(NamedTuple):
    """Units of both sides by which half, and four fifths, of all such rollouts have their answer; infinite for never."""

    n50: float
    n80: float

    def times(self, factor: float) -> "Need":
        return Need(_bounded(self.n50 * factor), _bounded(self.n80 * factor))

    def plus(self, units: float) -> "Need":
        return Need(_bounded(self.n50 + units), _bounded(self.n80 + units))


NEVER: Final = Need(inf, inf)


class _Bet(NamedTuple):
    slope: float
    drift: float


class EventTest(NamedTuple):
    """Events are tested for a rate above (or below) ``null`` times the stable's. ``p`` is the chance of being the
    candidate's, ``log_threshold`` what log E has to reach. The test is looked at every ``look`` units.
    """

    p: float
    null: float
    log_threshold: float
    above: bool
    look: float = 1.0


class Rates(NamedTuple):
    """Events a unit on either side, as assumed."""

    stable: float
    candidate: float


def events_formula(test: EventTest, rates: Rates) -> float:
    """Units for the half, by the growth of the one best bet alone: short of the truth for ratios near the tested one."""
    share, null = _shares(test, rates)
    divergence = share * _log(share, null) + (1 - share) * _log(1 - share, 1 - null)
    per_unit = test.p * rates.candidate + (1 - test.p) * rates.stable
    return test.log_threshold / (divergence * per_unit) if divergence > 0 and per_unit > 0 else inf


def events_needed(test: EventTest, rates: Rates) -> Need:
    """Until the event test rejects, if events come at these rates. Never where they lie on the wrong side of the null."""
    share, null = _shares(test, rates)
    per_unit = test.p * rates.candidate + (1 - test.p) * rates.stable
    if not per_unit > 0 or (share <= null if test.above else share >= null):
        return NEVER
    towards = share if test.above else 1 - share
    walk = Walk(towards, towards * (1 - towards))
    found = _mixture_need(walk, _event_bets(test), _Stop(test.log_threshold, max(1.0, test.look * per_unit)))
    return _awaited(found).times(1 / per_unit)


class BetTest(NamedTuple):
    """Scores on 0 to 1 are tested for a loss below (``passing``) or above ``delta``, every ``look`` units."""

    p: float
    delta: float
    log_threshold: float
    passing: bool
    look: float = 1.0


def scores_needed(test: BetTest, *, stable: Spread, candidate: Spread) -> Need:
    """Until the betting test rejects, each side's scores having this mean and deviation."""
    centre = (1 - test.p) * stable.mean + test.p * candidate.mean
    points: list[tuple[float, float]] = []
    for side, spread, chance in ((Side.STABLE, stable, 1 - test.p), (Side.CANDIDATE, candidate, test.p)):
        for gain, weight in two_points(spread):
            points.append((weighted(side, p=test.p, gain=gain, centre=centre) + test.delta, chance * weight))
    up, down = bet_rates(p=test.p, delta=test.delta)
    rates = [fraction * (up if test.passing else -down) for fraction in FRACTIONS]
    return _bets_need(points, rates, _Stop(test.log_threshold, test.look))


class PairedShares(NamedTuple):
    """Shares of items that the candidate alone, and the stable alone, gets right."""

    plus: float
    minus: float


def items_needed(shares: PairedShares, *, delta: float, log_threshold: float, passing: bool) -> Need:
    """Items that both versions answer, until the paired test at margin ``delta`` rejects."""
    points = [(1 + delta, shares.plus), (delta - 1, shares.minus), (delta, 1 - shares.plus - shares.minus)]
    rates = passing_rates(delta) if passing else [-rate for rate in failing_rates(delta)]
    return _bets_need(points, rates, _Stop(log_threshold))


def differences_needed(deviation: float, *, delta: float, log_threshold: float) -> Need:
    """Items that both versions answer equally well on average, until the paired test passes at margin ``delta``; an item's
    two scores on 0 to 1 differ by ``deviation``.
    """
    points = [(delta - deviation, 0.5), (delta + deviation, 0.5)]
    return _bets_need(points, passing_rates(delta), _Stop(log_threshold))


class MeanTest(NamedTuple):
    """A mean is tested against ``ratio`` times the stable's at level ``alpha``, every ``look`` units."""

    p: float
    ratio: float
    alpha: float
    passing: bool
    look: float = 1.0


def means_needed(test: MeanTest, *, variation: float, effect: float, tightest_at: int = TIGHTEST_AT) -> Need:
    """Until the confidence sequence of a ratio of means excludes ``ratio``, the candidate's values being the stable's times
    ``effect``; ``variation`` is the stable's deviation over its mean.
    """
    gap = test.ratio - effect if test.passing else effect - test.ratio
    if gap <= 0:
        return NEVER
    variance = variation * variation * (effect * effect / test.p + test.ratio * test.ratio / (1 - test.p))
    first = SIDE_MIN / min(test.p, 1 - test.p)
    if not variance > 0:
        return Need(first, first)
    overshoot = OVERSHOOT * sqrt(variance * max(1.0, test.look)) if test.look > 1 else 0.0

    def line(units: float) -> float:
        return one_sided_multiplier(round(units), alpha=test.alpha, tightest_at=tightest_at) * sqrt(variance * units) + overshoot

    guess = 2 * variance / (gap * gap) * log(1 / test.alpha)
    return _need(passage(Walk(gap, variance), line, first=first, last=max(2 * first, _LATEST * guess)))


def tempered(need: Need, *, block: float) -> Need:
    """The same, when evidence is divided by a dispersion that is estimated from blocks of ``block`` units and never below 1:
    even where nothing is dispersed it is above 1 on average, the less so the more blocks there are.
    """
    return Need(_tempered(need.n50, block), _tempered(need.n80, block))


def _tempered(units: float, block: float) -> float:
    blocks = max(2.0, units / max(block, 1.0))
    return _bounded(units * (1 + UPWARDS * sqrt(2 / (blocks - 1)))) if units < inf else inf


def units_for(chance: Callable[[int], float], *, target: float = MOST) -> float:
    """The fewest units at which ``chance``, which grows with them, reaches ``target``; infinite for never."""
    if chance(int(UNITS_MAX)) < target:
        return inf
    return float(bisect_left(range(int(UNITS_MAX)), target, key=chance))


def _shares(test: EventTest, rates: Rates) -> tuple[float, float]:
    """The share of events that come from the candidate: as assumed, and under the null."""
    p, all_of = test.p, test.p * rates.candidate + (1 - test.p) * rates.stable
    return (p * rates.candidate / all_of if all_of > 0 else 0.0), p * test.null / (p * test.null + 1 - p)


def _awaited(events: Need) -> Need:
    """The same with the chance of when events come: the n-th comes at n times their distance, give or take its root."""
    if not 0 < events.n50 < inf or events.n80 == inf:
        return events
    spread = log(events.n80 / events.n50)
    return Need(events.n50, events.n50 * exp(sqrt(spread * spread + MOST_DEVIATION * MOST_DEVIATION / events.n50)))


def _event_bets(test: EventTest) -> list[_Bet]:
    """One bet a step of the grid, on the count of the candidate's events (above) or of the stable's (below)."""
    p, base = test.p, test.p * test.null + 1 - test.p
    if test.above:
        return [_Bet(log(step), -log((p * test.null * step + 1 - p) / base)) for step in STEPS]
    return [_Bet(log(step), -log(step) - log((p * test.null / step + 1 - p) / base)) for step in STEPS]


class _Stop(NamedTuple):
    """What log E has to reach, and after how much of the walk it is looked at each time."""

    log_threshold: float
    look: float = 1.0


def _bets_need(points: Sequence[tuple[float, float]], rates: Sequence[float], stop: _Stop) -> Need:
    """``points`` are values with their weights; a bet of ``rate`` multiplies its capital by 1 + rate * value."""
    sign = 1 if rates[0] > 0 else -1
    mean = sum(value * weight for value, weight in points)
    variance = max(0.0, sum(value * value * weight for value, weight in points) - mean * mean)
    if sign * mean <= 0:
        return NEVER
    if variance <= max(_NO_VARIANCE, _CLOSE * mean * mean):
        return _certain_need([log1p(rate * mean) for rate in rates], stop)
    bets: list[_Bet] = []
    for rate in rates:
        growths = [(log1p(rate * value), value, weight) for value, weight in points]
        growth = sum(grown * weight for grown, _, weight in growths)
        slope = sign * (sum(grown * value * weight for grown, value, weight in growths) - growth * mean) / variance
        bets.append(_Bet(slope, growth - slope * sign * mean))
    return _mixture_need(Walk(sign * mean, variance), bets, stop)


def _certain_need(growths: Sequence[float], stop: _Stop) -> Need:
    """Where every unit brings the same: the first look from then on."""

    def grown(units: int) -> float:
        return log_mean_exp([units * growth for growth in growths])

    found = bisect_left(range(int(UNITS_MAX)), stop.log_threshold, key=grown)
    seen = ceil(found / stop.look) * stop.look
    return Need(_bounded(seen), _bounded(seen))


def _mixture_need(walk: Walk, bets: Sequence[_Bet], stop: _Stop) -> Need:
    threshold = stop.log_threshold
    overshoot = OVERSHOOT * sqrt(walk.variance * max(1.0, stop.look))
    growth = max(bet.slope * walk.mean + bet.drift for bet in bets)
    if growth <= 0:
        return NEVER
    about = threshold / growth

    def line(length: float) -> float:
        return _crossing(bets, length, threshold=threshold) + overshoot

    return _need(passage(walk, line, first=max(1.0, about / _EARLIEST), last=max(2.0, about * _LATEST)))


def _crossing(bets: Sequence[_Bet], length: float, *, threshold: float) -> float:
    """The sum at which the mixture reaches its threshold after ``length``. Log E is convex in the sum and rises with it,
    so Newton's rule comes down to it from above.
    """
    goal = threshold + log(len(bets))
    at = min((goal - length * bet.drift) / bet.slope for bet in bets)
    for _ in range(_NEWTON_STEPS):
        logs = [at * bet.slope + length * bet.drift for bet in bets]
        top = max(logs)
        weights = [exp(one - top) for one in logs]
        total = sum(weights)
        slope = sum(weight * bet.slope for weight, bet in zip(weights, bets, strict=True)) / total
        step = (top + log(total) - goal) / slope
        at -= step
        if abs(step) <= _CLOSE * max(1.0, abs(at)):
            break
    return at


def _need(found: Passage) -> Need:
    return Need(_bounded(found.by(HALF)), _bounded(found.by(MOST)))


def _bounded(units: float) -> float:
    return units if units <= UNITS_MAX else inf


def _log(a: float, b: float) -> float:
    return log(a / b) if a > 0 else 0.0
