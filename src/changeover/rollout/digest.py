"""What happened this week, and what waits for a person? The log and the world in; a summary for people out."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from changeover.rollout.plan import ApproveStep, percent
from changeover.rollout.refusal import NothingToDo
from changeover.rollout.state import Command, Phase, Rollout
from changeover.rollout.week import DAY_S
from changeover.rollout.world import Change, Proposal, RolloutMoved, RolloutStarted, TaskState, WeekSummed, World

TOPIC: Final = "summary"
LINE_CHARACTERS_MAX: Final = 600


class TaskWeek(msgspec.Struct, frozen=True, kw_only=True):
    """One task's week. ``days_paused`` counts every rollout's pauses within it; ``retirement_unknown`` are model versions that
    serve, and of which nobody said until when.
    """

    task: str
    active: tuple[str, ...] = ()
    finished: tuple[str, ...] = ()
    days_paused: float = 0.0
    waits: tuple[str, ...] = ()
    retirement_unknown: tuple[str, ...] = ()


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """From ``since`` to ``until``, Unix seconds."""

    since: float
    until: float
    tasks: tuple[TaskWeek, ...]


class PauseWatch:
    """How long each rollout was paused, and which ended, between two moments. Changes are fed in their order, from the first
    one on: a pause may have begun before.
    """

    def __init__(self, *, since: float, until: float) -> None:
        self._since = since
        self._until = until
        self._paused_at: dict[str, float] = {}
        self._over: set[str] = set()
        self._paused_s: dict[str, float] = {}
        self.ended: dict[str, None] = {}

    def feed(self, changes: Iterable[Change]) -> None:
        for change in changes:
            match change.body:
                case RolloutStarted(rollout=rollout, ended=ended):
                    if ended is not None:
                        self._take(ended.rollout, ended.progress.phase, change.at)
                    self._take(rollout.id, rollout.progress.phase, change.at)
                case RolloutMoved(rollout=name, progress=progress):
                    self._take(name, progress.phase, change.at)
                case _:
                    pass

    def paused_s(self, rollout: str) -> float:
        """Seconds; a pause that goes on counts up to the end."""
        began = self._paused_at.get(rollout)
        return self._paused_s.get(rollout, 0.0) + (0.0 if began is None else self._within(began, self._until))

    def _take(self, rollout: str, phase: Phase, at: float) -> None:
        if phase is Phase.PAUSED:
            self._paused_at.setdefault(rollout, at)
        elif (began := self._paused_at.pop(rollout, None)) is not None:
            self._paused_s[rollout] = self._paused_s.get(rollout, 0.0) + self._within(began, at)
        if phase.is_over and rollout not in self._over:
            self._over.add(rollout)
            if self._since <= at <= self._until:
                self.ended[rollout] = None

    def _within(self, began: float, ended: float) -> float:
        return max(0.0, min(ended, self._until) - max(began, self._since))


def digest(world: World, changes: Iterable[Change], *, since: float, until: float) -> Digest:
    """The week as ``world`` and its log, from the first change on, tell it. Tasks with nothing to say are there, too."""
    watch = PauseWatch(since=since, until=until)
    watch.feed(changes)
    return digested(world, watch, since=since, until=until)


def digested(world: World, watch: PauseWatch, *, since: float, until: float) -> Digest:
    """The same of a log that was fed in parts."""
    return Digest(since=since, until=until, tasks=tuple(_week(world, task, watch) for _, task in sorted(world.tasks.items())))


def digest_text(found: Digest) -> str:
    """In words, a line a task."""
    days = (found.until - found.since) / DAY_S
    lines = [f"the last {days:.1f} days of {len(found.tasks)} {'task' if len(found.tasks) == 1 else 'tasks'}"]
    lines += [f"{week.task}: {_cut('; '.join(_words(week)))}" for week in found.tasks]
    return "\n".join(lines)


def sum_up(world: World, *, text: str, due: float, until: float, actor: str) -> Proposal:
    """Tell it, once: whoever comes second finds that the moment ``due`` is told already."""
    if world.summed_until >= due:
        raise NothingToDo("this week is summed up already")
    command = Command(kind="alert", subject="", topic=TOPIC, text=text)
    return Proposal(actor=actor, reason="the week is over", body=WeekSummed(until=until), commands=(command,))


def _week(world: World, task: TaskState, watch: PauseWatch) -> TaskWeek:
    mine = [rollout for rollout in world.rollouts.values() if rollout.task == task.name]
    active = world.rollouts[task.rollout] if task.rollout is not None else None
    return TaskWeek(
        task=task.name,
        active=() if active is None else (_standing(active),),
        finished=tuple(f"{each.id} {_phase(each)}" for each in mine if each.id in watch.ended and each.progress.phase.is_over),
        days_paused=sum(watch.paused_s(each.id) for each in mine) / DAY_S,
        waits=tuple(_waits(world, task, active)),
        retirement_unknown=tuple(_undated(world, task, active)),
    )


def _standing(rollout: Rollout) -> str:
    progress = rollout.progress
    steps = f"step {progress.step + 1} of {len(rollout.plan.steps)}"
    return f"{rollout.id} {_phase(rollout)} at {percent(progress.permille)}, {steps}"


def _waits(world: World, task: TaskState, active: Rollout | None) -> Iterator[str]:
    """What a person has to decide, with the command for it."""
    if active is not None:
        progress = active.progress
        step = active.plan.steps[progress.step] if 0 <= progress.step < len(active.plan.steps) else None
        if progress.phase is Phase.PAUSED:
            yield f"{active.id} is paused ({progress.reason}): changeover rollout resume {task.name}, or changeover rollback {task.name}"
        elif isinstance(step, ApproveStep) and not progress.cleared:
            yield f"{active.id} waits for {' or '.join(step.roles)}: changeover rollout approve {task.name}"
    served = {task.stable, *task.stable_pool, *task.failover}
    yield from (f"{drift.sentence}" for drift in world.drifts if drift.deployment in served)


def _undated(world: World, task: TaskState, active: Rollout | None) -> Iterator[str]:
    """A rollout's deadline is the one place in this version where somebody says when a version retires."""
    deadline = None if active is None else active.plan.deadline
    dated = None if deadline is None else deadline.retires
    sides = {"stable": (task.stable,), "candidate": () if active is None else (active.candidate,)}
    for side, names in sides.items():
        for name in names:
            if side != dated and name in world.deployments:
                yield str(world.deployments[name].model)


def _words(week: TaskWeek) -> Iterator[str]:
    """What waits for a person first: a long line is cut."""
    if week.waits:
        yield f"waits for a person: {'; '.join(week.waits)}"
    if week.active:
        yield f"under way: {', '.join(week.active)}"
    if week.finished:
        yield f"ended: {', '.join(week.finished)}"
    if week.days_paused:
        yield f"{week.days_paused:.1f} days in pause"
    if not (week.active or week.finished or week.waits):
        yield "no rollout"
    if week.retirement_unknown:
        yield f"retirement not known: {', '.join(week.retirement_unknown)}"


def _phase(rollout: Rollout) -> str:
    return rollout.progress.phase.replace("_", " ")


def _cut(text: str) -> str:
    return text if len(text) <= LINE_CHARACTERS_MAX else f"{text[: LINE_CHARACTERS_MAX - 1]}…"
