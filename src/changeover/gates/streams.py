"""Which kinds of closed blocks are there, and which criteria does each answer? The closed family of evidence streams.

A stream sums up a block's rows, takes its summaries in again, in order, and holds the gates that they feed. Whoever
drives streams needs to know no criterion: a new one is a new entry of ``streams_for``.
"""

from collections.abc import Sequence
from math import isfinite
from typing import Final, Protocol, Self

import msgspec
from msgspec.structs import replace

from changeover.evidence.betting import Centre
from changeover.evidence.cost import CostBlock, summarise_cost
from changeover.evidence.filters import FlagBlock, summarise_filters, summarise_harmful
from changeover.evidence.latency import NO_THRESHOLDS, LatencyBlock, Thresholds, frozen_thresholds, summarise_latency
from changeover.evidence.outcomes import OutcomeBlock, summarise_outcomes
from changeover.evidence.scores import ScoreBlock, summarise_scores
from changeover.exchange.observation import Observation
from changeover.gates.brake import NOT_BRAKED, OutageBrake
from changeover.gates.cost import MEASURES, CostGate
from changeover.gates.criteria import Criteria, EvidenceRules, QualityCriterion, ScoreSource
from changeover.gates.errors import NAME as ERRORS
from changeover.gates.errors import ErrorsGate
from changeover.gates.latency import LatencyGate
from changeover.gates.quality import NAME as QUALITY
from changeover.gates.quality import QualityGate
from changeover.gates.safety import FILTER, HARMFUL, SafetyGate, filter_gate, harmful_gate
from changeover.gates.sample_ratio import NOTHING_DRAWN, SampleRatioCheck
from changeover.gates.verdict import Verdict

Row = tuple[Observation, float | None]
"""An enrolled request, with the first score of the stream's name, if it has come."""

OUTCOMES: Final = "outcomes"
SCORES: Final = "scores"
LATENCY: Final = "latency"
COST: Final = "cost"
FILTERS: Final = "filters"

BASELINE_SCORES_MIN: Final = 20
"""From so many earlier scores of the stable on, their mean is where the centre starts."""


DEFAULT_RULES: Final = EvidenceRules()

NO_SCORES: Final = Centre()
"""Nothing is expected of the first score: the middle of the scale."""


class Stream(Protocol):
    """One kind of blocks, folded so far. Immutable: every verb returns a new one."""

    @property
    def name(self) -> str: ...

    @property
    def score(self) -> str | None:
        """The score its rows carry, which may come late; ``None``: all is known when a block of time is over."""
        ...

    @property
    def source(self) -> ScoreSource:
        """Whose scores they are, which says how long they are waited for."""
        ...

    @property
    def learns(self) -> bool:
        """Whether the stable's own earlier traffic helps it."""
        ...

    @property
    def gates(self) -> tuple[str, ...]:
        """Names of its verdicts that a step needs; those that may only roll back are not among them."""
        ...

    def informed(self, rows: Sequence[Row]) -> Self:
        """Before its first block: what the stable alone did before the rollout. It goes into the summaries, so that a
        replay needs nothing else.
        """
        ...

    def summarise(self, rows: Sequence[Row], *, block: int, later: Sequence[Row] = ()) -> bytes:
        """The next block's enrolled rows as JSON. What this fold has frozen for that block is in it.

        ``later`` are the block's requests of units that were enrolled before. No exact test may use them.
        """
        ...

    def fold(self, body: bytes, *, at: float) -> Self:
        """Take in the next summary and look, at its block's end ``at``.

        Raises:
            ValueError: it is not a summary of this stream, or was made for another margin.
        """
        ...

    def verdicts(self) -> tuple[Verdict, ...]: ...


