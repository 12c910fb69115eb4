"""How sure must a gate be? The error levels of every test, and the bookkeeping of what has been proven, and when.

A false step needs a false pass, at most 5 % each. The trip levels are shares of the 5 % that all guardrails together
may roll back an equal candidate; a criterion that is added takes its share out of that total.
"""

from functools import lru_cache
from math import inf, log
from typing import Final, NamedTuple

import msgspec

from changeover.gates.criteria import TripRule
from changeover.gates.verdict import Level

ALPHA_PASS: Final = 0.05
ALPHA_TRIP_QUALITY: Final = 0.008
ALPHA_TRIP_ERRORS: Final = 0.010
ALPHA_TRIP_FILTER: Final = 0.008
ALPHA_TRIP_HARMFUL: Final = 0.005
ALPHA_TRIP_LATENCY: Final = 0.003
"""Each quantile, of up to three."""
ALPHA_TRIP_OUTAGE: Final = 0.001
"""Each quantile's fast trip, on top of the total."""
ALPHA_TRIP_COST: Final = 0.005 / 3
"""Each of money, input tokens and output tokens."""
ALPHA_SAMPLE_RATIO: Final = 0.001
ALPHA_INTERVAL: Final = 0.05

MISSING_MAX: Final = 0.05
"""The share of outcomes that may be missing on either side before the data is not fit."""

POWER_WANTED: Final = 0.8
"""A guardrail's silence means something once it would have caught the assumed harm with this chance."""

HARM_FACTOR: Final = 3.0
"""The assumed harm, in margins."""


@lru_cache(maxsize=64)
def threshold(alpha: float) -> float:
    """A test at level ``alpha`` rejects when its log E reaches this."""
    return log(1 / alpha)


def level(log_e: float, *, alpha: float, reached_at: float | None) -> Level:
    return Level(log_e=log_e, threshold=threshold(alpha), reached_at=reached_at)


class Least(NamedTuple):
    """Below these, the exact log E does not matter to whoever asks."""

    passing: float
    tripping: float


EXACT: Final = Least(-inf, -inf)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Where a criterion's three tests stand: log E for "below the margin", "beyond the margin", "any harm"."""

    passing: float
    failing: float
    harming: float


class Proven(msgspec.Struct, frozen=True, kw_only=True):
    """What has been proven, with the end of the block in which it was. Never taken back: that a test reached its level
    at any look is what its error level counts.
    """

    passed_at: float | None = None
    failed_at: float | None = None
    harmed_at: float | None = None
    tripped_at: float | None = None

    def after(self, now: Evidence, *, at: float, rule: TripRule, alpha_trip: float) -> "Proven":
        """Look once, at a block's end. Whether a pass already stands is asked before this look."""
        limit = threshold(alpha_trip)
        passed = now.passing >= threshold(ALPHA_PASS)
        failed, harmed = now.failing >= limit, now.harming >= limit
        if not (passed or failed or harmed):
            return self
        tripped = harmed if self.trips_on_any(rule) else failed
        return Proven(
            passed_at=_first(self.passed_at, at, reached=passed),
            failed_at=_first(self.failed_at, at, reached=failed),
            harmed_at=_first(self.harmed_at, at, reached=harmed),
            tripped_at=_first(self.tripped_at, at, reached=tripped),
        )

    def trips_on_any(self, rule: TripRule) -> bool:
        """Whether any proven harm rolls back now: declared so, and no pass stands."""
        return rule is TripRule.ANY and self.passed_at is None

    def least(self, alpha_trip: float) -> Least:
        """What a look has to compute: nothing that stands already, and nothing exactly that decides nothing."""
        stands = self.failed_at is not None and self.harmed_at is not None and self.tripped_at is not None
        return Least(
            passing=inf if self.passed_at is not None else threshold(ALPHA_PASS), tripping=inf if stands else threshold(alpha_trip)
        )


NOTHING_PROVEN: Final = Proven()


def _first(earlier: float | None, at: float, *, reached: bool) -> float | None:
    if earlier is not None:
        return earlier
    return at if reached else None
