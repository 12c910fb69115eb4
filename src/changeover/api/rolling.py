"""Start a rollout: the file says how, the office says whether."""

import asyncio
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.answers import StartedAnswer
from changeover.api.bodies import actor_of, read_json
from changeover.api.commanding import Reason
from changeover.api.desk import Desk, desk_of
from changeover.api.errors import ApiError, answer, invalid
from changeover.api.problem import Problem
from changeover.rollout.commands import Order, RolloutRequest, start_rollout
from changeover.rollout.plan import Plan
from changeover.rollout.world import Proposal, RolloutStarted, World
from changeover.settings.declared import SettingsError
from changeover.settings.plans import UnsourcedError, candidate_pool, plan_for

_SUFFIX_DIGITS: Final = 6


class StartOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``without`` names the criteria without a source that the rollout may go without."""

    task: str
    candidate: str
    without: tuple[str, ...] = ()
    reason: Reason = ""
    expected_revision: int | None = None


async def start(request: Request) -> Response:
    """Plan from the file as it is now, and begin. All faults of the file come back at once."""
    sent = await read_json(request, StartOrder)
    desk = desk_of(request)
    name, plan, pool = await _plan(desk, sent)
    order = Order(actor=actor_of(request), reason=sent.reason, expected_revision=sent.expected_revision)
    salt, suffix, now = desk.dice.token(), desk.dice.token()[:_SUFFIX_DIGITS], desk.clock.now()

    def decide(world: World) -> Proposal:
        identity = rollout_id(world, task=sent.task, name=name or sent.task, suffix=suffix)
        wanted = RolloutRequest(task=sent.task, candidate=sent.candidate, candidate_pool=pool, plan=plan, id=identity, salt=salt)
        return start_rollout(world, wanted, order=order, now=now)

    change = await desk.office.commit(decide)
    assert isinstance(change.body, RolloutStarted)
    return answer(StartedAnswer(revision=change.revision, rollout=change.body.rollout, left_out=plan.criteria.left_out), status=201)


async def _plan(desk: Desk, sent: StartOrder) -> tuple[str | None, Plan, tuple[str, ...]]:
    """The file's name for the rollout, its plan, and the pool that the candidate stands for."""
    declared = await asyncio.to_thread(desk.declared)
    try:
        name, plan = plan_for(declared, task=sent.task, candidate=sent.candidate, without=sent.without)
        return name, plan, candidate_pool(declared, task=sent.task, candidate=sent.candidate)
    except UnsourcedError as error:
        raise _unsourced(error) from error
    except SettingsError as error:
        raise invalid(
            "what was asked for does not fit changeover.yaml", hint="correct the command, or the file", faults=error.faults
        ) from error


def _unsourced(error: UnsourcedError) -> ApiError:
    names = ", ".join(error.names)
    problem = Problem(
        code="no_source",
        message=f"no source for {names}: without one a criterion is no gate",
        hint=f"declare a source for each, or accept it: without {','.join(error.names)}",
        faults=error.faults,
        criteria=error.names,
    )
    return ApiError(409, problem)


def rollout_id(world: World, *, task: str, name: str, suffix: str) -> str:
    """``NAME-ATTEMPT``, after the file's name for it or the task's; with ``suffix`` where that means something else."""
    state = world.tasks.get(task)
    identity = f"{name}-{state.attempts + 1 if state else 1}"
    return f"{identity}-{suffix}" if identity in world.rollouts or identity in world.tasks else identity


ROUTES: Final = (Route("/api/v1/rollouts", start, methods=["POST"]),)
