"""How would a file say what a declared rollout intends?"""

from typing import assert_never

from changeover.rollout.plan import (
    AnalysisStep,
    ApproveStep,
    Bake,
    Deadline,
    PauseStep,
    Plan,
    PrepareStep,
    ShadowStep,
    Step,
    VerifyStep,
    WeightStep,
)
from changeover.settings.dates import date_text
from changeover.settings.durations import duration_text

Entry = dict[str, object]


def plan_entry(plan: Plan) -> Entry:
    """Everything of a plan that stands under its rollout."""
    entry: Entry = {"strategy": plan.strategy, "steps": [_step(step) for step in plan.steps]}
    if plan.bake != Bake():
        entry["bake"] = {"duration": duration_text(plan.bake.duration_s), "holdback": _short(plan.bake.holdback_permille / 10)}
    if plan.retain_s is not None:
        entry["retain_old"] = duration_text(plan.retain_s)
    if plan.deadline is not None:
        entry["deadline"] = _deadline(plan.deadline)
    return entry


def _step(step: Step) -> Entry:
    match step:
        case WeightStep():
            return {"weight": _short(step.permille / 10)}
        case AnalysisStep():
            return {"analysis": _analysis(step)}
        case ApproveStep(roles=roles):
            return {"approve": {"roles": list(roles)}}
        case PauseStep(duration_s=duration_s):
            return {"pause": {} if duration_s is None else {"duration": duration_text(duration_s)}}
        case VerifyStep(gates=gates):
            return {"verify": {"gates": list(gates)}}
        case ShadowStep():
            cost = {} if step.cost_usd_max is None else {"max_cost_usd": _short(step.cost_usd_max)}
            return {"shadow": {"percent": _short(step.permille / 10), "min_samples": step.samples_min, **cost}}
        case PrepareStep():
            return {"prepare": {}}
        case _:
            assert_never(step)


def _analysis(step: AnalysisStep) -> Entry:
    entry: Entry = {"require": step.require}
    if step.duration_min_s:
        entry["min_duration"] = duration_text(step.duration_min_s)
    if step.duration_max_s is not None:
        entry["max_duration"] = duration_text(step.duration_max_s)
    if step.on_undecided != "pause":
        entry["on_undecided"] = step.on_undecided
    return entry


def _deadline(deadline: Deadline) -> Entry:
    entry: Entry = {"date": date_text(deadline.at), "retires": deadline.retires}
    return entry | ({"reason": deadline.reason} if deadline.reason else {})


def _short(number: float) -> float | int:
    """A whole number without its point."""
    return int(number) if float(number).is_integer() else number
