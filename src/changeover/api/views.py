"""How does the state look to an operator? World and planes become answers. Pure."""

from collections.abc import Sequence

from changeover.api.answers import PlaneView, RolloutBrief, StatusAnswer, StepState, StepView, TaskView, UnreadSource
from changeover.gates.verdict import Assessment
from changeover.ports.planes import PlaneState
from changeover.rollout.drift import standing_drifts
from changeover.rollout.sides import confounders, differences, members
from changeover.rollout.standing import is_baking, plan_words, waits_for
from changeover.rollout.starting import latest_rollout
from changeover.rollout.state import Phase, Rollout
from changeover.rollout.world import (
    Applied,
    Change,
    DriftSeen,
    FingerprintSeen,
    KeyCreated,
    KeyRevoked,
    KeysRequired,
    RolloutMoved,
    RolloutStarted,
    Seeded,
    TokenCreated,
    TokenRevoked,
    WeekSummed,
    World,
    routes,
)


def status_view(
    world: World, planes: Sequence[PlaneState], *, now: float, gateway: str | None, unread: tuple[UnreadSource, ...] = ()
) -> StatusAnswer:
    return StatusAnswer(
        revision=world.revision,
        table_revision=world.table_revision,
        now=now,
        gateway=gateway,
        tasks=task_views(world, planes, now=now),
        planes=tuple(_plane_view(plane, world.table_revision, now) for plane in planes),
        drifts=standing_drifts(world),
        unread_scores=unread,
    )


def task_views(world: World, planes: Sequence[PlaneState], *, now: float) -> tuple[TaskView, ...]:
    return tuple(task_view(world, planes, name, now=now) for name in sorted(world.tasks))


def task_view(world: World, planes: Sequence[PlaneState], name: str, *, now: float) -> TaskView:
    task = world.tasks[name]
    route = routes(world)[name]
    waiting_for = planes_behind(planes, world.table_revision, now)
    rollout = latest_rollout(world, task)
    return TaskView(
        name=name,
        stable=task.stable,
        candidate=route.candidate,
        percent=route.candidate_permille / 10,
        acknowledged=not waiting_for and any(not plane.is_silent(now) for plane in planes),
        waiting_for=waiting_for,
        failover=task.failover,
        sticky_by=task.sticky_by,
        blocked=task.blocked,
        rollout=None if rollout is None else _brief(rollout),
    )


def planes_behind(planes: Sequence[PlaneState], revision: int, now: float) -> tuple[str, ...]:
    """Live data planes that do not serve from table ``revision`` yet."""
    return tuple(plane.plane for plane in planes if not plane.is_silent(now) and plane.acknowledged_revision < revision)


def step_views(rollout: Rollout) -> tuple[StepView, ...]:
    """The plan's steps, and the bake as one more."""
    words, steps = plan_words(rollout.plan, stable=rollout.stable), len(rollout.plan.steps)
    states: list[StepState] = [_step_state(rollout, index) if index < steps else _bake_state(rollout) for index in range(len(words))]
    return tuple(StepView(number=index + 1, what=what, state=states[index]) for index, what in enumerate(words))


def unmet_reasons(rollout: Rollout, assessment: Assessment) -> tuple[str, ...]:
    """Why it holds where it stands; nothing where it stands on a weight or is over."""
    return waits_for(rollout, assessment)


def side_differences(world: World, rollout: Rollout) -> tuple[str, ...]:
    """In what the two sides differ besides the version, as far as the world knows."""
    stable = members(world.deployments, rollout.stable, rollout.stable_pool)
    candidate = members(world.deployments, rollout.candidate, rollout.candidate_pool)
    return tuple(map(str, differences(stable, candidate))) if stable and candidate else ()


def start_warnings(world: World, rollout: Rollout) -> tuple[str, ...]:
    """Those of them that may decide a criterion in the version's place."""
    stable = members(world.deployments, rollout.stable, rollout.stable_pool)
    candidate = members(world.deployments, rollout.candidate, rollout.candidate_pool)
    return tuple(map(str, confounders(stable, candidate))) if stable and candidate else ()


def event_task(world: World, change: Change) -> str | None:
    """The task an event is about; ``None`` for one that is about all: the seed, keys, what a deployment turned out to be."""
    match change.body:
        case RolloutStarted(rollout=rollout):
            return rollout.task
        case RolloutMoved(rollout=identity):
            return world.rollouts[identity].task
        case Seeded() | Applied() | KeyCreated() | KeyRevoked() | KeysRequired() | DriftSeen() | FingerprintSeen():
            return None
        case TokenCreated() | TokenRevoked() | WeekSummed():
            return None
        case body:
            return body.task


def _step_state(rollout: Rollout, index: int) -> StepState:
    progress = rollout.progress
    if index < progress.step or _is_through(progress.phase) or is_baking(progress):
        return "done"
    return "current" if index == progress.step else "to_come"


def _bake_state(rollout: Rollout) -> StepState:
    if _is_through(rollout.progress.phase) or rollout.progress.was_promoted:
        return "done"
    return "current" if is_baking(rollout.progress) else "to_come"


def _is_through(phase: Phase) -> bool:
    return phase.is_promoted or phase is Phase.RETIRED


def _brief(rollout: Rollout) -> RolloutBrief:
    progress = rollout.progress
    steps = step_views(rollout)
    current = next((step for step in steps if step.state == "current"), None)
    if current is None and steps:
        current = steps[-1] if _is_through(progress.phase) else steps[max(progress.step, 0)]
    return RolloutBrief(
        id=rollout.id,
        candidate=rollout.candidate,
        phase=progress.phase,
        step=min(progress.step + 1, len(steps)) if current is None else current.number,
        steps=len(steps),
        what="" if current is None else current.what,
        percent=progress.permille / 10,
        acknowledged=progress.acknowledged_at is not None,
        reason=progress.reason,
    )


def _plane_view(plane: PlaneState, table_revision: int, now: float) -> PlaneView:
    return PlaneView(
        plane=plane.plane,
        acknowledged_revision=plane.acknowledged_revision,
        behind=plane.acknowledged_revision < table_revision,
        silent=plane.is_silent(now),
        seen_at=plane.seen_at,
        dropped=plane.dropped,
        lost=plane.lost,
    )
