"""Count, mean and spread of many values, kept without keeping the values. Merges exactly as one stream would."""

from collections.abc import Iterable
from math import fsum, sqrt
from operator import mul

import msgspec


class Moments(msgspec.Struct, frozen=True, kw_only=True):
    """``m2`` is the sum of squared distances from the mean. Sums of squares are not kept: they cancel."""

    count: int = 0
    mean: float = 0.0
    m2: float = 0.0

    @property
    def variance(self) -> float:
        """The sample variance; 0 below two values."""
        return self.m2 / (self.count - 1) if self.count > 1 else 0.0

    @property
    def sd(self) -> float:
        return sqrt(self.variance)

    def merged(self, other: "Moments") -> "Moments":
        """Both sets as one (Chan, Golub and LeVeque 1983)."""
        count = self.count + other.count
        if count == 0:
            return self
        distance = other.mean - self.mean
        return Moments(
            count=count,
            mean=self.mean + distance * other.count / count,
            m2=self.m2 + other.m2 + distance * distance * self.count * other.count / count,
        )


def moments_of(values: Iterable[float]) -> Moments:
    """Exact sums, so that the order of ``values`` plays no part: first the mean, then the distances from it. Equal values
    have no spread at all, not a rounding error of one: whether anything varies decides how a mean is judged.
    """
    known = list(values)
    if not known or (known[0] == known[-1] and min(known) == max(known)):
        return Moments(count=len(known), mean=float(known[0]) if known else 0.0)
    mean = fsum(known) / len(known)
    distances = [value - mean for value in known]
    return Moments(count=len(known), mean=mean, m2=fsum(map(mul, distances, distances)))
