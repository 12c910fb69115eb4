"""The rules that must hold in every small world, each under its name, written apart from the code that they are about."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from changeover.rollout.commands import NothingToDo, Refusal
from changeover.rollout.plan import WeightStep
from changeover.rollout.state import Command, Phase, Progress, Rollout
from changeover.rollout.world import World, routing_table
from changeover.traffic.table import table_faults
from tests.model.subject import CANDIDATE, DWELL_TICKS, LAST_STEP, NOW, PROOF_STEP, TASK, TICK_S

DEAD: Final = (Phase.ROLLING_BACK, Phase.ROLLED_BACK)
TOLD: Final = {
    Phase.PAUSED: ("paused", "undecided"),
    Phase.BAKING: ("baking",),
    Phase.COMPLETED: ("completed",),
    Phase.ROLLING_BACK: ("rolled_back", "undone"),
    Phase.RETIRED: ("retired",),
}
"""What people hear about each of these states, in the commit that makes it."""


class Deed(NamedTuple):
    """What somebody does to a world. ``served`` and ``ago`` are of a look at the evidence, in ticks; ``silent`` names data planes."""

    kind: str
    rollout: str = ""
    finding: str = ""
    served: int = 0
    ago: int = 0
    silent: tuple[str, ...] = ()
    is_fresh: bool = True

    def __str__(self) -> str:
        look = f" {self.finding}, {self.served} blocks, {self.ago} ticks old" if self.finding else ""
        without = f" but {', '.join(self.silent)}" if self.silent else ""
        return f"{self.kind}{look}{without}{'' if self.is_fresh else ', decided on an older revision'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One commit."""

    before: World
    after: World
    deed: Deed
    commands: tuple[Command, ...]


def rolled_back_stays_out(step: Step) -> str:
    """I1: nothing puts a candidate back whose attempt was rolled back."""
    for name, old in step.before.rollouts.items():
        new = step.after.rollouts[name].progress
        if old.progress.phase in DEAD and (new.phase not in DEAD or new.permille):
            return f"{name} was {old.progress.phase} and is {new.phase} at {new.permille} permille"
        if old.progress.phase in DEAD and step.after.tasks[TASK].rollout == name:
            return f"{name} was {old.progress.phase} and is the task's active rollout again"
    return ""


def out_in_the_same_revision(step: Step) -> str:
    """I1: the commit of a rollback takes the candidate out of the table."""
    for name, old, new in _changed(step):
        route = routing_table(step.after).routes[TASK]
        if new.progress.phase is Phase.ROLLING_BACK and (route.candidate, route.candidate_permille, route.stable) != (None, 0, old.stable):
            return f"{name} is rolled back and the table still gives {route.candidate_permille} permille to {route.candidate}"
    return ""


def commands_meet_their_revision(step: Step) -> str:
    """Whatever people decided on an older revision is refused, but for rolling back."""
    if not step.deed.is_fresh and step.deed.kind != "roll back":
        return f"{step.deed.kind} was decided on an older revision and took effect"
    return ""


def one_step_on_its_own_evidence(step: Step) -> str:
    """I2."""
    for name, old, new in _changed(step):
        taken = new.progress.step - old.progress.step
        if taken not in (0, 1):
            return f"{name} moved by {taken} steps at once"
        if taken and not _may_step(old, step.deed):
            return f"{name} left step {old.progress.step + 1} by {step.deed}"
    return ""


def promoted_by_proof_alone(step: Step) -> str:
    """The candidate is trusted at the end of its bake, whose weight was reached by a pass or an override, and in no other way."""
    for name, old, new in _changed(step):
        if new.progress.phase is not Phase.COMPLETED or old.progress.phase is Phase.COMPLETED:
            continue
        is_end = old.progress.phase is Phase.BAKING and old.progress.step == LAST_STEP and step.deed.kind == "assessed"
        if not is_end or not _is_of_this_weight(old.progress, step.deed) or not _is_baked(old.progress, step.deed):
            return f"{name} was promoted from {old.progress.phase} by {step.deed}"
    before, after = step.before.tasks[TASK].stable, step.after.tasks[TASK].stable
    by = {new.progress.phase for _, _, new in _changed(step)}
    return f"the stable went from {before} to {after}" if before != after and not by & {Phase.COMPLETED, Phase.ROLLING_BACK} else ""


