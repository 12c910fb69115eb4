"""What is known of a rollout at this look? Closed blocks, folded in order, become one assessment.

The same blocks give the same assessment, bit for bit (rule I12). A fold costs the same however many came before.
"""

from dataclasses import dataclass, replace

from changeover.evidence.blocks import BlockClock
from changeover.evidence.outcomes import OutcomeBlock
from changeover.evidence.scores import ScoreBlock
from changeover.gates.criteria import Criteria, EvidenceRules
from changeover.gates.errors import ErrorsGate
from changeover.gates.quality import QualityGate
from changeover.gates.sample_ratio import NOTHING_DRAWN, SampleRatioCheck
from changeover.gates.verdict import Assessment

_BEFORE_ALL = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """An immutable fold over a rollout's two streams of closed blocks, each in its own order and at its own pace.

    A criterion that is left out, or quality without a source, has no gate and no verdict. ``outcomes_block`` and
    ``scores_block`` are the last blocks taken in, -1 before the first.
    """

    clock: BlockClock
    quality: QualityGate | None
    errors: ErrorsGate | None
    sample_ratio: SampleRatioCheck = NOTHING_DRAWN
    outcomes_block: int = _BEFORE_ALL
    scores_block: int = _BEFORE_ALL

    @classmethod
    def begin(cls, *, criteria: Criteria, rules: EvidenceRules, clock: BlockClock) -> "Judge":
        """Nothing seen yet.

        Raises:
            ValueError: a margin no test can be made of, or a clock whose blocks are not the rules'.
        """
        if clock.block_s != rules.block_s:
            raise ValueError(f"the clock's blocks last {clock.block_s} s; expected {rules.block_s} s, as evidence.block declares")
        quality = criteria.quality
        return cls(
            clock=clock,
            quality=QualityGate(criterion=quality) if quality is not None and quality.score is not None else None,
            errors=ErrorsGate(criterion=criteria.errors) if criteria.errors is not None else None,
        )

    def add_outcomes(self, block: OutcomeBlock) -> "Judge":
        """The next closed block of outcomes: both the sample-ratio check and the errors gate look at its end.

        Raises:
            ValueError: the block is not after the last one; counting it twice would invent evidence.
        """
        _must_follow(block.block, self.outcomes_block, "outcome")
        at = self.clock.end(block.block)
        return replace(
            self,
            sample_ratio=self.sample_ratio.add(block, at=at),
            errors=self.errors.add(block, at=at) if self.errors is not None else None,
            outcomes_block=block.block,
        )

    def add_scores(self, block: ScoreBlock) -> "Judge":
        """The next closed block of scores; without a quality gate it changes nothing but the count.

        Raises:
            ValueError: the block is not after the last one, or was summed up for another margin.
        """
        _must_follow(block.block, self.scores_block, "score")
        quality = self.quality.add(block, at=self.clock.end(block.block)) if self.quality is not None else None
        return replace(self, quality=quality, scores_block=block.block)

    def assessment(self, *, blocks_dwelt: int, served_s: float, closed_until: float, evidence_hash: str) -> Assessment:
        """All verdicts as they stand. Looking changes nothing."""
        gates = (self.quality, self.errors)
        return Assessment(
            verdicts=tuple(gate.verdict() for gate in gates if gate is not None),
            sample_ratio=self.sample_ratio.figures(),
            blocks=blocks_dwelt,
            served_s=served_s,
            closed_until=closed_until,
            evidence_hash=evidence_hash,
        )


def _must_follow(block: int, last: int, stream: str) -> None:
    if block <= last:
        raise ValueError(
            f"{stream} block {block} came after block {last}; expected each block once and in order: fold the stored blocks anew"
        )
