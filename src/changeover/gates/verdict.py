"""The answer of a gate: three-valued, never just a colour, always with the numbers that made it."""

from enum import StrEnum

import msgspec


class Decision(StrEnum):
    """PASS: harm is proven below the margin. FAIL: proven above it. UNDECIDED: neither, or the data is not fit."""

    PASS = "pass"
    FAIL = "fail"
    UNDECIDED = "undecided"


class SideFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What one side shows. ``count`` units with an outcome, ``events`` of them events (errors), ``missing`` units whose
    outcome never came; ``mean`` is in the criterion's own unit (score, or share of events from 0 to 1). ``quantile_ms``
    is the side's own quantile of latency so far, over all weights: to be shown, not compared.
    """

    count: int = 0
    events: int | None = None
    missing: int = 0
    mean: float | None = None
    quantile_ms: float | None = None


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """How far a test has come: it rejects when ``log_e`` reaches ``threshold`` = log(1/alpha).

    ``reached_at`` is the Unix time of the end of the block in which it did; a rejection is latched.
    """

    log_e: float
    threshold: float
    reached_at: float | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One criterion's answer.

    ``estimate``, ``low`` and ``high`` describe candidate against stable (a difference for quality, a ratio for errors)
    with the interval's method in ``method``. ``tripped`` means roll back now. ``worse_inside`` marks a proven loss
    that lies inside the accepted margin. ``able_to_trip`` means enough has been seen to have caught three times the
    margin with probability 0.8. ``problems`` are why the data is not fit, if it is not; then the decision is undecided.
    """

    criterion: str
    decision: Decision
    tripped: bool
    able_to_trip: bool
    worse_inside: bool
    stable: SideFigures
    candidate: SideFigures
    estimate: float | None
    low: float | None
    high: float | None
    method: str
    margin: str
    to_pass: Level
    to_trip: Level
    sentence: str
    problems: tuple[str, ...] = ()
    guard_only: bool = False
    """It may roll back, but no step needs it."""


class SampleRatio(msgspec.Struct, frozen=True, kw_only=True):
    """The check that traffic was split as drawn. An alarm pauses; it accuses the plumbing, not the candidate."""

    stable: int
    candidate: int
    level: Level
    alarm: bool


class WorstSlice(msgspec.Struct, frozen=True, kw_only=True):
    """The slice of ``slices`` that speaks most for any loss on a criterion. It is shown and decides nothing.

    ``harm`` is the evidence for a loss of any size in this slice alone, against the criterion's ``alpha`` divided by the
    number of slices that were looked at: the worst of many looks bad by chance. ``reached_at`` is never set.
    """

    criterion: str
    label: str
    slices: int
    stable: SideFigures
    candidate: SideFigures
    estimate: float | None
    alpha: float
    harm: Level

    @property
    def stands_out(self) -> bool:
        return self.harm.log_e >= self.harm.threshold

    @property
    def sentence(self) -> str:
        found = "a loss is proven there" if self.stands_out else "no loss is proven there"
        return (
            f"worst of {self.slices} slices for {self.criterion}: {self.label}, {self.candidate.count} units of the candidate against "
            f"{self.stable.count}; {found} at {self.alpha:g} divided by {self.slices} (log E {self.harm.log_e:.2f} of "
            f"{self.harm.threshold:.2f}); shown, decides nothing"
        )


class Braked(msgspec.Struct, frozen=True, kw_only=True):
    """The outage brake was pulled by the block that ended ``at``: figures of all requests, and the bounds they broke.

    The stable's are those of its last block with traffic, which may be an earlier one.
    """

    at: float
    candidate_requests: int
    candidate_errors: int
    stable_requests: int
    stable_errors: int
    units_min: int
    share_max: float
    stable_share_max: float

    @property
    def sentence(self) -> str:
        return (
            f"outage brake: {self.candidate_errors} of {self.candidate_requests} requests of the candidate, from at least "
            f"{self.units_min} units, had errors in one block, limit {self.share_max:.0%}; "
            f"{self.stable_errors} of {self.stable_requests} of the stable's had, under {self.stable_share_max:.0%}"
        )


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a rollout at one look.

    ``served_s`` counts closed blocks in which the candidate was asked and which lie wholly at the present, acknowledged
    weight: the dwell. ``blocks`` are those of them with new units, the only ones with evidence of this weight.
    ``closed_until`` is the Unix time up to which blocks are closed; ``evidence_hash`` identifies the summaries used,
    ``closed`` how many of each stream they are, and ``config_hash`` what they were made for. ``brake`` is no verdict: it
    rolls back in any state. ``refusal`` says why no verdict can be given on what was seen, and pauses. ``slices`` decide
    nothing.
    """

    verdicts: tuple[Verdict, ...]
    sample_ratio: SampleRatio
    blocks: int
    served_s: float
    closed_until: float
    evidence_hash: str = ""
    config_hash: str = ""
    closed: dict[str, int] = {}
    brake: Braked | None = None
    refusal: str = ""
    slices: tuple[WorstSlice, ...] = ()
