"""Which plan does a declared rollout mean? The steps of the file, or its strategy's, with bake, retention and deadline."""

from changeover.gates.criteria import Criteria, EvidenceRules
from changeover.rollout.plan import NO_BAKE, AnalysisStep, ApproveStep, Bake, Deadline, PauseStep, Plan, Step, WeightStep
from changeover.settings.dates import day_at
from changeover.settings.durations import seconds
from changeover.settings.shape_rollouts import AnalysisShape, BakeShape, DeadlineShape, RolloutShape, StepShape
from changeover.settings.strategies import steps_of


def plan_of(shape: RolloutShape, *, criteria: Criteria, evidence: EvidenceRules) -> Plan:
    """The plan, not yet judged."""
    return Plan(
        steps=steps_of(shape.strategy) if shape.steps is None else tuple(_step(step) for step in shape.steps),
        criteria=criteria,
        evidence=evidence,
        strategy=shape.strategy,
        bake=_bake(shape.bake),
        retain_s=None if shape.retain_old is None else seconds(shape.retain_old),
        deadline=None if shape.deadline is None else _deadline(shape.deadline),
    )


def _bake(shape: BakeShape | None) -> Bake:
    return NO_BAKE if shape is None else Bake(duration_s=seconds(shape.duration), holdback_permille=round(shape.holdback * 10))


def _deadline(shape: DeadlineShape) -> Deadline:
    return Deadline(at=day_at(shape.date) or 0.0, retires=shape.retires, reason=shape.reason)


def _step(shape: StepShape) -> Step:
    if shape.analysis is not None:
        return _analysis(shape.analysis)
    if shape.approve is not None:
        return ApproveStep(roles=tuple(dict.fromkeys(shape.approve.roles)))
    if shape.pause is not None:
        return PauseStep(duration_s=None if shape.pause.duration is None else seconds(shape.pause.duration))
    return WeightStep(permille=round((shape.weight or 0) * 10))


def _analysis(shape: AnalysisShape) -> AnalysisStep:
    return AnalysisStep(
        require=shape.require,
        duration_min_s=seconds(shape.min_duration) if shape.min_duration else 0.0,
        duration_max_s=seconds(shape.max_duration) if shape.max_duration else None,
        on_undecided=shape.on_undecided,
    )