class OutcomeStream(msgspec.Struct, frozen=True, kw_only=True):
    """Who was assigned, and who was answered: the check of the draw, the outage brake, and errors if they are asked for.
    ``units`` grows with every block that had new units, ``requests`` with every block in which the candidate was asked.
    """

    errors: ErrorsGate | None
    sample_ratio: SampleRatioCheck = NOTHING_DRAWN
    brake: OutageBrake = NOT_BRAKED
    units: int = 0
    requests: int = 0
    name: str = OUTCOMES
    score: None = None
    source: ScoreSource = ScoreSource.CLIENT
    learns: bool = False

    @property
    def gates(self) -> tuple[str, ...]:
        return () if self.errors is None else (ERRORS,)

    def informed(self, rows: Sequence[Row]) -> "OutcomeStream":  # noqa: ARG002  errors are compared with nothing earlier
        return self

    def summarise(self, rows: Sequence[Row], *, block: int, later: Sequence[Row] = ()) -> bytes:
        summary = summarise_outcomes(block=block, rows=[row for row, _ in rows], later=[row for row, _ in later])
        return msgspec.json.encode(summary)

    def fold(self, body: bytes, *, at: float) -> "OutcomeStream":
        block = msgspec.json.decode(body, type=OutcomeBlock)
        units = block.outside
        for stratum in block.strata:
            units += stratum.stable.assigned + stratum.candidate.assigned
        return replace(
            self,
            errors=self.errors.add(block, at=at) if self.errors is not None else None,
            sample_ratio=self.sample_ratio.add(block, at=at),
            brake=self.brake.add(block, at=at),
            units=self.units + units,
            requests=self.requests + block.candidate_traffic.requests,
        )

    def verdicts(self) -> tuple[Verdict, ...]:
        return () if self.errors is None else (self.errors.verdict(),)


