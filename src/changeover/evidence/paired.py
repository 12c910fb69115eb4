"""Does the candidate answer the same items as well as the stable? Both versions answer every item, so each item is its
own comparison.

Source of the bets: as evidence/betting.py, on the difference of an item's two values. Of the test for any loss: McNemar
1947, made sequential by the event test at even odds. Items must come in an order shuffled before the first answer.
"""

from collections.abc import Iterable
from math import isfinite, log1p
from typing import Final

import msgspec

from changeover.evidence.betting import BETS, CAPITAL_AT_RISK
from changeover.evidence.events import EventCount, log_e_above
from changeover.evidence.mixture import log_mean_exp

FRACTION_MIN: Final = 0.05
FRACTIONS: Final = tuple(FRACTION_MIN ** (1 - k / (BETS - 1)) for k in range(BETS))
"""The eight bets, log-spaced from .05 to 1, as shares of the largest bet that cannot lose everything."""

RATIOS: Final = 10
RATIO_MIN: Final = 1.1
RATIO_MAX: Final = 6.0
STEPS: Final = tuple(RATIO_MIN * (RATIO_MAX / RATIO_MIN) ** (k / (RATIOS - 1)) for k in range(RATIOS))
"""How much more often the candidate alone is wrong, under the alternatives to "equally often"."""

EVEN: Final = 0.5
WORST: Final = -1.0


class PairedCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Items judged right or wrong: ``items`` of them, ``plus`` right with the candidate alone, ``minus`` with the stable
    alone. This is the whole state, and it adds up.

    Raises:
        ValueError: a negative count, or more items that differ than items.
    """

    items: int = 0
    plus: int = 0
    minus: int = 0

    def __post_init__(self) -> None:
        if min(self.plus, self.minus) < 0 or self.plus + self.minus > self.items:
            raise ValueError(
                f"found {self.plus} items right with the candidate alone and {self.minus} with the stable alone of {self.items}; "
                "expected counts from 0 that together are not above the items: count the pairs anew"
            )

    def merged(self, other: "PairedCounts") -> "PairedCounts":
        return PairedCounts(items=self.items + other.items, plus=self.plus + other.plus, minus=self.minus + other.minus)

    @property
    def loss(self) -> float | None:
        """The stable's share of right items less the candidate's; ``None`` without items. If exactly these items are
        what counts, this after the last of them is the answer, without an interval.
        """
        return (self.minus - self.plus) / self.items if self.items else None

    def log_e_pass(self, *, delta: float) -> float:
        """Against "the loss is ``delta`` (0 to 1) or more"."""
        return log_mean_exp([self._capital(rate, delta=delta) for rate in passing_rates(delta)])

    def log_e_fail(self, *, delta: float) -> float:
        """Against "the loss is ``delta`` or less"."""
        return log_mean_exp([self._capital(-rate, delta=delta) for rate in failing_rates(delta)])

    def log_e_harm(self) -> float:
        """Against "there is no loss": only items that differ say anything."""
        return log_e_above([EventCount(EVEN, self.plus, self.minus)], ratio=1.0, steps=STEPS)

    def _capital(self, rate: float, *, delta: float) -> float:
        same = self.items - self.plus - self.minus
        return self.plus * log1p(rate * (delta + 1)) + self.minus * log1p(rate * (delta - 1)) + same * log1p(rate * delta)


class PairedSums(msgspec.Struct, frozen=True, kw_only=True):
    """Items with a score from each version, on 0 to 1: log-capitals of the bets at margin ``delta``. Adds up.

    ``unusable`` of the ``items`` had a difference that is no number from -1 to 1; they were bet as the worst one, so they
    can only speak against the candidate, and whoever decides must refuse to fail on them.
    """

    delta: float
    items: int = 0
    unusable: int = 0
    total: float = 0.0
    passing: tuple[float, ...] = (0.0,) * BETS
    failing: tuple[float, ...] = (0.0,) * BETS
    harming: tuple[float, ...] = (0.0,) * BETS

    def merged(self, other: "PairedSums") -> "PairedSums":
        """Both sets as one.

        Raises:
            ValueError: they were bet at different margins.
        """
        if other.delta != self.delta:
            raise ValueError(f"found sums at margins of {self.delta:g} and {other.delta:g}; expected one margin: bet anew")
        return PairedSums(
            delta=self.delta,
            items=self.items + other.items,
            unusable=self.unusable + other.unusable,
            total=self.total + other.total,
            passing=_added(self.passing, other.passing),
            failing=_added(self.failing, other.failing),
            harming=_added(self.harming, other.harming),
        )

    @property
    def loss(self) -> float | None:
        """The stable's mean less the candidate's; ``None`` without items."""
        return -self.total / self.items if self.items else None

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


def count_pairs(pairs: Iterable[tuple[bool, bool]]) -> PairedCounts:
    """Each pair is (stable right, candidate right)."""
    items, plus, minus = 0, 0, 0
    for stable, candidate in pairs:
        items += 1
        plus += candidate and not stable
        minus += stable and not candidate
    return PairedCounts(items=items, plus=plus, minus=minus)


def paired_sums(differences: Iterable[float], *, delta: float) -> PairedSums:
    """Bet on each item's candidate's score less the stable's, both on 0 to 1, at margin ``delta``."""
    found = list(differences)
    usable = [one for one in found if isfinite(one) and -1 <= one <= 1]
    unusable = len(found) - len(usable)
    bet = [*usable, *[WORST] * unusable]
    return PairedSums(
        delta=delta,
        items=len(bet),
        unusable=unusable,
        total=sum(bet),
        passing=tuple(sum(log1p(rate * (one + delta)) for one in bet) for rate in passing_rates(delta)),
        failing=tuple(sum(log1p(-rate * (one + delta)) for one in bet) for rate in failing_rates(delta)),
        harming=tuple(sum(log1p(-rate * one) for one in bet) for rate in failing_rates(0.0)),
    )


def passing_rates(delta: float) -> list[float]:
    """The bets for a pass at margin ``delta``.

    Raises:
        ValueError: the margin is not from 0 up to, not including, 1.
    """
    _refuse_untestable(delta)
    return [CAPITAL_AT_RISK * fraction / (1 - delta) for fraction in FRACTIONS]


def failing_rates(delta: float) -> list[float]:
    """The bets for a fail at margin ``delta``; another cap, or a factor could turn negative.

    Raises:
        ValueError: the margin is not from 0 up to, not including, 1.
    """
    _refuse_untestable(delta)
    return [CAPITAL_AT_RISK * fraction / (1 + delta) for fraction in FRACTIONS]


def _refuse_untestable(delta: float) -> None:
    if not 0 <= delta < 1:
        raise ValueError(f"found a margin of {delta:g} on 0 to 1; expected 0 or more and below 1: set the margin")


def _added(left: tuple[float, ...], right: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(a + b for a, b in zip(left, right, strict=True))
