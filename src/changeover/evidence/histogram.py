"""How are times spread? A sparse histogram on a logarithmic scale, small enough to keep for every block and side.

Replicas' histograms add up exactly. Ranks at the edges of bins are exact; in between, a time is known to one percent.
"""

from collections.abc import Iterable
from itertools import accumulate
from math import exp, floor, inf, log, sqrt
from typing import Final

import msgspec

BIN_WIDTH: Final = 0.01
"""Of the natural logarithm of seconds: bins are one percent wide."""

BIN_FIRST: Final = -800
BIN_END: Final = 1000
"""Bins from 0.34 ms up to, not including, 6 hours. What lies outside goes into the first or the last."""

_MS: Final = 1000.0
_NO_BINS: Final[dict[int, int]] = {}


class LogHistogram(msgspec.Struct, frozen=True, kw_only=True):
    """``bins`` counts times by the number of their bin: the floor of log(seconds) / ``BIN_WIDTH``."""

    bins: dict[int, int] = _NO_BINS
    version: int = 1

    @property
    def count(self) -> int:
        return sum(self.bins.values())

    def merged(self, other: "LogHistogram") -> "LogHistogram":
        """Both as one."""
        if not self.bins or not other.bins:
            return self if self.bins else other
        bins = dict(self.bins)
        known = bins.get
        for number, count in other.bins.items():
            bins[number] = known(number, 0) + count
        return LogHistogram(bins=bins)

    def quantile(self, share: float) -> float | None:
        """The time in milliseconds that ``share`` of all lie at or below, linear inside its bin; ``None`` when empty, or
        for a share outside 0 to 1.
        """
        count = self.count
        if not count or not 0 <= share <= 1:
            return None
        numbers = sorted(self.bins)
        rank = share * count
        for number, below in zip(numbers, accumulate((self.bins[number] for number in numbers), initial=0), strict=False):
            inside = self.bins[number]
            if rank <= below + inside:
                return _edge_ms(number) + (rank - below) / inside * (_edge_ms(number + 1) - _edge_ms(number))
        return _edge_ms(numbers[-1] + 1)

    def share_above(self, time_ms: float) -> float:
        """The share of times above ``time_ms``, linear inside its bin; 0 when empty."""
        count = self.count
        if not count:
            return 0.0
        at = bin_of(time_ms)
        above = sum(inside for number, inside in self.bins.items() if number > at)
        part = (_edge_ms(at + 1) - time_ms) / (_edge_ms(at + 1) - _edge_ms(at))
        return (above + self.bins.get(at, 0) * min(1.0, max(0.0, part))) / count

    def quantile_interval(self, share: float, *, multiplier: float) -> tuple[float | None, float | None]:
        """Woodruff's interval for a quantile, in milliseconds: the times whose ranks lie ``multiplier`` standard errors of
        the share to either side. An end is ``None`` where there are too few times to say. Asymptotic (Woodruff 1952).
        """
        count = self.count
        if not count:
            return None, None
        reach = multiplier * sqrt(share * (1 - share) / count)
        return self.quantile(share - reach), self.quantile(share + reach)


EMPTY: Final = LogHistogram()


def histogram_of(times_ms: Iterable[float]) -> LogHistogram:
    """Count ``times_ms``.

    Raises:
        ValueError: one is negative or not a finite number.
    """
    bins: dict[int, int] = {}
    for time_ms in times_ms:
        number = bin_of(time_ms)
        bins[number] = bins.get(number, 0) + 1
    return LogHistogram(bins=bins)


def bin_of(time_ms: float) -> int:
    """The number of a time's bin.

    Raises:
        ValueError: it is negative or not a finite number.
    """
    if not 0 <= time_ms < inf:
        raise ValueError(f"found a time of {time_ms} ms; expected 0 or more, and a number: count it as unusable")
    if not time_ms:
        return BIN_FIRST
    return min(BIN_END - 1, max(BIN_FIRST, floor((log(time_ms) - log(_MS)) / BIN_WIDTH)))


def _edge_ms(number: int) -> float:
    return _MS * exp(number * BIN_WIDTH)
