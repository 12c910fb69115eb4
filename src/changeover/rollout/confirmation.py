"""What did a person's word do to a rollout? Says what was taken down, and what it waits for still. Decides nothing."""

from changeover.gates.verdict import Assessment
from changeover.rollout.moves import present_step
from changeover.rollout.plan import WeightStep, percent
from changeover.rollout.record import Finishing, Override
from changeover.rollout.standing import waits_for
from changeover.rollout.state import Phase, Rollout


def approved(rollout: Rollout, assessment: Assessment) -> str:
    """Where it went on at once, its reason says by whom it was approved, and where it is."""
    progress = rollout.progress
    if not progress.cleared or not progress.approvals:
        return progress.reason
    last = progress.approvals[-1]
    return f"approved by {last.actor} ({last.role}); {_next(rollout, assessment, held='still held by')}"


def overridden(rollout: Rollout, assessment: Assessment) -> str:
    named = rollout.progress.overrides[-1].gates if rollout.progress.overrides else ()
    return f"overridden: {', '.join(named)}; {_next(rollout, assessment, held='still held by')}"


def promoted(rollout: Rollout, assessment: Assessment) -> str:
    """Ordered, which is not done: every weight on the way is served first."""
    wish = rollout.progress.finishing
    without = "" if wish is None or not wish.gates else f" without {', '.join(wish.gates)}"
    return f"promotion ordered{without}; {_next(rollout, assessment, held='waits for')}"


def resumed(rollout: Rollout, assessment: Assessment) -> str:
    return f"resumed; {_next(rollout, assessment, held='waits for')}"


def standing_words(rollout: Rollout) -> tuple[str, ...]:
    """What people said that holds where it stands: overrides of this step, and an order to finish."""
    progress = rollout.progress
    if progress.phase.is_over and progress.phase is not Phase.RETIRING:
        return ()
    said = [_override_words(each) for each in progress.overrides if each.step == progress.step]
    return (*said, *(() if progress.finishing is None else (_finishing_words(progress.finishing),)))


def _next(rollout: Rollout, assessment: Assessment, *, held: str) -> str:
    progress = rollout.progress
    if progress.phase is Phase.PAUSED:
        return f"paused: goes on once resumed (changeover rollout resume {rollout.task})"
    if progress.phase is Phase.RUNNING and isinstance(present_step(rollout), WeightStep):
        return f"waits until every data plane serves {percent(progress.permille)}"
    reasons = waits_for(rollout, assessment)
    return f"{held}: {'; '.join(reasons)}" if reasons else "goes on with the next look"


def _override_words(override: Override) -> str:
    return f"overridden at this step: {', '.join(override.gates)} by {override.actor} ({override.reason})"


def _finishing_words(wish: Finishing) -> str:
    without = f" without {', '.join(wish.gates)}" if wish.gates else ""
    return f"promotion ordered{without} by {wish.actor} ({wish.reason or 'no reason given'})"
