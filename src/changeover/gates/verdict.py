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


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a rollout at one look.

    ``blocks`` and ``served_s`` count closed blocks that lie wholly at the present, acknowledged weight: the dwell.
    ``closed_until`` is the Unix time up to which blocks are closed; ``evidence_hash`` identifies the summaries used,
    ``closed`` how many of each stream they are, and ``config_hash`` what they were made for.
    """

    verdicts: tuple[Verdict, ...]
    sample_ratio: SampleRatio
    blocks: int
    served_s: float
    closed_until: float
    evidence_hash: str = ""
    config_hash: str = ""
    closed: dict[str, int] = {}
