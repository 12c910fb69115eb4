"""What a rollout intends: its steps, criteria and rules. Immutable once started."""

from typing import Literal

import msgspec

from changeover.gates.criteria import Criteria, EvidenceRules
from changeover.gates.streams import gates_of


class WeightStep(msgspec.Struct, frozen=True, kw_only=True, tag="weight", tag_field="step"):
    """Give the candidate this share of the task's traffic, in tenths of a percent."""

    permille: int


class AnalysisStep(msgspec.Struct, frozen=True, kw_only=True, tag="analysis", tag_field="step"):
    """Stay until the evidence meets ``require``. Past ``duration_max_s`` at this step an undecided rollout pauses."""

    require: Literal["no_harm", "pass"]
    duration_min_s: float = 0.0
    duration_max_s: float | None = None


Step = WeightStep | AnalysisStep


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Steps with what they are judged by. Its hash identifies the configuration of the tests."""

    steps: tuple[Step, ...]
    criteria: Criteria
    evidence: EvidenceRules
    undecided_accepted: str = ""
    """Why it was started although the forecast said that it will hardly decide in time; empty where it did not."""

    @property
    def gates(self) -> tuple[str, ...]:
        """The criteria that are gates, by the names their verdicts carry: those that are asked and have a source."""
        return gates_of(self.criteria)

    @property
    def weights(self) -> tuple[WeightStep, ...]:
        return tuple(step for step in self.steps if isinstance(step, WeightStep))


def percent(permille: int) -> str:
    """A weight as people write it: ``12.5 %``."""
    return f"{permille / 10:g} %"
