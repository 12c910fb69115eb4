"""Why did this request get this version, and where does this unit go? The log and the draw, asked once more."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path

from changeover.api.desk import Desk, desk_of
from changeover.api.errors import ApiError, answer, bad_request, invalid, not_found
from changeover.api.explain_answers import Drawn, RequestExplained, Turn, UnitExplained
from changeover.api.reading import task_named
from changeover.api.route_log import RouteTurn, route_turns
from changeover.exchange.observation import Observation
from changeover.exchange.unit import UNIT_HEADER, find_unit
from changeover.ports.store import Store
from changeover.rollout.world import TaskState, World
from changeover.traffic.assignment import assign, hash_unit, position_permille
from changeover.traffic.table import Route, Side

TURNS_MAX: Final = 20
"""The newest changes of a unit's deployment that are told."""
REQUEST_ID_HEADER: Final = "x-changeover-request-id"


async def explain(request: Request) -> Response:
    """``?request=ID`` explains a request, ``?unit=U`` a unit; with both, the request's unit is compared with ``U``."""
    desk = desk_of(request)
    request_id, unit = request.query_params.get("request"), _unit(request.query_params.get("unit"))
    world = await desk.office.read(lambda store: store.world())
    task = task_named(world, request.path_params["task"])
    if request_id:
        return answer(await _request_explained(desk, task, request_id, unit))
    if unit:
        return answer(await _unit_explained(desk, world, task, unit))
    raise bad_request("found neither a request nor a unit, expected one", hint="for example ?request=ID or ?unit=U")


def _unit(text: str | None) -> str | None:
    """As a data plane reads it: without blanks around it, and of bounded length."""
    return None if text is None else find_unit({UNIT_HEADER: text.encode("utf-8", "surrogatepass")}, {}, ())


async def _request_explained(desk: Desk, task: TaskState, request_id: str, unit: str | None) -> RequestExplained:
    seen = await desk.office.read(lambda store: _observed(store, request_id))
    if seen.task != task.name:
        raise _of_another_task(seen)
    turns = await route_turns(desk.office, task.name, until=seen.revision)
    turn = turns[-1] if turns else None
    in_clear = _unit_in_clear(seen, unit, None if turn is None else turn.route)
    drawn = None if turn is None or in_clear is None else _drawn(turn.route, in_clear)
    return RequestExplained(
        request_id=seen.request_id,
        task=task.name,
        started_at=seen.started_at,
        outcome=seen.outcome,
        status=seen.status,
        error=seen.error,
        revision=seen.revision,
        attempt=seen.attempt,
        weight=None if turn is None else turn.change,
        unit=seen.unit,
        unit_is=_unit_is(seen),
        sticky_by=() if turn is None else turn.route.sticky_by,
        side=seen.side,
        candidate_probability=seen.candidate_probability,
        forced=seen.forced,
        assigned=seen.assigned,
        served=seen.served,
        served_model=seen.served_model,
        attempts=seen.attempts,
        drawn=drawn,
        agrees=None if turn is None or drawn is None else _agrees(seen, turn.route, drawn),
    )


def _observed(store: Store, request_id: str) -> Observation:
    """What was reported of it.

    Raises:
        ApiError: nothing was, or not yet.
    """
    seen = store.observation(request_id)
    if seen is None:
        hint = (
            f"ids are in the answer's header {REQUEST_ID_HEADER}; a data plane reports a request within about a second of its end, later "
            "while it cannot reach the control plane; what was reported is kept as long as the store"
        )
        raise not_found(f"found no request {request_id!r} among what was reported", hint=hint)
    return seen


def _of_another_task(seen: Observation) -> ApiError:
    if seen.task is None:
        message = f"request {seen.request_id} was refused before its task was known: status {seen.status}, {seen.error}"
        return not_found(message, hint="nothing was drawn for it, so there is nothing to explain")
    message = f"request {seen.request_id} belongs to task {seen.task}"
    return not_found(message, hint=f"changeover task explain {seen.task} --request {seen.request_id}")


def _unit_is(seen: Observation) -> str:
    if seen.forced or seen.side is None:
        return "none"
    return "named" if seen.sticky else "first_try" if seen.retry else "request"


def _unit_in_clear(seen: Observation, unit: str | None, route: Route | None) -> str | None:
    """The unit as it is: the request's own id, or what the caller of this says, if its hash is the one that was stored.

    Raises:
        ApiError: the request has another unit.
    """
    if seen.forced or route is None:
        return None
    if unit is None:
        return None if seen.sticky or seen.retry else seen.request_id
    if hash_unit(route.salt, unit) != seen.unit:
        hint = f"its hash in attempt {seen.attempt} is {seen.unit}, that of {unit!r} is {hash_unit(route.salt, unit)}"
        raise invalid(f"request {seen.request_id} is not of unit {unit!r}", hint=hint)
    return unit


def _agrees(seen: Observation, route: Route, drawn: Drawn) -> bool:
    """Of a pool any member may have been the one."""
    members = route.candidate_members if drawn.side is Side.CANDIDATE else route.stable_members
    return drawn.side is seen.side and seen.attempt == route.attempt and seen.assigned in members


async def _unit_explained(desk: Desk, world: World, task: TaskState, unit: str) -> UnitExplained:
    turns = await route_turns(desk.office, task.name, until=world.revision)
    route = turns[-1].route
    return UnitExplained(
        task=task.name,
        unit=hash_unit(route.salt, unit),
        attempt=route.attempt,
        percent=route.candidate_permille / 10,
        drawn=_drawn(route, unit),
        turns=tuple(_moves(turns, unit)[-TURNS_MAX:]),
    )


def _moves(turns: Sequence[RouteTurn], unit: str) -> list[Turn]:
    """The changes after which the unit goes elsewhere than before, the first one among them."""
    told = [Turn(change=turn.change, drawn=_drawn(turn.route, unit)) for turn in turns]
    return told[:1] + [after for before, after in pairwise(told) if after.drawn.deployment != before.drawn.deployment]


def _drawn(route: Route, unit: str) -> Drawn:
    found = assign(route, unit)
    return Drawn(position_percent=position_permille(route.salt, unit) / 10, side=found.side, deployment=found.deployment)


ROUTES: Final = (Path("/api/v1/tasks/{task}/explain", explain, methods=["GET"]),)
