"""What is asked of a candidate: the criteria with their margins. A margin is a decision to accept that loss."""

from enum import StrEnum
from typing import assert_never

import msgspec


class TripRule(StrEnum):
    """When a criterion rolls back."""

    MARGIN = "margin"
    """A loss beyond the margin is proven."""
    ANY = "any"
    """Any loss is proven, until the criterion has passed; from then on only beyond the margin."""


class ScoreSource(StrEnum):
    """Who gives the scores. Each is waited for in its own time."""

    CLIENT = "client"
    """The application itself."""
    JUDGE = "judge"
    HUMAN = "human"


class QualityCriterion(msgspec.Struct, frozen=True, kw_only=True):
    """Mean score of the stable minus mean score of the candidate, against ``margin`` in the scale's own units.

    ``score`` names the scores that count (source ``scores/NAME``, or ``human/NAME`` for those people give); ``None`` means
    no source, and no gate.
    """

    score: str | None = None
    scale_low: float = 1.0
    scale_high: float = 5.0
    margin: float = 0.1
    trip: TripRule = TripRule.MARGIN
    source: ScoreSource = ScoreSource.CLIENT

    @property
    def margin_share(self) -> float:
        """The margin as a share of the scale's width: the delta of the tests, on 0 to 1."""
        return self.margin / (self.scale_high - self.scale_low)


class ErrorsCriterion(msgspec.Struct, frozen=True, kw_only=True):
    """Share of requests that the assigned deployment did not answer: at most ``max_ratio`` times the stable's, or
    ``margin_points`` percentage points above it, whichever is wider.
    """

    max_ratio: float = 1.5
    margin_points: float = 0.5
    trip: TripRule = TripRule.ANY


class LatencyCriterion(msgspec.Struct, frozen=True, kw_only=True):
    """Time to the caller's last byte: each named quantile of the candidate at most ``max_ratio`` times the stable's.

    ``quantiles`` are shares (0.5, 0.95, 0.99). Every one must pass; those in ``guard_only`` may roll back but are no gate.
    """

    quantiles: tuple[float, ...] = (0.5, 0.95, 0.99)
    max_ratio: float = 1.10
    guard_only: tuple[float, ...] = ()
    trip: TripRule = TripRule.MARGIN


class CostCriterion(msgspec.Struct, frozen=True, kw_only=True):
    """Mean money a request, every attempt paid: at most ``max_ratio`` times the stable's; tokens are gated beside it."""

    max_ratio: float = 1.10
    input_ratio: float | None = 1.10
    output_ratio: float | None = 1.25
    trip: TripRule = TripRule.MARGIN


class SafetyCriterion(msgspec.Struct, frozen=True, kw_only=True):
    """Share of requests with a content-filter trigger, and of harmful answers where a source of such scores is named.

    Beyond ``max_ratio`` times the stable's share, or ``margin_points`` percentage points above it, whichever is wider.
    ``harmful`` names scores of 0 (harmless) or 1 (harmful); ``None`` means no source, and no gate.
    """

    max_ratio: float = 1.5
    margin_points: float = 0.2
    harmful: str | None = None
    trip: TripRule = TripRule.ANY
    harmful_source: ScoreSource = ScoreSource.CLIENT


class Criteria(msgspec.Struct, frozen=True, kw_only=True):
    """All criteria of a task. ``None`` means left out, with the reason in ``left_out`` by criterion name.

    ``min_samples`` units on either side are needed before anything passes.
    """

    quality: QualityCriterion | None = None
    errors: ErrorsCriterion | None = None
    latency: LatencyCriterion | None = None
    cost: CostCriterion | None = None
    safety: SafetyCriterion | None = None
    min_samples: int = 0
    left_out: dict[str, str] = {}


class EvidenceRules(msgspec.Struct, frozen=True, kw_only=True):
    """How observations become evidence: block length, dwell in blocks, and how long a late score is waited for.

    ``score_timeout_s`` is the application's. ``n_star`` is N* of the cost tests: the requests of both sides together at
    which they are as sharp as they can be, or ``n_star_users`` users where a user's requests hang together.
    """

    block_s: float = 1800.0
    blocks_min: int = 12
    score_timeout_s: float = 60.0
    judge_timeout_s: float = 600.0
    human_timeout_s: float = 7 * 86_400.0
    n_star: int = 10_000
    n_star_users: int = 1_000

    def timeout_s(self, source: ScoreSource) -> float:
        """How long after its block's end a score of ``source`` is waited for."""
        match source:
            case ScoreSource.CLIENT:
                return self.score_timeout_s
            case ScoreSource.JUDGE:
                return self.judge_timeout_s
            case ScoreSource.HUMAN:
                return self.human_timeout_s
            case _:
                assert_never(source)