class ScoreStream(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of quality. ``centre`` is frozen for the next block."""

    quality: QualityGate
    centre: Centre = NO_SCORES
    name: str = SCORES
    learns: bool = True
    gates: tuple[str, ...] = (QUALITY,)

    @property
    def score(self) -> str | None:
        return self.quality.criterion.score

    @property
    def source(self) -> ScoreSource:
        return self.quality.criterion.source

    def informed(self, rows: Sequence[Row]) -> "ScoreStream":
        return replace(self, centre=starting_centre([value for row, value in rows if not row.is_error], self.quality.criterion))

    def summarise(self, rows: Sequence[Row], *, block: int, later: Sequence[Row] = ()) -> bytes:  # noqa: ARG002  first requests alone
        return msgspec.json.encode(summarise_scores(block=block, rows=rows, criterion=self.quality.criterion, centre=self.centre))

    def fold(self, body: bytes, *, at: float) -> "ScoreStream":
        block = msgspec.json.decode(body, type=ScoreBlock)
        return replace(self, quality=self.quality.add(block, at=at), centre=block.centre_next)

    def verdicts(self) -> tuple[Verdict, ...]:
        return (self.quality.verdict(),)


class CostStream(msgspec.Struct, frozen=True, kw_only=True):
    """Money and tokens of each request."""

    cost: CostGate
    name: str = COST
    score: None = None
    source: ScoreSource = ScoreSource.CLIENT
    learns: bool = False

    @property
    def gates(self) -> tuple[str, ...]:
        return tuple(measure.name for measure in MEASURES if self.cost.ratio(measure) is not None)

    def informed(self, rows: Sequence[Row]) -> "CostStream":  # noqa: ARG002  costs are compared with nothing earlier
        return self

    def summarise(self, rows: Sequence[Row], *, block: int, later: Sequence[Row] = ()) -> bytes:
        drawn, more = [row for row, _ in rows], [row for row, _ in later]
        return msgspec.json.encode(summarise_cost(block=block, rows=drawn, later=more, limits=self.cost.users.limits))

    def fold(self, body: bytes, *, at: float) -> "CostStream":
        return replace(self, cost=self.cost.add(msgspec.json.decode(body, type=CostBlock), at=at))

    def verdicts(self) -> tuple[Verdict, ...]:
        return self.cost.verdicts()


class LatencyStream(msgspec.Struct, frozen=True, kw_only=True):
    """Times to the last byte. ``thresholds`` are known before the next block begins."""

    latency: LatencyGate
    thresholds: Thresholds = NO_THRESHOLDS
    name: str = LATENCY
    score: None = None
    source: ScoreSource = ScoreSource.CLIENT
    learns: bool = True

    @property
    def gates(self) -> tuple[str, ...]:
        return self.latency.gates

    def informed(self, rows: Sequence[Row]) -> "LatencyStream":
        return replace(self, thresholds=frozen_thresholds([row for row, _ in rows], criterion=self.latency.criterion))

    def summarise(self, rows: Sequence[Row], *, block: int, later: Sequence[Row] = ()) -> bytes:  # noqa: ARG002  first requests alone
        observations = [row for row, _ in rows]
        summary = summarise_latency(block=block, rows=observations, criterion=self.latency.criterion, thresholds=self.thresholds)
        return msgspec.json.encode(summary)

    def fold(self, body: bytes, *, at: float) -> "LatencyStream":
        block = msgspec.json.decode(body, type=LatencyBlock)
        return replace(self, latency=self.latency.add(block, at=at), thresholds=self.thresholds.after(block))

    def verdicts(self) -> tuple[Verdict, ...]:
        return self.latency.verdicts()


class FilterStream(msgspec.Struct, frozen=True, kw_only=True):
    """Content-filter triggers."""

    filters: SafetyGate
    name: str = FILTERS
    score: None = None
    source: ScoreSource = ScoreSource.CLIENT
    learns: bool = False
    gates: tuple[str, ...] = (FILTER,)

    def informed(self, rows: Sequence[Row]) -> "FilterStream":  # noqa: ARG002  bets start at "nothing happens"
        return self

    def summarise(self, rows: Sequence[Row], *, block: int, later: Sequence[Row] = ()) -> bytes:  # noqa: ARG002  first requests alone
        return msgspec.json.encode(summarise_filters(block=block, rows=[row for row, _ in rows]))

    def fold(self, body: bytes, *, at: float) -> "FilterStream":
        return replace(self, filters=self.filters.add(msgspec.json.decode(body, type=FlagBlock), at=at))

    def verdicts(self) -> tuple[Verdict, ...]:
        return (self.filters.verdict(),)


class HarmfulStream(msgspec.Struct, frozen=True, kw_only=True):
    """Answers that were scored as harmful or harmless, late like any score."""

    harmful: SafetyGate
    name: str = HARMFUL
    learns: bool = False
    gates: tuple[str, ...] = (HARMFUL,)

    @property
    def score(self) -> str | None:
        return self.harmful.criterion.harmful

    @property
    def source(self) -> ScoreSource:
        return self.harmful.criterion.harmful_source

    def informed(self, rows: Sequence[Row]) -> "HarmfulStream":  # noqa: ARG002  bets start at "nothing happens"
        return self

    def summarise(self, rows: Sequence[Row], *, block: int, later: Sequence[Row] = ()) -> bytes:  # noqa: ARG002  first requests alone
        return msgspec.json.encode(summarise_harmful(block=block, rows=rows))

    def fold(self, body: bytes, *, at: float) -> "HarmfulStream":
        return replace(self, harmful=self.harmful.add(msgspec.json.decode(body, type=FlagBlock), at=at))

    def verdicts(self) -> tuple[Verdict, ...]:
        return (self.harmful.verdict(),)


def starting_centre(values: Sequence[float | None], criterion: QualityCriterion) -> Centre:
    """Where bets start: at the mean of the stable's earlier scores, or in the middle without enough of them."""
    low, high = criterion.scale_low, criterion.scale_high
    gains = [(value - low) / (high - low) for value in values if value is not None and isfinite(value) and low <= value <= high]
    if len(gains) < BASELINE_SCORES_MIN:
        return NO_SCORES
    return Centre(start=sum(gains) / len(gains))


def streams_for(criteria: Criteria, rules: EvidenceRules = DEFAULT_RULES) -> tuple[Stream, ...]:
    """The streams that these criteria need, nothing folded yet, in the order in which their verdicts are shown.

    A criterion that is left out, or has no source, brings none; outcomes are always there, for the check of the draw.

    Raises:
        ValueError: a margin no test can be made of.
    """
    found: list[Stream] = []
    if criteria.quality is not None and criteria.quality.score is not None:
        found.append(ScoreStream(quality=QualityGate(criterion=criteria.quality)))
    found.append(OutcomeStream(errors=ErrorsGate(criterion=criteria.errors) if criteria.errors is not None else None))
    if criteria.latency is not None:
        found.append(LatencyStream(latency=LatencyGate(criterion=criteria.latency, blocks_min=rules.blocks_min)))
    if criteria.cost is not None:
        found.append(CostStream(cost=CostGate(criterion=criteria.cost, tightest_at=rules.n_star, tightest_at_users=rules.n_star_users)))
    if criteria.safety is not None:
        found.append(FilterStream(filters=filter_gate(criteria.safety)))
        harmful = harmful_gate(criteria.safety)
        if harmful is not None:
            found.append(HarmfulStream(harmful=harmful))
    return tuple(found)


def gates_of(criteria: Criteria) -> tuple[str, ...]:
    """The verdicts that a step of these criteria needs, by name."""
    return tuple(gate for stream in streams_for(criteria) for gate in stream.gates)
