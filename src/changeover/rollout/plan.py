"""What a rollout intends: its steps, criteria and rules. Immutable once started."""

from typing import Final, Literal

import msgspec

from changeover.gates.criteria import Criteria, EvidenceRules
from changeover.gates.streams import gates_of
from changeover.traffic.table import WEIGHT_FULL_PERMILLE

Strategy = Literal["canary", "blue-green", "paired"]


class PrepareStep(msgspec.Struct, frozen=True, kw_only=True, tag="prepare", tag_field="step"):
    """Have the candidate's deployments made and tried, before it gets any traffic."""


class VerifyStep(msgspec.Struct, frozen=True, kw_only=True, tag="verify", tag_field="step"):
    """Have the candidate evaluated on data sets; every one of ``gates`` must pass. It gets no traffic meanwhile."""

    gates: tuple[str, ...]
    duration_max_s: float | None = None


class ShadowStep(msgspec.Struct, frozen=True, kw_only=True, tag="shadow", tag_field="step"):
    """Send copies of ``permille`` of the requests to the candidate, whose answers nobody gets, until there are
    ``samples_min``. Past ``cost_usd_max`` without them it pauses.
    """

    permille: int
    samples_min: int
    cost_usd_max: float | None = None


class WeightStep(msgspec.Struct, frozen=True, kw_only=True, tag="weight", tag_field="step"):
    """Give the candidate this share of the task's traffic, in tenths of a percent."""

    permille: int


class AnalysisStep(msgspec.Struct, frozen=True, kw_only=True, tag="analysis", tag_field="step"):
    """Stay until the evidence meets ``require``. Past ``duration_max_s`` at this step an undecided rollout does what
    ``on_undecided`` says.
    """

    require: Literal["no_harm", "pass"]
    duration_min_s: float = 0.0
    duration_max_s: float | None = None
    on_undecided: Literal["pause", "rollback"] = "pause"


class ApproveStep(msgspec.Struct, frozen=True, kw_only=True, tag="approve", tag_field="step"):
    """Stay until somebody who has one of ``roles`` approves."""

    roles: tuple[str, ...]


class PauseStep(msgspec.Struct, frozen=True, kw_only=True, tag="pause", tag_field="step"):
    """Stay until so many seconds have been watched, or, with ``None``, pause until somebody resumes."""

    duration_s: float | None = None


Step = PrepareStep | VerifyStep | ShadowStep | WeightStep | AnalysisStep | ApproveStep | PauseStep


class Bake(msgspec.Struct, frozen=True, kw_only=True):
    """How the last weight is served before the candidate is trusted: so many seconds, while ``holdback_permille`` stays on
    the old version as a control.
    """

    duration_s: float = 0.0
    holdback_permille: int = 0


NO_BAKE: Final = Bake()


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """A date from outside, such as a retirement. ``retires`` says which side is gone then, if one is."""

    at: float
    retires: Literal["stable", "candidate", "neither"] = "neither"
    reason: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Steps with what they are judged by. Its hash identifies the configuration of the tests.

    ``retain_s`` is how long after promotion the old version is kept as the way back, ``None`` for as long as it is declared.
    Before ``not_before_at`` no step is taken.
    """

    steps: tuple[Step, ...]
    criteria: Criteria
    evidence: EvidenceRules
    undecided_accepted: str = ""
    """Why it was started although the forecast said that it will hardly decide in time; empty where it did not."""
    strategy: Strategy = "canary"
    bake: Bake = NO_BAKE
    retain_s: float | None = None
    deadline: Deadline | None = None
    not_before_at: float | None = None

    @property
    def gates(self) -> tuple[str, ...]:
        """The criteria that are gates, by the names their verdicts carry: those that are asked and have a source."""
        return gates_of(self.criteria)

    @property
    def weights(self) -> tuple[WeightStep, ...]:
        return tuple(step for step in self.steps if isinstance(step, WeightStep))

    @property
    def verify_gates(self) -> tuple[str, ...]:
        """What evaluation has to prove, over all its steps."""
        return tuple(dict.fromkeys(gate for step in self.steps if isinstance(step, VerifyStep) for gate in step.gates))

    def served_permille(self, index: int) -> int:
        """What the candidate is served at the weight step ``index``: all but the holdback at a weight of 100 %."""
        step = self.steps[index]
        assert isinstance(step, WeightStep)
        if step.permille != WEIGHT_FULL_PERMILLE:
            return step.permille
        return WEIGHT_FULL_PERMILLE - self.bake.holdback_permille

    @property
    def permille_max(self) -> int:
        """The most that the candidate is served before it is promoted."""
        weights = [self.served_permille(index) for index, step in enumerate(self.steps) if isinstance(step, WeightStep)]
        return max(weights, default=0)


def percent(permille: int) -> str:
    """A weight as people write it: ``12.5 %``."""
    return f"{permille / 10:g} %"


_SPANS: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def span(seconds: float) -> str:
    """A length of time in the largest unit that leaves a whole number: ``7 d``, ``90 min``, ``45 s``."""
    for size, unit in _SPANS:
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
