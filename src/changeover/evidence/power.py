"""Has enough been seen to have caught a given loss? The chance that a test would have rejected by now, without dice.

Approximate, and calibrated against simulation of the real tests: the number of requests at which the chance reaches 0.8
is right to within about a quarter. Verdicts do not rest on it; it only says whether silence means something.
"""

from collections.abc import Sequence
from math import erfc, exp, log, log1p, pi, sqrt
from typing import Final, NamedTuple

from changeover.evidence.betting import FRACTIONS, bet_rates, weighted
from changeover.evidence.events import STEPS
from changeover.evidence.mixture import log_mean_exp
from changeover.traffic.table import Side

_MILLS_FROM: Final = 20.0
_HALVINGS: Final = 30
_NO_VARIANCE: Final = 1e-18
"""Of values on 0 to 1: below this it is rounding error, and the two points could not be told apart."""


class Seen(NamedTuple):
    """``units`` requests, both sides together, that had probability ``p`` of being the candidate's. ``centre`` is the one
    that the betting test used for them; ``None`` stands for the pooled mean, which it soon comes to.
    """

    p: float
    units: int
    centre: float | None = None


class Spread(NamedTuple):
    """A distribution on 0 to 1 as far as it is known."""

    mean: float
    sd: float


class Growth(NamedTuple):
    """What a bet's log-capital does over everything seen: its expected sum and the variance of it."""

    mean: float
    variance: float


def betting_power(seen: Sequence[Seen], *, stable: Spread, candidate: Spread, delta: float, alpha: float) -> float:
    """The chance that the betting test would by now have proven a loss above ``delta``, had the sides these spreads."""
    growths: list[Growth] = []
    for fraction in FRACTIONS:
        bet = _Bet(fraction, delta)
        growths.append(_sum([_bet_growth(here, bet, stable=stable, candidate=candidate) for here in seen]))
    return _mixture_power(growths, alpha=alpha)


def event_power(seen: Sequence[Seen], *, stable_rate: float, candidate_rate: float, ratio: float, alpha: float) -> float:
    """The chance that the event test would by now have proven a rate above ``ratio`` times the stable's, had the sides
    these rates (events per unit).
    """
    growths: list[Growth] = []
    for step in STEPS:
        parts: list[Growth] = []
        for p, units, _ in seen:
            spread = log((p * ratio * step + 1 - p) / (p * ratio + 1 - p))
            from_candidate, from_stable = units * p * candidate_rate, units * (1 - p) * stable_rate
            up, down = log(step) - spread, -spread
            parts.append(Growth(from_candidate * up + from_stable * down, from_candidate * up * up + from_stable * down * down))
        growths.append(_sum(parts))
    return _mixture_power(growths, alpha=alpha)


def _mixture_power(growths: Sequence[Growth], *, alpha: float) -> float:
    """The chance that the average of several bets reached 1/alpha, each bet's log-capital being Brownian motion.

    The bet with the best chance stands for all.
    """
    barrier = _barrier(growths, alpha=alpha)
    return max(_passage(growth, barrier) for growth in growths)


def _barrier(growths: Sequence[Growth], *, alpha: float) -> float:
    """What the best bet has to reach: log(1/alpha) plus the logarithm of the number of bets, less what the others add
    to its capital at the moment when the expected course of the whole crosses (now, if it has not).
    """
    means = [growth.mean for growth in growths]
    threshold = log(1 / alpha)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        crossed = log_mean_exp([middle * mean for mean in means]) >= threshold
        low, high = (low, middle) if crossed else (middle, high)
    course = [high * mean for mean in means]
    return threshold + max(course) - log_mean_exp(course)


def _passage(growth: Growth, barrier: float) -> float:
    """The chance that Brownian motion with this growth has reached ``barrier``: the inverse-Gaussian distribution.

    The reflected part is exp(2 m h / v) times a normal tail. Where the first factor could overflow, it is computed by
    way of the Mills ratio.
    """
    if barrier <= 0:
        return 1.0
    if growth.variance <= 0:
        return 1.0 if growth.mean >= barrier else 0.0
    sd = sqrt(growth.variance)
    ahead, beyond = (growth.mean - barrier) / sd, (growth.mean + barrier) / sd
    if beyond <= 0:
        reflected = exp(2 * growth.mean * barrier / growth.variance) * _normal_below(-beyond)
    else:
        reflected = exp(-ahead * ahead / 2) / sqrt(2 * pi) * _mills(beyond)
    return min(1.0, _normal_below(ahead) + reflected)


def _normal_below(z: float) -> float:
    return erfc(-z / sqrt(2)) / 2


def _mills(z: float) -> float:
    """The normal tail above ``z``, which is positive, over its density at ``z``."""
    if z > _MILLS_FROM:
        return (1 - 1 / (z * z)) / z
    return _normal_below(-z) * sqrt(2 * pi) * exp(z * z / 2)


class _Bet(NamedTuple):
    fraction: float
    delta: float


def _bet_growth(seen: Seen, bet: _Bet, *, stable: Spread, candidate: Spread) -> Growth:
    """One failing bet over the units of one probability: moments of its log-factor, times their number."""
    p, units, centre = seen
    if centre is None:
        centre = (1 - p) * stable.mean + p * candidate.mean
    _, rate = bet_rates(p=p, delta=bet.delta)
    first, second = 0.0, 0.0
    for side, spread, chance in ((Side.STABLE, stable, 1 - p), (Side.CANDIDATE, candidate, p)):
        for gain, weight in two_points(spread):
            grown = log1p(-bet.fraction * rate * (weighted(side, p=p, gain=gain, centre=centre) + bet.delta))
            first += chance * weight * grown
            second += chance * weight * grown * grown
    return Growth(units * first, units * max(0.0, second - first * first))


def two_points(spread: Spread) -> tuple[tuple[float, float], tuple[float, float]]:
    """Two values on 0 to 1 with their weights that have exactly this mean and, if 0 to 1 leaves room for it, this sd.

    They lie one sd to either side where that stays inside; else one lies on the border. (Clipping a symmetric rule
    instead would move the mean, by more than a margin when scores are low.)
    """
    mean = min(1.0, max(0.0, spread.mean))
    variance = min(spread.sd * spread.sd, mean * (1 - mean))
    if variance <= _NO_VARIANCE:
        return (mean, 0.5), (mean, 0.5)
    sd = sqrt(variance)
    low = max(0.0, mean - sd)
    high = mean + variance / (mean - low)
    if high > 1:
        high = 1.0
        low = mean - variance / (high - mean)
    weight_high = (mean - low) / (high - low)
    return (low, 1 - weight_high), (high, weight_high)


def _sum(parts: Sequence[Growth]) -> Growth:
    return Growth(sum(part.mean for part in parts), sum(part.variance for part in parts))
