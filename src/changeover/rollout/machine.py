"""What happens next to a rollout? The only place where one moves: every transition is a case of ``advance``.

Fence: no other module sets a step, a phase or a weight. ``advance`` is pure and total. A final phase absorbs every
event; an event that means nothing where the rollout stands leaves it as it is, without a command; one event moves it by
at most one step; only ``RollBack``, a tripped verdict and the outage brake lower a weight, and only the entry into a
``WeightStep`` raises one, never while paused. Rules I1, I2, I6, I10 and I11 rest on this file.
"""

from typing import assert_never

import msgspec

from changeover.gates.verdict import Assessment, Decision
from changeover.rollout import announcement
from changeover.rollout.plan import AnalysisStep, WeightStep, percent
from changeover.rollout.requirement import plan_faults, unmet
from changeover.rollout.state import (
    Acknowledged,
    Assessed,
    Command,
    Event,
    Pause,
    Phase,
    Progress,
    Resume,
    RollBack,
    Rollout,
    Started,
)

Moved = tuple[Rollout, tuple[Command, ...]]


def advance(rollout: Rollout, event: Event, now: float) -> Moved:
    """The rollout after ``event`` at ``now`` (Unix seconds), and the side effects owed for it."""
    if rollout.progress.phase.is_final:
        return rollout, ()
    match event:
        case Started():
            return _start(rollout, now)
        case Acknowledged():
            return _acknowledge(rollout, now)
        case Assessed():
            return _assess(rollout, event.assessment, now)
        case RollBack():
            return _roll_back(rollout, event.reason, now)
        case Pause():
            return _pause(rollout, event.reason)
        case Resume():
            return _resume(rollout, now)
        case _:
            assert_never(event)


def unstarted(now: float) -> Progress:
    """The progress before ``Started``: no step taken, no weight. It is never committed."""
    return Progress(phase=Phase.RUNNING, step=-1, permille=0, weight_set_at=now, step_entered_at=now)


def _start(rollout: Rollout, now: float) -> Moved:
    if rollout.progress.step >= 0 or rollout.progress.phase is not Phase.RUNNING:
        return rollout, ()
    after, commands = _next_step(rollout, "started", now)
    return after, (*commands, announcement.started(after))


def _acknowledge(rollout: Rollout, now: float) -> Moved:
    """While paused only the fact is kept; ``Resume`` moves on. A later acknowledgement never makes the first one later."""
    if rollout.progress.step < 0:
        return rollout, ()
    if rollout.progress.acknowledged_at is None:
        rollout = _with(rollout, msgspec.structs.replace(rollout.progress, acknowledged_at=now))
    if rollout.progress.phase is Phase.PAUSED or not _stands_on_weight(rollout):
        return rollout, ()
    return _next_step(rollout, f"weight {percent(rollout.progress.permille)} is acknowledged", now)


def _assess(rollout: Rollout, assessment: Assessment, now: float) -> Moved:
    """Harm first, then doubt about the evidence and about the plumbing, then the requirement, then the deadline."""
    harm = announcement.harm_reasons(assessment)
    if harm:
        return _roll_back(rollout, "; ".join(harm), now)
    rollout = _latch(rollout, assessment)
    if rollout.progress.phase is Phase.PAUSED:
        return rollout, ()
    if assessment.refusal:
        return _pause(rollout, announcement.refusal_reason(rollout, assessment.refusal))
    if assessment.sample_ratio.alarm:
        return _pause(rollout, announcement.sample_ratio_reason(assessment.sample_ratio))
    return _analyse(rollout, assessment, now)


def _analyse(rollout: Rollout, assessment: Assessment, now: float) -> Moved:
    step = _present_step(rollout)
    if not isinstance(step, AnalysisStep):
        return rollout, ()
    reasons = unmet(step, rollout.plan, rollout.progress, assessment)
    if not reasons:
        return _next_step(rollout, f"{step.require} is met", now)
    waited_s = now - rollout.progress.step_entered_at
    if step.duration_max_s is not None and waited_s > step.duration_max_s:
        return _pause(rollout, announcement.deadline_reason(waited_s, step.duration_max_s, reasons))
    return rollout, ()