def doubt_never_passes(step: Step) -> str:
    """I11: undecided, unfit or harmful evidence moves nothing forward, unless somebody answers for the gate; harm and alarms never."""
    for name, old, new in _changed(step):
        forward = new.progress.step > old.progress.step or (new.progress.phase is Phase.COMPLETED and old.progress.phase is Phase.BAKING)
        waived = "errors" in _waived(old.progress)
        fine = {"pass", *(("undecided", "broken", "fail") if waived else ()), *(("undecided",) if old.progress.step == LAST_STEP else ())}
        if forward and step.deed.finding and step.deed.finding not in fine:
            return f"{name} went on although the evidence says {step.deed.finding}"
    return ""


def pausing_raises_nothing(step: Step) -> str:
    """I10."""
    for name, old, new in _changed(step):
        paused = Phase.PAUSED in (old.progress.phase, new.progress.phase)
        if paused and new.progress.permille > old.progress.permille:
            return f"{name} went from {old.progress.permille} to {new.progress.permille} permille by a pause"
        if old.progress.phase is Phase.PAUSED and new.progress.step > old.progress.step and step.deed.kind != "resume":
            return f"{name} advanced while it was paused, by {step.deed}"
    return ""


def begins_at_the_beginning(step: Step) -> str:
    """A new attempt has a new number, the first step's weight at most, and no evidence."""
    for name, new in step.after.rollouts.items():
        if name in step.before.rollouts:
            continue
        progress, first = new.progress, step.before.tasks[TASK].attempts + 1
        if new.attempt != first or progress.step > 0 or progress.permille > 100 or progress.passed or progress.acknowledged_at is not None:
            return f"{name} begins as attempt {new.attempt} at step {progress.step + 1} with {progress.permille} permille"
    return ""


def blocked_stays_blocked(step: Step) -> str:
    """A pair that was rolled back is blocked until somebody releases it, and not started meanwhile."""
    before, after = step.before.tasks[TASK], step.after.tasks[TASK]
    if set(before.blocked) - set(after.blocked) and step.deed.kind != "release":
        return f"{step.deed} released a pair"
    started = [name for name in step.after.rollouts if name not in step.before.rollouts]
    return f"{started[0]} was started although its pair is blocked" if started and (before.stable, CANDIDATE) in before.blocked else ""


def people_are_told(step: Step) -> str:
    """I13: what a change owes is committed with it: the alert of its state, and the table where that moved."""
    topics = {command.topic for command in step.commands if command.kind == "alert"}
    for name, old, new in _changed(step):
        wanted = () if step.deed.kind == "resume" else TOLD.get(new.progress.phase, ())
        if old.progress.phase is not new.progress.phase and wanted and not topics & {*wanted}:
            return f"{name} is {new.progress.phase} and nobody is told: {topics or 'no alert'}"
    moved = routing_table(step.after).routes != routing_table(step.before).routes
    is_owed = any(command.kind == "publish_table" for command in step.commands)
    return "" if is_owed or not moved else "the table moved and its publication is not owed"


def retires_when_all_know(step: Step) -> str:
    """I8: the old version is given up only when its time is over and every data plane, or somebody, says so."""
    for name, old, new in _changed(step):
        if new.progress.phase is Phase.RETIRED and old.progress.phase is not Phase.RETIRING:
            return f"{name} is retired from {old.progress.phase}"
        if new.progress.phase is Phase.RETIRED and step.deed.silent and "data-planes" not in _waived(old.progress):
            return f"{name} is retired without {', '.join(step.deed.silent)}"
    return ""


STEP_RULES: Final[dict[str, Callable[[Step], str]]] = {
    "I1 rolled back stays out": rolled_back_stays_out,
    "I1 out in the same revision": out_in_the_same_revision,
    "commands meet their revision": commands_meet_their_revision,
    "I2 one step on its own evidence": one_step_on_its_own_evidence,
    "I2 promoted by proof alone": promoted_by_proof_alone,
    "I11 doubt never passes": doubt_never_passes,
    "I10 pausing raises nothing": pausing_raises_nothing,
    "I1 begins at the beginning": begins_at_the_beginning,
    "I1 blocked stays blocked": blocked_stays_blocked,
    "I13 people are told": people_are_told,
    "I8 retires when all know": retires_when_all_know,
}


