"""Where does a rollout stand, in words? What its step says, what it waits for, and whether that can be met. Decides nothing."""

from typing import Literal, assert_never

from changeover.gates.verdict import Assessment
from changeover.rollout.plan import (
    AnalysisStep,
    ApproveStep,
    PauseStep,
    Plan,
    PrepareStep,
    ShadowStep,
    Step,
    VerifyStep,
    WeightStep,
    percent,
    span,
)
from changeover.rollout.requirement import unmet, unmet_bake, unmet_still
from changeover.rollout.state import Phase, Progress, Rollout

Activity = Literal["preparing", "setting", "observing", "deciding", "waiting", "baking", "over"]


def activity(rollout: Rollout) -> Activity:
    """What goes on within its phase: setting (a weight that is not served everywhere yet), observing (an analysis or a timed
    pause), deciding (an approval is asked for), waiting (it is paused).
    """
    progress = rollout.progress
    if progress.phase.is_over:
        return "over"
    match progress.phase:
        case Phase.PAUSED:
            return "waiting"
        case Phase.BAKING:
            return "baking"
        case Phase.DRAFT | Phase.PROVISIONING | Phase.VERIFYING:
            return "preparing"
        case _:
            step = rollout.plan.steps[progress.step] if progress.step >= 0 else None
    if isinstance(step, WeightStep):
        return "setting"
    return "deciding" if isinstance(step, ApproveStep) else "observing"


def waits_for(rollout: Rollout, assessment: Assessment) -> tuple[str, ...]:
    """Why it does not go on, each reason with value, comparator and limit; empty where it will, or where it is over."""
    progress, plan = rollout.progress, rollout.plan
    if progress.phase.is_over or progress.step < 0:
        return ()
    if is_baking(progress):
        return unmet_bake(plan, progress, assessment)
    step = plan.steps[progress.step]
    match step:
        case AnalysisStep():
            return unmet(step, plan, progress, assessment)
        case ApproveStep(roles=roles):
            asked = () if progress.cleared else (f"0 approvals by {' or '.join(roles)}, needs >= 1",)
            return (*asked, *unmet_still(plan, progress, assessment))
        case PauseStep():
            return (*_pause_reasons(rollout, step, assessment), *unmet_still(plan, progress, assessment))
        case _:
            return ()


def step_words(step: Step) -> str:
    """A step as the file would say it: ``weight 10 %``, ``analysis: pass``."""
    match step:
        case WeightStep():
            return f"weight {percent(step.permille)}"
        case AnalysisStep():
            least = f", at least {step.duration_min_s:g} s" if step.duration_min_s else ""
            most = "" if step.duration_max_s is None else f", at most {step.duration_max_s:g} s"
            undecided = ", undecided rolls back" if step.on_undecided == "rollback" else ""
            return f"analysis: {step.require}{least}{most}{undecided}"
        case ApproveStep(roles=roles):
            return f"approval by {' or '.join(roles)}"
        case PauseStep(duration_s=duration_s):
            return "pause until resumed" if duration_s is None else f"pause {span(duration_s)}"
        case VerifyStep(gates=gates):
            return f"verify: {', '.join(gates)}"
        case ShadowStep():
            return f"shadow {percent(step.permille)}, {step.samples_min} copies"
        case PrepareStep():
            return "prepare"
        case _:
            assert_never(step)


def plan_words(plan: Plan, *, stable: str) -> tuple[str, ...]:
    """Every step, and the bake as the last; a weight of which some is held back says how much is served."""
    steps = tuple(_weight_words(plan, index) if isinstance(step, WeightStep) else step_words(step) for index, step in enumerate(plan.steps))
    bake = bake_words(plan, stable=stable)
    return (*steps, bake) if bake else steps


def is_baking(progress: Progress) -> bool:
    """Whether it stands in its bake, paused there or not."""
    return progress.phase is Phase.BAKING or (progress.phase is Phase.PAUSED and progress.paused_from is Phase.BAKING)


def bake_words(plan: Plan, *, stable: str) -> str:
    """What comes after the last weight; empty where promotion does."""
    bake = plan.bake
    if not bake.duration_s:
        return ""
    held = f", {percent(bake.holdback_permille)} stays on {stable}" if bake.holdback_permille else ""
    return f"bake {span(bake.duration_s)}{held}"


def _weight_words(plan: Plan, index: int) -> str:
    step = plan.steps[index]
    served = plan.served_permille(index)
    assert isinstance(step, WeightStep)
    if served == step.permille:
        return step_words(step)
    return f"{step_words(step)} ({percent(served)} served, {percent(step.permille - served)} held back)"


def _pause_reasons(rollout: Rollout, step: PauseStep, assessment: Assessment) -> tuple[str, ...]:
    progress = rollout.progress
    if progress.cleared or progress.finishing is not None:
        return ()
    if step.duration_s is None:
        return ("0 words to go on, needs >= 1 (changeover rollout resume)",)
    watched_s = max(assessment.closed_until - progress.step_entered_at, 0.0)
    return () if watched_s >= step.duration_s else (f"{watched_s:.0f} s watched at this step, needs >= {step.duration_s:.0f} s",)