def _latch(rollout: Rollout, assessment: Assessment) -> Rollout:
    """Remember which gates have passed. The latch widens a trip rule (``TripRule.ANY``) and is shown; it never meets a
    requirement, which always asks the present verdict (rule I11).
    """
    passed = set(rollout.progress.passed)
    passed |= {verdict.criterion for verdict in assessment.verdicts if verdict.decision is Decision.PASS and not verdict.problems}
    latched = tuple(sorted(passed & {*rollout.plan.gates, *rollout.progress.passed}))
    return _with(rollout, msgspec.structs.replace(rollout.progress, passed=latched))


def _roll_back(rollout: Rollout, reason: str, now: float) -> Moved:
    progress = msgspec.structs.replace(
        rollout.progress,
        phase=Phase.ROLLED_BACK,
        permille=0,
        weight_set_at=now,
        acknowledged_at=None,
        reason=reason,
        finished_at=now,
    )
    after = _with(rollout, progress)
    return after, (_publish(after), announcement.rolled_back(after, from_permille=rollout.progress.permille))


def _pause(rollout: Rollout, reason: str) -> Moved:
    """The weight stays. A second pause keeps the first reason."""
    if rollout.progress.phase is Phase.PAUSED:
        return rollout, ()
    after = _with(rollout, msgspec.structs.replace(rollout.progress, phase=Phase.PAUSED, reason=reason))
    return after, (announcement.paused(after),)


def _resume(rollout: Rollout, now: float) -> Moved:
    """Go on where it stood; the deadline of an analysis starts anew, else an expired one would pause at once. A weight
    that was acknowledged during the pause is left behind in the same step, since no second acknowledgement may come.
    """
    if rollout.progress.phase is not Phase.PAUSED:
        return rollout, ()
    progress = msgspec.structs.replace(rollout.progress, phase=Phase.RUNNING, reason="resumed", step_entered_at=now)
    after = _with(rollout, progress)
    if _stands_on_weight(after) and progress.acknowledged_at is not None:
        return _next_step(after, "resumed", now)
    return after, ()


def _next_step(rollout: Rollout, why: str, now: float) -> Moved:
    index = rollout.progress.step + 1
    if index >= len(rollout.plan.steps):
        return _finish(rollout, why, now)
    match rollout.plan.steps[index]:
        case WeightStep(permille=permille):
            return _set_weight(rollout, permille, reason=f"{why}; weight {percent(permille)}", now=now)
        case AnalysisStep(require=require):
            progress = msgspec.structs.replace(rollout.progress, step=index, step_entered_at=now, reason=f"{why}; analysis {require}")
            return _with(rollout, progress), ()


def _set_weight(rollout: Rollout, permille: int, *, reason: str, now: float) -> Moved:
    progress = msgspec.structs.replace(
        rollout.progress,
        step=rollout.progress.step + 1,
        permille=permille,
        weight_set_at=now,
        step_entered_at=now,
        acknowledged_at=None,
        reason=reason,
    )
    after = _with(rollout, progress)
    return after, (_publish(after),)


def _finish(rollout: Rollout, why: str, now: float) -> Moved:
    """Promote. A plan that could promote without every gate's pass right before 100 % never does: it pauses."""
    faults = plan_faults(rollout.plan)
    if faults:
        return _pause(rollout, f"the plan may not promote: {'; '.join(faults)}")
    reason = f"{why}; {rollout.candidate} is the stable"
    after = _with(rollout, msgspec.structs.replace(rollout.progress, phase=Phase.COMPLETED, reason=reason, finished_at=now))
    return after, (_publish(after), announcement.completed(after))


def _present_step(rollout: Rollout) -> WeightStep | AnalysisStep | None:
    step = rollout.progress.step
    return rollout.plan.steps[step] if 0 <= step < len(rollout.plan.steps) else None


def _stands_on_weight(rollout: Rollout) -> bool:
    return isinstance(_present_step(rollout), WeightStep)


def _with(rollout: Rollout, progress: Progress) -> Rollout:
    return msgspec.structs.replace(rollout, progress=progress)


def _publish(rollout: Rollout) -> Command:
    return Command(kind="publish_table", subject=rollout.task)