def weights_sum_to_100(world: World) -> str:
    """I4: what the table gives is what was decided, to declared deployments, and the stable has the rest."""
    table = routing_table(world)
    route, active = table.routes[TASK], world.tasks[TASK].rollout
    faults = table_faults(table)
    if faults:
        return "; ".join(faults)
    if active is not None and route.candidate_permille != world.rollouts[active].progress.permille:
        return f"{active} has {world.rollouts[active].progress.permille} permille, the table {route.candidate_permille}"
    return ""


def one_active_rollout(world: World) -> str:
    """I6."""
    task = world.tasks[TASK]
    active = [name for name, each in world.rollouts.items() if not each.progress.phase.is_over]
    if active != ([task.rollout] if task.rollout else []):
        return f"the task's rollout is {task.rollout}, active are {active}"
    return f"a split was set by hand while {task.rollout} is active" if task.rollout and task.split else ""


def ended_attempts_have_nothing(world: World) -> str:
    """I1: in the table as it is now."""
    route = routing_table(world).routes[TASK]
    ended = [name for name, each in world.rollouts.items() if each.progress.phase.is_over and each.salt == route.salt]
    return f"{ended[0]} is over and has {route.candidate_permille} permille" if ended and route.candidate_permille else ""


WORLD_RULES: Final[dict[str, Callable[[World], str]]] = {
    "I4 weights sum to 100": weights_sum_to_100,
    "I6 one active rollout": one_active_rollout,
    "I1 ended attempts have nothing": ended_attempts_have_nothing,
}


def way_back_is_open(world: World, roll_back: Callable[[World], World], further: Callable[[World], World]) -> str:
    """I1: wherever a candidate has traffic, or was promoted and the old one is kept, rolling back works, at once; behind a
    later attempt that has ended, ``further``.
    """
    route, stable = routing_table(world).routes[TASK], world.tasks[TASK].stable
    promoted = [each for each in world.rollouts.values() if each.progress.phase.is_promoted and each.candidate == stable]
    if route.candidate is None and not promoted:
        return ""
    try:
        is_behind = route.candidate is None and world.tasks[TASK].attempts > promoted[-1].attempt
        after = routing_table(further(world) if is_behind else roll_back(world)).routes[TASK]
    except (NothingToDo, Refusal) as refusal:
        return f"rolling back was refused: {refusal}"
    wanted = stable if route.candidate is not None else promoted[-1].stable
    return "" if (after.candidate, after.stable) == (None, wanted) else f"after rolling back {after.candidate} and {after.stable} serve"


def _changed(step: Step) -> list[tuple[str, Rollout, Rollout]]:
    both = [(name, old, step.after.rollouts[name]) for name, old in step.before.rollouts.items()]
    return [(name, old, new) for name, old, new in both if old.progress != new.progress]


def _waived(progress: Progress) -> set[str]:
    named = {gate for each in progress.overrides if each.step == progress.step for gate in each.gates}
    return named | ({"dwell", *progress.finishing.gates} if progress.finishing else set())


def _is_of_this_weight(progress: Progress, deed: Deed) -> bool:
    """All blocks that were looked at began when the weight was acknowledged, or later."""
    began = NOW - (deed.ago + deed.served) * TICK_S
    return progress.acknowledged_at is not None and began >= progress.acknowledged_at


def _is_baked(progress: Progress, deed: Deed) -> bool:
    dwelt = "dwell" in _waived(progress) or deed.served >= DWELL_TICKS
    wanted = ("pass",) if progress.finishing else ("pass", "undecided")
    return dwelt and (deed.finding in wanted or ("errors" in _waived(progress) and deed.finding not in ("trip", "alarm")))


def _may_step(old: Rollout, deed: Deed) -> bool:
    progress = old.progress
    if progress.step < 0:
        return deed.kind in ("start", "retry")
    if isinstance(old.plan.steps[progress.step], WeightStep):
        return deed.kind == "acknowledged" or (deed.kind == "resume" and progress.acknowledged_at is not None)
    assert progress.step == PROOF_STEP
    dwelt = "dwell" in _waived(progress) or deed.served >= DWELL_TICKS
    proven = deed.finding == "pass" or ("errors" in _waived(progress) and deed.finding in ("undecided", "broken", "fail"))
    return deed.kind == "assessed" and dwelt and proven and _is_of_this_weight(progress, deed)
