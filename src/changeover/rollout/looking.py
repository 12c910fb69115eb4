"""What does a look at the evidence change? Harm first, then doubt about the evidence, then dates, then the step's requirement."""

import datetime as dt
from typing import Final

import msgspec

from changeover.gates.verdict import Assessment, Decision
from changeover.rollout import announcement, moves
from changeover.rollout.moves import Moved, next_step, present_step, with_progress
from changeover.rollout.plan import AnalysisStep, ApproveStep, PauseStep, VerifyStep
from changeover.rollout.record import Hold
from changeover.rollout.requirement import unmet, unmet_bake, unmet_still, unmet_verification
from changeover.rollout.state import Phase, Rollout

NO_REASON: Final = "no reason given"


def assess(rollout: Rollout, assessment: Assessment, now: float) -> Moved:
    """The rollout after a look at its own traffic. Guardrails act in every phase; nothing advances while paused."""
    harm = announcement.harm_reasons(assessment)
    if harm:
        return moves.roll_back(rollout, "; ".join(harm), now)
    rollout = _latch(rollout, assessment)
    if _is_past_deadline(rollout, now):
        return _at_deadline(rollout, now)
    if rollout.progress.phase is Phase.PAUSED:
        return rollout, ()
    doubt = _doubt(rollout, assessment)
    if doubt is not None:
        return moves.pause(rollout, *doubt)
    if rollout.progress.phase is Phase.BAKING:
        return _bake(rollout, assessment, now)
    return _go_on(rollout, assessment, now) if rollout.progress.phase is Phase.RUNNING else (rollout, ())


def verify(rollout: Rollout, assessment: Assessment, now: float) -> Moved:
    """The rollout after an evaluation. A proven loss ends it before anybody was served by the candidate."""
    step = present_step(rollout)
    if not isinstance(step, VerifyStep):
        return rollout, ()
    failed = [each for each in assessment.verdicts if each.criterion in step.gates and each.decision is Decision.FAIL]
    harm = announcement.harm_reasons(assessment) or [f"{each.criterion} failed in verification. {each.sentence}" for each in failed]
    if harm:
        return moves.roll_back(rollout, "; ".join(harm), now)
    reasons = unmet_verification(step, rollout.progress, assessment)
    if not reasons:
        verified = tuple(dict.fromkeys((*rollout.progress.verified, *step.gates)))
        proven = with_progress(rollout, msgspec.structs.replace(rollout.progress, verified=verified))
        return next_step(proven, f"verified: {', '.join(step.gates)}", now)
    waited_s = now - rollout.progress.step_entered_at
    if step.duration_max_s is None or waited_s <= step.duration_max_s:
        return rollout, ()
    return moves.pause(
        rollout, announcement.deadline_reason(waited_s, step.duration_max_s, reasons), _undecided(waited_s, step.duration_max_s)
    )


def _doubt(rollout: Rollout, assessment: Assessment) -> tuple[str, Hold] | None:
    """What accuses the evidence or the plumbing, not the candidate."""
    if assessment.refusal:
        hold = Hold(kind="configuration", value="evidence of another configuration", comparator="is not", limit="evidence of this one")
        return announcement.refusal_reason(rollout, assessment.refusal), hold
    check = assessment.sample_ratio
    if check.alarm:
        hold = Hold(kind="sample_ratio", value=f"log e {check.level.log_e:.3g}", comparator=">=", limit=f"{check.level.threshold:.3g}")
        return announcement.sample_ratio_reason(check), hold
    return None


def _go_on(rollout: Rollout, assessment: Assessment, now: float) -> Moved:
    step = present_step(rollout)
    match step:
        case AnalysisStep():
            return _analyse(rollout, step, assessment, now)
        case ApproveStep():
            return _leave(rollout, assessment, now, why=_approver(rollout)) if rollout.progress.cleared else (rollout, ())
        case PauseStep():
            is_over = rollout.progress.cleared or rollout.progress.finishing is not None or _has_watched(rollout, step, assessment)
            return _leave(rollout, assessment, now, why="the pause is over") if is_over else (rollout, ())
        case _:
            return rollout, ()


def _analyse(rollout: Rollout, step: AnalysisStep, assessment: Assessment, now: float) -> Moved:
    reasons = unmet(step, rollout.plan, rollout.progress, assessment)
    if not reasons:
        return next_step(rollout, _met_words(rollout, step, assessment), now)
    waited_s = now - rollout.progress.step_entered_at
    if step.duration_max_s is None or waited_s <= step.duration_max_s:
        return rollout, ()
    reason = announcement.deadline_reason(waited_s, step.duration_max_s, reasons)
    if step.on_undecided == "rollback":
        return moves.roll_back(rollout, reason, now)
    return moves.pause(rollout, reason, _undecided(waited_s, step.duration_max_s))


