"""Count, mean and spread of many values, kept without keeping the values. Merges exactly as one stream would."""

from collections.abc import Iterable
from math import sqrt

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
    """One pass (Welford 1962)."""
    count, mean, m2 = 0, 0.0, 0.0
    for value in values:
        count += 1
        step = value - mean
        mean += step / count
        m2 += step * (value - mean)
    return Moments(count=count, mean=mean, m2=m2)
