"""How sure must a gate be? The error levels of every test, and the bookkeeping of what has been proven, and when.

A false step needs a false pass, at most 5 % each. The trip levels are shares of the 5 % that all guardrails together
may roll back an equal candidate; a criterion that is added takes its share out of that total.
"""

from dataclasses import dataclass
from math import log
from typing import Final

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


def threshold(alpha: float) -> float:
    """A test at level ``alpha`` rejects when its log E reaches this."""
    return log(1 / alpha)


def level(log_e: float, *, alpha: float, reached_at: float | None) -> Level:
    return Level(log_e=log_e, threshold=threshold(alpha), reached_at=reached_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where a criterion's three tests stand: log E for "below the margin", "beyond the margin", "any harm"."""

    passing: float
    failing: float
    harming: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What has been proven, with the end of the block in which it was. Never taken back: that a test reached its level
    at any look is what its error level counts.
    """

    passed_at: float | None = None
    failed_at: float | None = None
    harmed_at: float | None = None
    tripped_at: float | None = None

    def after(self, now: Evidence, *, at: float, rule: TripRule, alpha_trip: float) -> "Proven":
        """Look once, at a block's end. Whether a pass already stands is asked before this look."""
        passed = now.passing >= threshold(ALPHA_PASS)
        failed = now.failing >= threshold(alpha_trip)
        harmed = now.harming >= threshold(alpha_trip)
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


NOTHING_PROVEN: Final = Proven()


def _first(earlier: float | None, at: float, *, reached: bool) -> float | None:
    if earlier is not None:
        return earlier
    return at if reached else None
