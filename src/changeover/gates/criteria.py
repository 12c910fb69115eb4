"""What is asked of a candidate: the criteria with their margins. A margin is a decision to accept that loss."""

from enum import StrEnum

import msgspec


class TripRule(StrEnum):
    """When a criterion rolls back."""

    MARGIN = "margin"
    """A loss beyond the margin is proven."""
    ANY = "any"
    """Any loss is proven, until the criterion has passed; from then on only beyond the margin."""


class QualityCriterion(msgspec.Struct, frozen=True, kw_only=True):
    """Mean score of the stable minus mean score of the candidate, against ``margin`` in the scale's own units.

    ``score`` names the scores that count (source ``scores/NAME``); ``None`` means no source, and no gate.
    """

    score: str | None = None
    scale_low: float = 1.0
    scale_high: float = 5.0
    margin: float = 0.1
    trip: TripRule = TripRule.MARGIN

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


class Criteria(msgspec.Struct, frozen=True, kw_only=True):
    """All criteria of a task. ``None`` means left out, with the reason in ``left_out`` by criterion name."""

    quality: QualityCriterion | None = None
    errors: ErrorsCriterion | None = None
    left_out: dict[str, str] = {}


class EvidenceRules(msgspec.Struct, frozen=True, kw_only=True):
    """How observations become evidence: block length, dwell in blocks, and how long a late score is waited for."""

    block_s: float = 1800.0
    blocks_min: int = 12
    score_timeout_s: float = 60.0
