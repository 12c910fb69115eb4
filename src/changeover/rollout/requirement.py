"""Is a step's requirement met, and may a plan be started at all? Answers with every reason; decides no transition."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from changeover.gates.verdict import Assessment, Decision, SideFigures, Verdict
from changeover.rollout.plan import AnalysisStep, Plan, WeightStep, percent
from changeover.rollout.state import Progress
from changeover.traffic.table import WEIGHT_FULL_PERMILLE

MISSING_SHARE_MAX: Final = 0.05
"""``no_harm`` needs fewer outcomes missing than this, on either side."""

_CLOCK_GRAIN_S: Final = 1e-3
"""Unix seconds as floats are compared to a millisecond."""


def unmet(step: AnalysisStep, plan: Plan, progress: Progress, assessment: Assessment) -> tuple[str, ...]:
    """Why ``step`` is not met, each reason with value, comparator and limit; empty when it is met (rule I11)."""
    reasons = [*_dwell_reasons(step, plan, progress, assessment), *_alarm_reasons(assessment), *_trip_reasons(assessment)]
    gates = plan.gates
    if not gates:
        reasons.append("0 gates in the plan, needs >= 1")
    elif all(verdict.guard_only for verdict in assessment.verdicts if verdict.criterion in gates):
        reasons.append("0 verdicts of gates, needs >= 1")
    for gate in gates:
        reasons += _gate_reasons(step, gate, [verdict for verdict in assessment.verdicts if verdict.criterion == gate])
    return tuple(reasons)


def _dwell_reasons(step: AnalysisStep, plan: Plan, progress: Progress, assessment: Assessment) -> Iterator[str]:
    """The dwell counts closed blocks at the acknowledged weight. An assessment made before the weight was acknowledged
    cannot hold any, whatever it says of the weight before.
    """
    if progress.acknowledged_at is None:
        yield f"weight {percent(progress.permille)} is not acknowledged, needs every live data plane"
        return
    if assessment.blocks < plan.evidence.blocks_min:
        yield f"{assessment.blocks} closed blocks at this weight, needs >= {plan.evidence.blocks_min}"
    if not assessment.served_s >= step.duration_min_s:
        yield f"{assessment.served_s:.0f} s served at this weight, needs >= {step.duration_min_s:.0f} s"
    elapsed_s = assessment.closed_until - progress.acknowledged_at
    if not assessment.served_s <= max(elapsed_s, 0.0) + _CLOCK_GRAIN_S:
        yield (
            f"evidence of {assessment.served_s:.0f} s is older than this weight, "
            f"needs <= {max(elapsed_s, 0.0):.0f} s closed since it was acknowledged"
        )


def _alarm_reasons(assessment: Assessment) -> Iterator[str]:
    if assessment.refusal:
        yield f"{assessment.refusal}; needs evidence of one configuration"
    check = assessment.sample_ratio
    if check.alarm:
        yield f"sample-ratio alarm at log e {check.level.log_e:.3g}, needs < {check.level.threshold:.3g}"


def _trip_reasons(assessment: Assessment) -> Iterator[str]:
    if assessment.brake is not None:
        yield f"{assessment.brake.sentence}; needs no outage"
    yield from (f"{verdict.criterion} has tripped, needs 0 trips" for verdict in assessment.verdicts if verdict.tripped)


def _gate_reasons(step: AnalysisStep, gate: str, verdicts: list[Verdict]) -> Iterator[str]:
    """A verdict that only guards may roll back, which `_trip_reasons` knows; no step needs it."""
    if not verdicts:
        yield f"{gate} has 0 verdicts, needs >= 1"
    for verdict in verdicts:
        if verdict.guard_only:
            continue
        if verdict.problems:
            yield f"{gate} has {len(verdict.problems)} problems ({'; '.join(verdict.problems)}), needs 0"
        yield from _pass_reasons(verdict) if step.require == "pass" else _harmless_reasons(verdict)


def _pass_reasons(verdict: Verdict) -> Iterator[str]:
    if verdict.decision is not Decision.PASS:
        yield f"{verdict.criterion} is {verdict.decision}, needs = pass"


def _harmless_reasons(verdict: Verdict) -> Iterator[str]:
    if verdict.decision is Decision.FAIL:
        yield f"{verdict.criterion} is fail, needs = pass or undecided"
    elif verdict.decision is Decision.UNDECIDED and not verdict.able_to_trip:
        yield f"{verdict.criterion} is undecided and not able to trip, needs = pass or able to trip"
    for side, figures in (("stable", verdict.stable), ("candidate", verdict.candidate)):
        missing = _missing_share(figures)
        if not missing < MISSING_SHARE_MAX:
            yield f"{verdict.criterion}: {missing:.1%} missing on the {side}, needs < {MISSING_SHARE_MAX:.0%}"


def _missing_share(figures: SideFigures) -> float:
    """A side with no unit at all has shown nothing: all of it is missing."""
    units = figures.count + figures.missing
    return figures.missing / units if units > 0 else 1.0


class PlanFault(NamedTuple):
    """Why a plan may not be started: at which step (``None``: the plan as a whole), what was found and expected."""

    step: int | None
    found: str
    expected: str

    def __str__(self) -> str:
        where = "" if self.step is None else f"step {self.step + 1}: "
        return f"{where}found {self.found}; expected {self.expected}"


def plan_faults(plan: Plan) -> list[str]:
    """Every reason why ``plan`` may not be started, as sentences; empty when it may."""
    return [str(fault) for fault in step_faults(plan)]


def step_faults(plan: Plan) -> list[PlanFault]:
    """The same, each with the step that it is about."""
    faults = [] if plan.gates else [PlanFault(None, "no criterion with a source", "at least one, such as errors or quality with scores")]
    if not plan.steps:
        return [*faults, PlanFault(None, "no steps", "weights up to 100 with an analysis before each raise")]
    return [*faults, *_order_faults(plan), *_weight_faults(plan), *_last_faults(plan)]


def _order_faults(plan: Plan) -> Iterator[PlanFault]:
    if not isinstance(plan.steps[0], WeightStep):
        yield PlanFault(0, "an analysis first", "a weight first: without traffic there is nothing to analyse")
    for index, (before, step) in enumerate(pairwise(plan.steps), start=1):
        if isinstance(before, WeightStep) and isinstance(step, WeightStep):
            yield PlanFault(index, f"weight {percent(step.permille)} right after another weight", "an analysis between the two")


def _weight_faults(plan: Plan) -> Iterator[PlanFault]:
    highest = 0
    for index, step in enumerate(plan.steps):
        if not isinstance(step, WeightStep):
            continue
        if not 0 < step.permille <= WEIGHT_FULL_PERMILLE:
            yield PlanFault(index, f"weight {percent(step.permille)}", "a weight above 0 % and at most 100 %")
        elif step.permille <= highest:
            yield PlanFault(index, f"weight {percent(step.permille)} after {percent(highest)}", "weights that rise with every step")
        highest = max(highest, step.permille)


def _last_faults(plan: Plan) -> Iterator[PlanFault]:
    """Promotion needs every gate's pass right before all traffic moves (rule I2)."""
    last = len(plan.steps) - 1
    step = plan.steps[last]
    if not isinstance(step, WeightStep) or step.permille != WEIGHT_FULL_PERMILLE:
        yield PlanFault(last, "another last step", "weight 100 as the last step")
        return
    before = plan.steps[last - 1] if last else None
    if not isinstance(before, AnalysisStep) or before.require != "pass":
        yield PlanFault(max(last - 1, 0), "no proof before weight 100", "an analysis with require: pass right before weight 100")
