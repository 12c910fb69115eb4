"""Is the mean of a bounded score lower on the candidate's side? The betting e-process.

Every score is first put on 0 to 1, larger is better. Source: Waudby-Smith and Ramdas, "Estimating means of bounded
random variables by betting" (2024), with inverse-probability weights for the side; see docs/explanation/statistics.md.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import log1p
from operator import add, mul
from typing import Final, NamedTuple

import msgspec

from changeover.evidence.mixture import log_mean_exp
from changeover.traffic.table import Side

BETS: Final = 8
FRACTION_MIN: Final = 0.01
FRACTIONS: Final = tuple(FRACTION_MIN ** (1 - k / (BETS - 1)) for k in range(BETS))
"""The eight bets, log-spaced from .01 to 1, as shares of the largest bet that cannot lose everything."""

CAPITAL_AT_RISK: Final = 0.95
"""The largest share of its capital that a bet can lose in one request."""

CENTRE_WEIGHT: Final = 20
"""How many outcomes the declared starting centre is worth (n0)."""


_RATES_KEPT: Final = 64
_CANDIDATE: Final = Side.CANDIDATE


class Centre(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected of a score before it is known: both sides pooled, earlier outcomes only.

    It changes the power of the bets, never their validity. ``start`` is worth ``CENTRE_WEIGHT`` outcomes.
    """

    start: float = 0.5
    total: float = 0.0
    count: int = 0

    @property
    def value(self) -> float:
        return (CENTRE_WEIGHT * self.start + self.total) / (CENTRE_WEIGHT + self.count)

    def after(self, *, total: float, count: int) -> "Centre":
        """The centre once ``count`` further outcomes that sum to ``total`` are known."""
        return Centre(start=self.start, total=self.total + total, count=self.count + count)


class Stake(NamedTuple):
    """``units`` requests with assignment probability ``p`` and the same weighted outcome ``z``."""

    p: float
    z: float
    units: int = 1


class BetSums(msgspec.Struct, frozen=True, kw_only=True):
    """The whole state of the e-process: the log-capital of each bet on each of the three questions. Adds up."""

    passing: tuple[float, ...] = (0.0,) * BETS
    failing: tuple[float, ...] = (0.0,) * BETS
    harming: tuple[float, ...] = (0.0,) * BETS

    def plus(self, other: "BetSums") -> "BetSums":
        return BetSums(
            passing=_added(self.passing, other.passing),
            failing=_added(self.failing, other.failing),
            harming=_added(self.harming, other.harming),
        )

    def plus_losses(self, other: "BetSums") -> "BetSums":
        """Add what ``other`` bets on a loss; its bets on passing are not placed."""
        return BetSums(passing=self.passing, failing=_added(self.failing, other.failing), harming=_added(self.harming, other.harming))

    @property
    def log_e_pass(self) -> float:
        """Against "the loss is the margin or more"."""
        return log_mean_exp(self.passing)

    @property
    def log_e_fail(self) -> float:
        """Against "the loss is the margin or less"."""
        return log_mean_exp(self.failing)

    @property
    def log_e_harm(self) -> float:
        """Against "there is no loss"."""
        return log_mean_exp(self.harming)


NOTHING_BET: Final = BetSums()


def weighted(side: Side, *, p: float, gain: float, centre: float) -> float:
    """The weighted outcome Z of one request; given the past, its mean is the candidate's mean less the stable's.

    ``p`` is the probability it had of being the candidate's, ``gain`` its score on 0 to 1. |Z| is at most
    1 / min(p, 1 - p).
    """
    if side is _CANDIDATE:
        return (gain - centre) / p
    return -(gain - centre) / (1 - p)


def bet_rates(*, p: float, delta: float) -> tuple[float, float]:
    """The largest bet per unit of Z for a pass and for a fail at margin ``delta`` (0 to 1), by the request's own ``p``.

    They differ, or a fail's factor could turn negative at wide margins.
    """
    reach = 1 / min(p, 1 - p)
    return CAPITAL_AT_RISK / (reach - delta), CAPITAL_AT_RISK / (reach + delta)


def bet_sums(stakes: Iterable[Stake], *, delta: float, harms: bool = True) -> BetSums:
    """The log-capitals after ``stakes``, all at margin ``delta`` on 0 to 1. Order does not matter.

    Equal outcomes are bet once, times their number: whole points cost no more than counting them. Without ``harms`` nothing
    is bet on "any loss", for whom another test answers that.
    """
    margin, harming = [0.0] * (2 * BETS), [0.0] * BETS
    for p, outcomes in _counted(stakes).items():
        rates, zs, units = _rates(p, delta), list(outcomes), list(outcomes.values())
        margin = _grown(margin, rates.margin, losses=[z + delta for z in zs], units=units)
        if harms:
            harming = _grown(harming, rates.harming, losses=zs, units=units)
    return BetSums(passing=tuple(margin[:BETS]), failing=tuple(margin[BETS:]), harming=tuple(harming))


def _grown(capitals: list[float], rates: Sequence[float], *, losses: Sequence[float], units: Sequence[int]) -> list[float]:
    """Each bet's log-capital after so many ``units`` of each of ``losses``. Both ways give the same; each is the quicker one
    for its number of losses.
    """
    if len(losses) > BETS:
        return [
            capital + sum(map(mul, units, map(log1p, [rate * loss for loss in losses])))
            for capital, rate in zip(capitals, rates, strict=True)
        ]
    for loss, count in zip(losses, units, strict=True):
        capitals = [capital + count * log1p(rate * loss) for capital, rate in zip(capitals, rates, strict=True)]
    return capitals


class _Rates(NamedTuple):
    """What each bet stakes per unit of outcome: the passing and then the failing ones at the margin, those on any loss."""

    margin: tuple[float, ...]
    harming: tuple[float, ...]


@lru_cache(maxsize=_RATES_KEPT)
def _rates(p: float, delta: float) -> _Rates:
    """Every block asks for the same few."""
    (up, down), (_, down_from_zero) = bet_rates(p=p, delta=delta), bet_rates(p=p, delta=0.0)
    return _Rates(
        margin=(*[fraction * up for fraction in FRACTIONS], *[-fraction * down for fraction in FRACTIONS]),
        harming=tuple([-fraction * down_from_zero for fraction in FRACTIONS]),
    )


def _counted(stakes: Iterable[Stake]) -> dict[float, dict[float, int]]:
    """Units by probability and weighted outcome, in the order in which they first came."""
    found: dict[float, dict[float, int]] = {}
    for p, z, units in stakes:
        if units:
            outcomes = found.setdefault(p, {})
            outcomes[z] = outcomes.get(z, 0) + units
    return found


def _added(left: tuple[float, ...], right: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(map(add, left, right))