def _leave(rollout: Rollout, assessment: Assessment, now: float, *, why: str) -> Moved:
    """Past a step that waited, if what was proven at this weight holds still."""
    if unmet_still(rollout.plan, rollout.progress, assessment):
        return rollout, ()
    return next_step(rollout, "; ".join((why, *_overriding(rollout))), now)


def _bake(rollout: Rollout, assessment: Assessment, now: float) -> Moved:
    if unmet_bake(rollout.plan, rollout.progress, assessment):
        return rollout, ()
    why = f"baked for {assessment.served_s:.0f} s without harm"
    if rollout.progress.finishing is not None:
        why = f"finished by {rollout.progress.finishing.actor}: {rollout.progress.finishing.reason or NO_REASON}"
    return moves.complete(rollout, "; ".join((why, *_overriding(rollout))), now)


def _has_watched(rollout: Rollout, step: PauseStep, assessment: Assessment) -> bool:
    """Time that nobody has reported on is not counted: an outage of ours shortens no pause."""
    return step.duration_s is not None and assessment.closed_until - rollout.progress.step_entered_at >= step.duration_s


def _is_past_deadline(rollout: Rollout, now: float) -> bool:
    deadline = rollout.plan.deadline
    return deadline is not None and not rollout.progress.deadline_told and now >= deadline.at


def _at_deadline(rollout: Rollout, now: float) -> Moved:
    """Once. A stable that goes is no reason to stay on it: then people are told what to do, and the rollout goes on."""
    deadline = rollout.plan.deadline
    assert deadline is not None
    told = with_progress(rollout, msgspec.structs.replace(rollout.progress, deadline_told=True))
    day = dt.datetime.fromtimestamp(deadline.at, tz=dt.UTC).strftime("%Y-%m-%d")
    reason = announcement.date_reason(rollout, deadline, day)
    if not rollout.progress.permille:
        return moves.expire(told, reason, now)
    if deadline.retires == "stable" or rollout.progress.phase is Phase.PAUSED:
        return told, (announcement.date_passed(told, reason),)
    today = dt.datetime.fromtimestamp(now, tz=dt.UTC).strftime("%Y-%m-%d")
    after, commands = moves.pause(told, reason, Hold(kind="deadline", value=today, comparator=">=", limit=day))
    return after, (*commands, announcement.date_passed(after, reason))


def _latch(rollout: Rollout, assessment: Assessment) -> Rollout:
    """Remember which gates have passed. The latch widens a trip rule (``TripRule.ANY``) and is shown; it never meets a
    requirement, which always asks the present verdict (rule I11).
    """
    passed = set(rollout.progress.passed)
    passed |= {verdict.criterion for verdict in assessment.verdicts if verdict.decision is Decision.PASS and not verdict.problems}
    latched = tuple(sorted(passed & {*rollout.plan.gates, *rollout.progress.passed}))
    return with_progress(rollout, msgspec.structs.replace(rollout.progress, passed=latched))


def _undecided(waited_s: float, limit_s: float) -> Hold:
    return Hold(kind="undecided", value=f"{waited_s:.0f} s at this step", comparator=">", limit=f"{limit_s:.0f} s")


def _approver(rollout: Rollout) -> str:
    last = rollout.progress.approvals[-1]
    return f"approved by {last.actor} ({last.role})"


def _met_words(rollout: Rollout, step: AnalysisStep, assessment: Assessment) -> str:
    """The log says on whose word it went on, where it was somebody's, and whether the step would not have been met without."""
    progress, wish = rollout.progress, rollout.progress.finishing
    spoken = _overriding(rollout)
    if wish is not None:
        without = f" without {', '.join(wish.gates)}" if wish.gates else ""
        spoken.append(f"finished{without} by {wish.actor} ({wish.reason or NO_REASON})")
    unaided = msgspec.structs.replace(progress, overrides=(), finishing=None if wish is None else msgspec.structs.replace(wish, gates=()))
    if spoken and unmet(step, rollout.plan, unaided, assessment):
        return f"{step.require} is not met but {'; '.join(spoken)}"
    return "; ".join((f"{step.require} is met", *spoken))


def _overriding(rollout: Rollout) -> list[str]:
    """Who answered for what at the present step."""
    found = [each for each in rollout.progress.overrides if each.step == rollout.progress.step]
    return [f"overridden: {', '.join(each.gates)} by {each.actor} ({each.reason})" for each in found]
