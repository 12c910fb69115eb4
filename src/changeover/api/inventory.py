"""What is there? Tasks and deployments one by one, as the world has them; references to secrets, never secrets."""

from typing import Final, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.answers import TaskView
from changeover.api.desk import desk_of
from changeover.api.errors import answer, not_found
from changeover.api.reading import task_named, world_and_planes
from changeover.api.views import task_view
from changeover.rollout.world import World, routes
from changeover.versions import Account, Deployment

Part = Literal["stable", "candidate", "failover"]


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment is to a task. ``percent`` is its weight there."""

    task: str
    part: Part
    percent: float


class DeploymentView(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment with the endpoint that it is called at and the tasks that name it."""

    deployment: Deployment
    account: Account
    uses: tuple[Use, ...]


class DeploymentsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    deployments: tuple[DeploymentView, ...]


class TaskAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One task, with every deployment it names and what that is to it; other tasks' uses are left out."""

    task: TaskView
    deployments: tuple[DeploymentView, ...]


async def deployments(request: Request) -> Response:
    world = await desk_of(request).office.read(lambda store: store.world())
    return answer(DeploymentsAnswer(deployments=tuple(_view(world, name) for name in sorted(world.deployments))))


async def deployment(request: Request) -> Response:
    world = await desk_of(request).office.read(lambda store: store.world())
    name = request.path_params["deployment"]
    if name not in world.deployments:
        known = ", ".join(sorted(world.deployments)) or "none"
        raise not_found(f"found no deployment {name!r}", hint=f"deployments of this server: {known}")
    return answer(_view(world, name))


async def task(request: Request) -> Response:
    desk = desk_of(request)
    world, planes = await desk.office.read(world_and_planes)
    name = task_named(world, request.path_params["task"]).name
    view = task_view(world, planes, name, now=desk.clock.now())
    named = [found for found in sorted(world.deployments) if _uses(world, found, only=name)]
    return answer(TaskAnswer(task=view, deployments=tuple(_view(world, found, only=name) for found in named)))


def _view(world: World, name: str, *, only: str | None = None) -> DeploymentView:
    found = world.deployments[name]
    return DeploymentView(deployment=found, account=world.accounts[found.account], uses=_uses(world, name, only=only))


def _uses(world: World, name: str, *, only: str | None = None) -> tuple[Use, ...]:
    tasks = sorted(world.tasks) if only is None else [only]
    return tuple(use for found in tasks for use in _uses_in(world, found, name))


def _uses_in(world: World, task_name: str, name: str) -> list[Use]:
    route = routes(world)[task_name]
    percent, uses = route.candidate_permille / 10, list[Use]()
    if name in route.stable_members:
        uses.append(Use(task=task_name, part="stable", percent=round(100 - percent, 1)))
    if name in route.candidate_members:
        uses.append(Use(task=task_name, part="candidate", percent=percent))
    if name in route.failover:
        uses.append(Use(task=task_name, part="failover", percent=0.0))
    return uses


ROUTES: Final = (
    Route("/api/v1/deployments", deployments, methods=["GET"]),
    Route("/api/v1/deployments/{deployment}", deployment, methods=["GET"]),
    Route("/api/v1/tasks/{task}", task, methods=["GET"]),
)
