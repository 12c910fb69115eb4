"""How does a rollout move? Each function takes one that may move, and gives it moved with what is owed for it.

Whether it may is for ``rollout.machine`` to say. Together the two are the fence: no other module sets a step, a phase or a
weight. Only `_set_weight` raises one, and only `roll_back`, `supersede` and `expire` take it away.
"""

from typing import assert_never

import msgspec

from changeover.rollout import announcement
from changeover.rollout.plan import (
    AnalysisStep,
    ApproveStep,
    PauseStep,
    PrepareStep,
    ShadowStep,
    Step,
    VerifyStep,
    WeightStep,
    percent,
    span,
)
from changeover.rollout.plan_rules import plan_faults
from changeover.rollout.record import Hold
from changeover.rollout.state import Command, Phase, Progress, Rollout

Moved = tuple[Rollout, tuple[Command, ...]]


def next_step(rollout: Rollout, why: str, now: float) -> Moved:
    """One step on; past the last one the bake begins, or, without one, the candidate is trusted."""
    index = rollout.progress.step + 1
    if index >= len(rollout.plan.steps):
        return _past_last(rollout, why, now)
    step = rollout.plan.steps[index]
    match step:
        case WeightStep():
            return _set_weight(rollout, why=why, now=now)
        case AnalysisStep(require=require):
            return _enter(rollout, f"{why}; analysis {require}", now), ()
        case ApproveStep(roles=roles):
            after = _enter(rollout, f"{why}; waits for the approval of {' or '.join(roles)}", now)
            return after, (announcement.awaits_approval(after, roles),)
        case PauseStep():
            return _enter_pause(rollout, step, why, now)
        case VerifyStep() | ShadowStep():
            return _enter(rollout, f"{why}; {step_words(step)}", now, phase=Phase.VERIFYING), ()
        case PrepareStep():
            return _enter(rollout, f"{why}; {step_words(step)}", now, phase=Phase.PROVISIONING), ()
        case _:
            assert_never(step)


def roll_back(rollout: Rollout, reason: str, now: float) -> Moved:
    """Out of the table in this very revision; data planes then say when they know."""
    before = rollout.progress
    progress = msgspec.structs.replace(
        before,
        phase=Phase.ROLLING_BACK,
        permille=0,
        weight_set_at=now,
        acknowledged_at=None,
        reason=reason,
        finished_at=before.finished_at if before.phase.is_promoted else now,
        hold=None,
        was_promoted=before.phase.is_promoted,
    )
    after = with_progress(rollout, progress)
    told = (
        announcement.undone(rollout, reason) if before.phase.is_promoted else announcement.rolled_back(after, from_permille=before.permille)
    )
    return after, (publish(after), told)


def rolled_back(rollout: Rollout, now: float) -> Moved:
    """Every live data plane serves without the candidate. Why it was rolled back stays its reason."""
    return with_progress(rollout, msgspec.structs.replace(rollout.progress, phase=Phase.ROLLED_BACK, acknowledged_at=now)), ()


def pause(rollout: Rollout, reason: str, hold: Hold) -> Moved:
    """The weight stays. A second pause keeps the first reason. A wish to finish ends with it: it was for what one saw then."""
    before = rollout.progress
    if before.phase is Phase.PAUSED:
        return rollout, ()
    progress = msgspec.structs.replace(before, phase=Phase.PAUSED, reason=reason, hold=hold, paused_from=before.phase, finishing=None)
    after = with_progress(rollout, progress)
    return after, (announcement.paused(after),)


def resumed(rollout: Rollout, now: float) -> Rollout:
    """Where it stood, its clock begun anew: else an expired deadline would pause it at once. A pause that is a step of the
    plan is over with it.
    """
    before = rollout.progress
    is_step = before.hold is not None and before.hold.kind == "step"
    progress = msgspec.structs.replace(
        before,
        phase=before.paused_from,
        reason=f"resumed{_goes_on_with(rollout)}",
        step_entered_at=now,
        hold=None,
        paused_from=Phase.RUNNING,
        cleared=before.cleared or is_step,
    )
    return with_progress(rollout, progress)


def complete(rollout: Rollout, why: str, now: float) -> Moved:
    """Trust the candidate. A plan that could promote without proof right before 100 % never does: it pauses."""
    faults = plan_faults(rollout.plan)
    if faults:
        many = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        hold = Hold(kind="plan", value=f"{many} of the plan", comparator=">", limit="0")
        return pause(rollout, f"the plan may not promote: {'; '.join(faults)}", hold)
    reason = f"{why}; {rollout.candidate} is the stable"
    progress = msgspec.structs.replace(rollout.progress, phase=Phase.COMPLETED, reason=reason, finished_at=now, cleared=False)
    after = with_progress(rollout, progress)
    return after, (publish(after), announcement.completed(after))


def retire(rollout: Rollout, now: float) -> Moved:
    """The old version has been kept as long as was asked."""
    kept_s = now - (rollout.progress.finished_at or now)
    reason = f"{rollout.stable} was kept {span(kept_s)}, needs >= {span(rollout.plan.retain_s or 0.0)}; waits for every data plane"
    progress = msgspec.structs.replace(rollout.progress, phase=Phase.RETIRING, reason=reason)
    return with_progress(rollout, progress), ()


