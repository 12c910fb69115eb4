"""What people are told about a rollout: the value, its limit, and the one command to go back. Sends nothing."""

import msgspec

from changeover.gates.verdict import Assessment, SampleRatio, Verdict
from changeover.rollout.plan import Deadline, percent
from changeover.rollout.state import Command, Rollout
from changeover.traffic.table import WEIGHT_FULL_PERMILLE


def started(rollout: Rollout) -> Command:
    weight = f"{rollout.candidate} gets {percent(rollout.progress.permille)} of {rollout.task}, at most {percent(_weight_max(rollout))}"
    return _alert(rollout, "started", f"{weight}; {rollout.stable} keeps the rest. {_way_back(rollout)}")


def paused(rollout: Rollout) -> Command:
    progress = rollout.progress
    weight = f"{rollout.candidate} stays at {percent(progress.permille)} of {rollout.task}, at most {percent(_weight_max(rollout))}"
    held = "" if progress.hold is None or progress.hold.sentence in progress.reason else f" ({progress.hold.sentence})"
    told = _alert(rollout, "paused", f"{progress.reason}{held}. {weight}. {_way_back(rollout)}")
    undecided = progress.hold is not None and progress.hold.kind == "undecided"
    return msgspec.structs.replace(told, topic="undecided") if undecided else told


def step_taken(rollout: Rollout, *, from_permille: int) -> Command:
    """The weight was raised, which nobody asked for at this moment."""
    progress = rollout.progress
    weight = f"{rollout.candidate} went from {percent(from_permille)} to {percent(progress.permille)} of {rollout.task}"
    return _alert(rollout, "step", f"{progress.reason}. {weight}, at most {percent(_weight_max(rollout))}. {_way_back(rollout)}")


def awaits_approval(rollout: Rollout, roles: tuple[str, ...]) -> Command:
    go_on = f"To approve, as {' or '.join(roles)}: changeover rollout approve {rollout.task}"
    return _alert(rollout, "approval", f"{rollout.progress.reason}. {go_on}. {_way_back(rollout)}")


def baking(rollout: Rollout) -> Command:
    """The last weight is served; the candidate is not trusted yet."""
    return _alert(rollout, "baking", f"{rollout.progress.reason}. {_way_back(rollout)}")


def retired(rollout: Rollout) -> Command:
    gone = f"{rollout.stable} is no way back of {rollout.task} any more"
    return _alert(rollout, "retired", f"{rollout.progress.reason}. {gone}")


def expired(rollout: Rollout) -> Command:
    return _alert(rollout, "expired", f"{rollout.progress.reason}. {rollout.candidate} had no traffic of {rollout.task}")


def date_passed(rollout: Rollout, reason: str) -> Command:
    return _alert(rollout, "retirement", f"{reason}. {_way_back(rollout)}")


def rolled_back(rollout: Rollout, *, from_permille: int) -> Command:
    weight = f"{rollout.candidate} went from {percent(from_permille)} to {percent(0)} of {rollout.task}; {rollout.stable} serves all of it"
    again = f"To allow another attempt: {release_command(rollout.task, rollout.candidate)}"
    return _alert(rollout, "rolled_back", f"{rollout.progress.reason}. {weight}. {again}")


def completed(rollout: Rollout) -> Command:
    gates = _proof_words(rollout)
    weight = f"{rollout.candidate} serves {percent(WEIGHT_FULL_PERMILLE)} of {rollout.task} and is its stable; {gates}"
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
    anew = f"changeover rollout retry {rollout.task}"
    return f"{refusal}. Guardrails watch on with what comes from now on, nothing advances. A new attempt: {anew}"


def deadline_reason(waited_s: float, limit_s: float, reasons: tuple[str, ...]) -> str:
    return f"undecided at the deadline: {waited_s:.0f} s at this step, limit {limit_s:.0f} s; {'; '.join(reasons)}"


def date_reason(rollout: Rollout, deadline: Deadline, day: str) -> str:
    """What has passed, and what to do about it: a date decides nothing by itself."""
    why = f" ({deadline.reason})" if deadline.reason else ""
    passed = f"{day} has passed{why}"
    match deadline.retires:
        case "stable":
            on = f"go on with {rollout.candidate}: changeover rollout promote {rollout.task}"
            return f"{passed}: the stable {rollout.stable} retires. To {on}; or give the task another stable: changeover apply --stable"
        case "candidate":
            return f"{passed}: the candidate {rollout.candidate} retires; it is no version to go to"
        case "neither":
            return f"{passed}, and the rollout is not through"


def release_command(task: str, candidate: str) -> str:
    return f"changeover rollout release {task} --to {candidate}"


def _proof_words(rollout: Rollout) -> str:
    """What was proven, and what somebody answered for instead."""
    progress = rollout.progress
    passed = ", ".join(gate for gate in rollout.plan.gates if gate in progress.passed) or "none"
    verified = f"; verified: {', '.join(progress.verified)}" if progress.verified else ""
    spoken = [f"{', '.join(each.gates)} by {each.actor}" for each in (*progress.overrides, progress.finishing) if each and each.gates]
    overridden = f"; overridden: {', '.join(spoken)}" if spoken else ""
    return f"passed: {passed}{verified}{overridden}"


def _way_back(rollout: Rollout) -> str:
    return f"To go back: changeover rollback {rollout.task}"


def _weight_max(rollout: Rollout) -> int:
    return rollout.plan.permille_max


def _alert(rollout: Rollout, topic: str, text: str) -> Command:
    return Command(kind="alert", subject=rollout.task, topic=topic, text=f"rollout {rollout.id} {topic.replace('_', ' ')}: {text}")
