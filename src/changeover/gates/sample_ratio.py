"""Was traffic split as drawn? An alarm pauses the rollout; it accuses the plumbing, not the candidate."""

from math import inf
from typing import Final

import msgspec
from msgspec.structs import replace

from changeover.evidence.outcomes import OutcomeBlock, OutcomeStratum, merge_outcome_strata
from changeover.evidence.sample_ratio import SplitCount, log_e_split
from changeover.gates.levels import ALPHA_SAMPLE_RATIO, level, threshold
from changeover.gates.verdict import SampleRatio


class SampleRatioCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of all closed outcome blocks, at any weight between 0 and 100 %. An alarm stays."""

    strata: tuple[OutcomeStratum, ...] = ()
    impossible: int = 0
    alarmed_at: float | None = None

    def add(self, block: OutcomeBlock, *, at: float) -> "SampleRatioCheck":
        """Take in the next block and look, at its end ``at``. A unit on a side it had no chance of is an alarm at once."""
        grown = replace(self, strata=merge_outcome_strata(self.strata, block.strata), impossible=self.impossible + block.impossible)
        limit = threshold(ALPHA_SAMPLE_RATIO)
        alarmed = grown.impossible > 0 or grown.log_e(least=limit) >= limit
        return replace(grown, alarmed_at=at) if alarmed and self.alarmed_at is None else grown

    def log_e(self, *, least: float = -inf) -> float:
        """``least`` as in `log_e_split`."""
        counts = [SplitCount(here.p, here.stable.assigned, here.candidate.assigned) for here in self.strata]
        return log_e_split(counts, least=least)

    def figures(self) -> SampleRatio:
        return SampleRatio(
            stable=sum(here.stable.assigned for here in self.strata),
            candidate=sum(here.candidate.assigned for here in self.strata),
            level=level(self.log_e(), alpha=ALPHA_SAMPLE_RATIO, reached_at=self.alarmed_at),
            alarm=self.alarmed_at is not None,
        )


NOTHING_DRAWN: Final = SampleRatioCheck()
