"""What people are told about a rollout: the value, its limit, and the one command to go back. Sends nothing."""

from changeover.gates.verdict import Assessment, SampleRatio, Verdict
from changeover.rollout.plan import percent
from changeover.rollout.state import Command, Rollout


def started(rollout: Rollout) -> Command:
    weight = f"{rollout.candidate} gets {percent(rollout.progress.permille)} of {rollout.task}, at most {percent(_weight_max(rollout))}"
    return _alert(rollout, "started", f"{weight}; {rollout.stable} keeps the rest. {_way_back(rollout)}")


def paused(rollout: Rollout) -> Command:
    progress = rollout.progress
    weight = f"{rollout.candidate} stays at {percent(progress.permille)} of {rollout.task}, at most {percent(_weight_max(rollout))}"
    return _alert(rollout, "paused", f"{progress.reason}. {weight}. {_way_back(rollout)}")


def rolled_back(rollout: Rollout, *, from_permille: int) -> Command:
    weight = f"{rollout.candidate} went from {percent(from_permille)} to {percent(0)} of {rollout.task}; {rollout.stable} serves all of it"
    again = f"To allow another attempt: {release_command(rollout.task, rollout.candidate)}"
    return _alert(rollout, "rolled_back", f"{rollout.progress.reason}. {weight}. {again}")


def completed(rollout: Rollout) -> Command:
    gates = ", ".join(rollout.plan.gates)
    weight = f"{rollout.candidate} serves {percent(rollout.progress.permille)} of {rollout.task} and is its stable; passed: {gates}"
    return _alert(rollout, "completed", f"{weight}. {_way_back(rollout)}")


def undone(rollout: Rollout, reason: str) -> Command:
    """A promotion was taken back."""
    weight = f"{rollout.stable} is the stable of {rollout.task} again and serves all of it; {rollout.candidate} is blocked"
    again = f"To allow another attempt: {release_command(rollout.task, rollout.candidate)}"
    return _alert(rollout, "undone", f"{reason}. {weight}. {again}")


def harm_reasons(assessment: Assessment) -> list[str]:
    """Everything for which this assessment rolls back; empty when nothing does."""
    braked = [] if assessment.brake is None else [assessment.brake.sentence]
    return [*braked, *(trip_reason(verdict) for verdict in assessment.verdicts if verdict.tripped)]


def trip_reason(verdict: Verdict) -> str:
    """Why a tripped verdict rolls back: value, interval and limit."""
    value = "no estimate" if verdict.estimate is None else f"{verdict.estimate:.4g}"
    interval = "" if verdict.low is None or verdict.high is None else f" ({verdict.low:.4g} to {verdict.high:.4g})"
    return f"{verdict.criterion} tripped: {value}{interval}, limit {verdict.margin}. {verdict.sentence}".rstrip(". ")


def sample_ratio_reason(check: SampleRatio) -> str:
    counts = f"{check.stable} units on the stable, {check.candidate} on the candidate"
    return f"sample-ratio alarm: {counts} is not as drawn (log e {check.level.log_e:.3g}, limit {check.level.threshold:.3g})"


def refusal_reason(rollout: Rollout, refusal: str) -> str:
    """Why evidence cannot be judged any more, and how to begin anew."""
    anew = f"changeover rollback {rollout.task}, then {release_command(rollout.task, rollout.candidate)}, then {start_command(rollout)}"
    return f"{refusal}. Guardrails watch on with what comes from now on, nothing advances. A new attempt: {anew}"


def deadline_reason(waited_s: float, limit_s: float, reasons: tuple[str, ...]) -> str:
    return f"undecided at the deadline: {waited_s:.0f} s at this step, limit {limit_s:.0f} s; {'; '.join(reasons)}"


def start_command(rollout: Rollout) -> str:
    return f"changeover rollout start {rollout.task} --to {rollout.candidate}"


def release_command(task: str, candidate: str) -> str:
    return f"changeover rollout release {task} --to {candidate}"


def _way_back(rollout: Rollout) -> str:
    return f"To go back: changeover rollback {rollout.task}"


def _weight_max(rollout: Rollout) -> int:
    return max((step.permille for step in rollout.plan.weights), default=0)


def _alert(rollout: Rollout, topic: str, text: str) -> Command:
    return Command(kind="alert", subject=rollout.task, topic=topic, text=f"rollout {rollout.id} {topic.replace('_', ' ')}: {text}")