def retired(rollout: Rollout, why: str) -> Moved:
    """Nobody serves from a table of before the promotion any more: the old version may go, and is no way back."""
    after = with_progress(rollout, msgspec.structs.replace(rollout.progress, phase=Phase.RETIRED, reason=why))
    return after, (announcement.retired(after),)


def supersede(rollout: Rollout, by: str, now: float) -> Moved:
    """Another attempt takes its place in the same revision."""
    after = _ended(rollout, Phase.SUPERSEDED, f"superseded by {by}", now)
    return after, (publish(after),)


def expire(rollout: Rollout, reason: str, now: float) -> Moved:
    """Its date passed before the candidate had any traffic."""
    after = _ended(rollout, Phase.EXPIRED, reason, now)
    return after, (publish(after), announcement.expired(after))


def present_step(rollout: Rollout) -> Step | None:
    """The step it stands on; ``None`` before the first."""
    step = rollout.progress.step
    return rollout.plan.steps[step] if 0 <= step < len(rollout.plan.steps) else None


def step_words(step: PrepareStep | VerifyStep | ShadowStep) -> str:
    match step:
        case PrepareStep():
            return "prepares the candidate"
        case VerifyStep(gates=gates):
            return f"verifies {', '.join(gates)}"
        case ShadowStep(permille=permille):
            return f"shadows {percent(permille)}"


def with_progress(rollout: Rollout, progress: Progress) -> Rollout:
    return msgspec.structs.replace(rollout, progress=progress)


def publish(rollout: Rollout) -> Command:
    return Command(kind="publish_table", subject=rollout.task)


def _set_weight(rollout: Rollout, *, why: str, now: float) -> Moved:
    before, index = rollout.progress, rollout.progress.step + 1
    permille = rollout.plan.served_permille(index)
    progress = msgspec.structs.replace(
        before,
        phase=Phase.RUNNING,
        step=index,
        permille=permille,
        weight_set_at=now,
        step_entered_at=now,
        acknowledged_at=None,
        cleared=False,
        reason=f"{why}; weight {percent(permille)}",
    )
    after = with_progress(rollout, progress)
    told = (announcement.step_taken(after, from_permille=before.permille),) if before.permille else ()
    return after, (publish(after), *told)


def _enter(rollout: Rollout, reason: str, now: float, *, phase: Phase = Phase.RUNNING) -> Rollout:
    """The next step, of a kind that leaves the weight alone."""
    before = rollout.progress
    return with_progress(
        rollout, msgspec.structs.replace(before, phase=phase, step=before.step + 1, step_entered_at=now, reason=reason, cleared=False)
    )


def _enter_pause(rollout: Rollout, step: PauseStep, why: str, now: float) -> Moved:
    """Who finishes now waits for no pause."""
    if step.duration_s is not None or rollout.progress.finishing is not None:
        asked = "passes over the pause" if rollout.progress.finishing is not None else f"watches for {span(step.duration_s or 0.0)}"
        return _enter(rollout, f"{why}; {asked}", now), ()
    after = _enter(rollout, why, now)
    hold = Hold(kind="step", value="0 words to go on", comparator="<", limit="1 (changeover rollout resume)")
    return pause(after, f"{why}; the plan pauses here until somebody resumes", hold)


def _goes_on_with(rollout: Rollout) -> str:
    """What is ahead where it stands, so that its reason tells that it was resumed no longer than that is news."""
    progress, step = rollout.progress, present_step(rollout)
    if progress.paused_from is Phase.BAKING:
        return f"; bakes for {span(rollout.plan.bake.duration_s)}"
    match step:
        case AnalysisStep(require=require):
            return f"; analysis {require}"
        case ApproveStep(roles=roles) if not progress.cleared:
            return f"; waits for the approval of {' or '.join(roles)}"
        case WeightStep():
            return f"; weight {percent(progress.permille)}"
        case VerifyStep() | ShadowStep() | PrepareStep():
            return f"; {step_words(step)}"
        case _:
            return ""


def _past_last(rollout: Rollout, why: str, now: float) -> Moved:
    bake = rollout.plan.bake
    if not bake.duration_s:
        return complete(rollout, why, now)
    held = f", {percent(bake.holdback_permille)} stays on {rollout.stable}" if bake.holdback_permille else ""
    reason = f"{why}; bakes for {span(bake.duration_s)}{held}"
    progress = msgspec.structs.replace(rollout.progress, phase=Phase.BAKING, step_entered_at=now, reason=reason, cleared=False)
    after = with_progress(rollout, progress)
    return after, (announcement.baking(after),)


def _ended(rollout: Rollout, phase: Phase, reason: str, now: float) -> Rollout:
    progress = msgspec.structs.replace(
        rollout.progress,
        phase=phase,
        permille=0,
        weight_set_at=now,
        acknowledged_at=None,
        reason=reason,
        finished_at=now,
        hold=None,
    )
    return with_progress(rollout, progress)
