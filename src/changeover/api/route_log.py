"""How has a task's route come about? The log replayed up to a revision, with every change that made it another."""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from changeover.api.explain_answers import RouteChange
from changeover.ports.office import Office
from changeover.rollout.world import Change, RolloutMoved, World, apply, routes
from changeover.traffic.table import Route

PAGE: Final = 500


class RouteTurn(NamedTuple):
    """A change, and the task's route from then on."""

    change: RouteChange
    route: Route


async def route_turns(office: Office, task: str, *, until: int) -> list[RouteTurn]:
    """Every change up to the revision ``until`` that made the task's route another, in order. While the task is not there it has
    no route, and coming back makes one.
    """
    world, route, turns = World(), None, list[RouteTurn]()
    while world.revision < until:
        page = await office.read(lambda store, after=world.revision: store.changes(after=after, limit=min(PAGE, until - after)))
        if not page:
            break
        world, route = await asyncio.to_thread(_fold, world, page, task, route, turns)
    return turns


def _fold(world: World, page: Sequence[Change], task: str, route: Route | None, turns: list[RouteTurn]) -> tuple[World, Route | None]:
    for change in page:
        world = apply(world, change)
        after = routes(world).get(task)
        if after is not None and after != route:
            turns.append(RouteTurn(_view(world, change, after), after))
        route = after
    return world, route


def _view(world: World, change: Change, route: Route) -> RouteChange:
    body = change.body
    return RouteChange(
        revision=change.revision,
        at=change.at,
        actor=change.actor,
        reason=change.reason,
        event=body.event if isinstance(body, RolloutMoved) else str(type(body).__struct_config__.tag),
        attempt=route.attempt,
        rollout=_rollout_of(world, route),
        stable=route.stable,
        candidate=route.candidate,
        percent=route.candidate_permille / 10,
    )


def _rollout_of(world: World, route: Route) -> str | None:
    if route.candidate is None:
        return None
    return next((each.id for each in world.rollouts.values() if each.task == route.task and each.attempt == route.attempt), None)
