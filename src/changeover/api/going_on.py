"""What does a person say so that a rollout goes on, or begins anew? Approve, override, promote, retry."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.bodies import actor_of, read_json
from changeover.api.caller import caller_of
from changeover.api.commanding import Confirm, PlainOrder, Reason, commit_verb, refuse_past
from changeover.api.desk import Desk, desk_of
from changeover.api.reading import rollout_named
from changeover.api.rolling import SUFFIX_DIGITS, rollout_id
from changeover.rollout import confirmation
from changeover.rollout.commands import Order, approve, override, promote, retry
from changeover.rollout.state import Phase, Rollout
from changeover.rollout.world import Proposal, World

GATES_MAX: Final = 50

Gates = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=100)], ...], msgspec.Meta(max_length=GATES_MAX)]


class OverrideOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``gates`` are criteria of the rollout, ``dwell``, or ``data-planes`` for one that retires its old version."""

    gates: Gates
    reason: Reason = ""
    expected_revision: int | None = None


class PromoteOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``without`` names gates that need no pass, on the word of whoever asks."""

    without: Gates = ()
    reason: Reason = ""
    expected_revision: int | None = None


async def approve_step(request: Request) -> Response:
    """Whether one person is enough is the policy of the server's own file, read anew: a file with faults approves nothing."""
    sent = await read_json(request, PlainOrder)
    desk, found = desk_of(request), await _found(request)
    declared = await asyncio.to_thread(desk.declared)
    order = _order(request, sent)
    role, four_eyes, now = caller_of(request).role, declared.policy.four_eyes, desk.clock.now()
    return await _say(
        desk,
        found,
        lambda world: approve(world, task=found.task, order=order, role=role, now=now, four_eyes=four_eyes),
        confirm=confirmation.approved,
    )


async def override_gates(request: Request) -> Response:
    sent = await read_json(request, OverrideOrder)
    desk, found = desk_of(request), await _found(request)
    order, now = _order(request, sent), desk.clock.now()
    return await _say(
        desk,
        found,
        lambda world: override(world, task=found.task, gates=sent.gates, order=order, now=now),
        confirm=confirmation.overridden,
    )


async def finish_now(request: Request) -> Response:
    sent = await read_json(request, PromoteOrder)
    desk, found = desk_of(request), await _found(request)
    order, now = _order(request, sent), desk.clock.now()
    decide = _promoting(found, order, sent.without, now)
    return await commit_verb(desk, decide, found.task, confirm=(found.id, confirmation.promoted))


async def begin_anew(request: Request) -> Response:
    """Another attempt of the same plan; whoever names an attempt means the task's latest."""
    sent = await read_json(request, PlainOrder)
    desk, found = desk_of(request), await _found(request)
    order, now = _order(request, sent), desk.clock.now()
    salt, suffix = desk.dice.token(), desk.dice.token()[:SUFFIX_DIGITS]

    def decide(world: World) -> Proposal:
        identity = rollout_id(world, task=found.task, name=_stem(found), suffix=suffix)
        return retry(world, task=found.task, rollout_id=identity, salt=salt, order=order, now=now)

    return await commit_verb(desk, decide, found.task)


def _promoting(found: Rollout, order: Order, without: tuple[str, ...], now: float) -> Callable[[World], Proposal]:
    return lambda world: promote(world, task=found.task, order=order, now=now, without=without)


async def _say(desk: Desk, found: Rollout, verb: Callable[[World], Proposal], *, confirm: Confirm) -> Response:
    """What is said of an attempt that is over by now is refused, but for one that retires its old version."""

    def decide(world: World) -> Proposal:
        if world.rollouts[found.id].progress.phase is not Phase.RETIRING:
            refuse_past(world, found)
        return verb(world)

    return await commit_verb(desk, decide, found.task, confirm=(found.id, confirm))


async def _found(request: Request) -> Rollout:
    """By its id, or its task's name."""
    return rollout_named(await desk_of(request).office.read(lambda store: store.world()), request.path_params["rollout"])


def _order(request: Request, sent: PlainOrder | OverrideOrder | PromoteOrder) -> Order:
    return Order(actor=actor_of(request), reason=sent.reason, expected_revision=sent.expected_revision)


def _stem(rollout: Rollout) -> str:
    """Its name without the attempt's number, so that the attempts of one plan are told by their numbers."""
    stem, _, number = rollout.id.rpartition("-")
    return stem if stem and number.isdigit() else rollout.task


ROUTES: Final = (
    Route("/api/v1/rollouts/{rollout}/approve", approve_step, methods=["POST"]),
    Route("/api/v1/rollouts/{rollout}/override", override_gates, methods=["POST"]),
    Route("/api/v1/rollouts/{rollout}/promote", finish_now, methods=["POST"]),
    Route("/api/v1/rollouts/{rollout}/retry", begin_anew, methods=["POST"]),
)
