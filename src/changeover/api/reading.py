"""What stands, and how did it come to this? The operators' questions that change nothing."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.answers import CompareAnswer, EventsAnswer, EventView, RolloutAnswer, RolloutsAnswer, TasksAnswer
from changeover.api.bodies import whole_number
from changeover.api.desk import Desk, desk_of
from changeover.api.errors import ApiError, answer, not_found
from changeover.api.views import (
    event_task,
    latest_rollout,
    planes_behind,
    side_differences,
    status_view,
    step_views,
    task_views,
    unmet_reasons,
)
from changeover.ports.planes import PlaneState
from changeover.ports.store import Store
from changeover.rollout.state import Rollout
from changeover.rollout.world import Change, TaskState, World

EVENTS_DEFAULT: Final = 100
EVENTS_MAX: Final = 1000
REVISION_MAX: Final = 2**53


async def status(request: Request) -> Response:
    desk = desk_of(request)
    world, planes = await desk.office.read(world_and_planes)
    unread = desk.unread.sources()
    return answer(status_view(world, planes, now=desk.clock.now(), gateway=desk.gateway_url(), unread=unread))


async def tasks(request: Request) -> Response:
    desk = desk_of(request)
    world, planes = await desk.office.read(world_and_planes)
    return answer(TasksAnswer(tasks=task_views(world, planes, now=desk.clock.now())))


async def rollouts(request: Request) -> Response:
    world = await desk_of(request).office.read(lambda store: store.world())
    by_time = sorted(world.rollouts.values(), key=lambda rollout: (rollout.started_at, rollout.attempt), reverse=True)
    return answer(RolloutsAnswer(rollouts=tuple(sorted(by_time, key=lambda rollout: rollout.progress.phase.is_over))))


async def rollout(request: Request) -> Response:
    desk = desk_of(request)
    world, planes = await desk.office.read(world_and_planes)
    found = rollout_named(world, request.path_params["rollout"])
    assessment = await desk.assessor.assess(found)
    body = RolloutAnswer(
        rollout=found,
        steps=step_views(found),
        unmet=unmet_reasons(found, assessment),
        waiting_for=planes_behind(planes, world.table_revision, desk.clock.now()),
        assessment=assessment,
    )
    return answer(body)


async def compare(request: Request) -> Response:
    desk = desk_of(request)
    world = await desk.office.read(lambda store: store.world())
    task = task_named(world, request.path_params["task"])
    return answer(await _comparison(desk, world, task))


async def _comparison(desk: Desk, world: World, task: TaskState) -> CompareAnswer:
    found = latest_rollout(world, task)
    if found is None:
        hint = f"start one: changeover rollout start {task.name} --to DEPLOYMENT"
        raise not_found(f"task {task.name} never had a rollout, so there is nothing to compare", hint=hint)
    return CompareAnswer(
        rollout=found,
        active=not found.progress.phase.is_over,
        stable_model=_model(world, found.stable),
        candidate_model=_model(world, found.candidate),
        assessment=await desk.assessor.assess(found),
        warnings=(*side_differences(world, found), *(source.sentence for source in desk.unread.sources(task.name))),
    )


async def events(request: Request) -> Response:
    after = whole_number(request, "after", default=0, most=REVISION_MAX)
    limit = max(1, whole_number(request, "limit", default=EVENTS_DEFAULT, most=EVENTS_MAX))
    task = request.query_params.get("task")
    return answer(await desk_of(request).office.read(lambda store: events_page(store, after=after, limit=limit, task=task)))


def events_page(store: Store, *, after: int, limit: int, task: str | None) -> EventsAnswer:
    """Events of ``task`` (and those about all tasks), read page by page until there are ``limit`` of them."""
    world = store.world()
    if task is not None:
        task_named(world, task)
    found: list[EventView] = []
    while page := store.changes(after=after, limit=EVENTS_MAX):
        for change in page:
            about = event_task(world, change)
            if task is None or about in (None, task):
                found.append(event_view(change, about))
            after = change.revision
            if len(found) == limit:
                return EventsAnswer(events=tuple(found), next=after)
    return EventsAnswer(events=tuple(found), next=after)


def event_view(change: Change, task: str | None) -> EventView:
    return EventView(revision=change.revision, at=change.at, actor=change.actor, reason=change.reason, task=task, change=change.body)


def world_and_planes(store: Store) -> tuple[World, Sequence[PlaneState]]:
    return store.world(), store.planes()


def task_named(world: World, name: str) -> TaskState:
    """The task.

    Raises:
        ApiError: there is none of that name; the hint lists those there are.
    """
    if name in world.tasks:
        return world.tasks[name]
    known = ", ".join(sorted(world.tasks)) or "none"
    raise not_found(f"found no task {name!r}", hint=f"tasks of this server: {known}")


def rollout_named(world: World, name: str) -> Rollout:
    """The rollout of that id, or the active or latest one of the task of that name.

    Raises:
        ApiError: there is neither.
    """
    if name in world.rollouts:
        return world.rollouts[name]
    found = latest_rollout(world, world.tasks[name]) if name in world.tasks else None
    if found is None:
        raise _no_rollout(world, name)
    return found


def _no_rollout(world: World, name: str) -> ApiError:
    if name in world.tasks:
        return not_found(f"task {name} never had a rollout", hint=f"start one: changeover rollout start {name} --to DEPLOYMENT")
    return not_found(f"found no rollout or task {name!r}", hint="list them: changeover rollout ls")


def _model(world: World, deployment: str) -> str | None:
    found = world.deployments.get(deployment)
    return None if found is None else str(found.model)


ROUTES: Final = (
    Route("/api/v1/status", status, methods=["GET"]),
    Route("/api/v1/tasks", tasks, methods=["GET"]),
    Route("/api/v1/tasks/{task}/compare", compare, methods=["GET"]),
    Route("/api/v1/rollouts", rollouts, methods=["GET"]),
    Route("/api/v1/rollouts/{rollout}", rollout, methods=["GET"]),
    Route("/api/v1/events", events, methods=["GET"]),
)
