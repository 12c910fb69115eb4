"""What does an operator want changed? Each call becomes one proposal to the office; a refusal becomes an answer."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.answers import CommittedAnswer
from changeover.api.bodies import actor_of, read_json
from changeover.api.desk import Desk, desk_of
from changeover.api.errors import answer, invalid
from changeover.api.reading import rollout_named, task_named
from changeover.api.views import task_view
from changeover.gates.verdict import Assessment
from changeover.ports.planes import PlaneState
from changeover.ports.store import StoreError
from changeover.rollout import confirmation
from changeover.rollout.commands import Order, Refusal, pause, release, resume, roll_back, set_split
from changeover.rollout.state import Rollout
from changeover.rollout.world import Proposal, World

REASON_CHARACTERS_MAX: Final = 1000
PERMILLE_PER_PERCENT: Final = 10

Reason = Annotated[str, msgspec.Meta(max_length=REASON_CHARACTERS_MAX)]


Confirm = Callable[[Rollout, Assessment], str]


class SplitOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``weights`` in percent by deployment, one decimal, summing to 100."""

    weights: dict[str, float]
    reason: Reason = ""
    expected_revision: int | None = None


class PlainOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Reason = ""
    expected_revision: int | None = None


class RollbackOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Takes no revision: rolling back always works. ``further``: a promotion from before what was taken back last, too."""

    reason: Reason = ""
    further: bool = False


class ReleaseOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    candidate: str
    reason: Reason = ""
    expected_revision: int | None = None


async def split(request: Request) -> Response:
    sent = await read_json(request, SplitOrder)
    weights = permille_weights(sent.weights)
    desk, name, salt = desk_of(request), request.path_params["task"], desk_of(request).dice.token()
    order = Order(actor=actor_of(request), reason=sent.reason, expected_revision=sent.expected_revision)
    return await commit_verb(
        desk, lambda world: set_split(world, task=task_named(world, name).name, weights=weights, salt=salt, order=order), name
    )


async def rollback(request: Request) -> Response:
    sent = await read_json(request, RollbackOrder)
    desk, name, actor = desk_of(request), request.path_params["task"], actor_of(request)
    now = desk.clock.now()
    return await commit_verb(
        desk, lambda world: roll_back(world, task=name, actor=actor, reason=sent.reason, now=now, further=sent.further), name
    )


async def pause_rollout(request: Request) -> Response:
    return await _turn(request, pause)


async def resume_rollout(request: Request) -> Response:
    return await _turn(request, resume, confirm=confirmation.resumed)


async def _turn(request: Request, verb: Callable[..., Proposal], *, confirm: Confirm | None = None) -> Response:
    """Pause or resume a rollout by its id or its task's name. An id means that attempt alone, never a later one."""
    sent = await read_json(request, PlainOrder)
    desk = desk_of(request)
    found = rollout_named(await desk.office.read(lambda store: store.world()), request.path_params["rollout"])
    now = desk.clock.now()
    order = Order(actor=actor_of(request), reason=sent.reason, expected_revision=sent.expected_revision)

    def decide(world: World) -> Proposal:
        refuse_past(world, found)
        return verb(world, task=found.task, order=order, now=now)

    return await commit_verb(desk, decide, found.task, confirm=None if confirm is None else (found.id, confirm))


def refuse_past(world: World, rollout: Rollout) -> None:
    """Whoever names an attempt means that one, not the task's next."""
    phase = world.rollouts[rollout.id].progress.phase
    if phase.is_over:
        raise Refusal("conflict", f"rollout {rollout.id} is {phase.replace('_', ' ')}: it is over", hint="See changeover rollout ls")


async def release_pair(request: Request) -> Response:
    sent = await read_json(request, ReleaseOrder)
    desk, name = desk_of(request), request.path_params["task"]
    order = Order(actor=actor_of(request), reason=sent.reason, expected_revision=sent.expected_revision)
    return await commit_verb(desk, lambda world: release(world, task=name, candidate=sent.candidate, order=order), name)


async def commit_verb(
    desk: Desk, decide: Callable[[World], Proposal], task: str, *, confirm: tuple[str, Confirm] | None = None
) -> Response:
    """Commit, and answer with the revision and the task as it stands then, and with what ``confirm`` says of the rollout named."""
    change = await desk.office.commit(decide)
    world = await desk.office.read(lambda store: store.world())
    view = task_view(world, await _planes(desk), task, now=desk.clock.now())
    said = "" if confirm is None else await _confirmed(desk, world.rollouts[confirm[0]], confirm[1])
    return answer(CommittedAnswer(revision=change.revision, table_revision=world.table_revision, task=view, said=said))


async def _confirmed(desk: Desk, rollout: Rollout, confirm: Confirm) -> str:
    """Nothing where the evidence cannot be read: the word itself is committed by now."""
    try:
        return confirm(rollout, await desk.assessor.assess(rollout))
    except StoreError:
        return ""


async def _planes(desk: Desk) -> Sequence[PlaneState]:
    """None where that part of the store is broken: what was asked for is committed by now, a rollback above all."""
    try:
        return await desk.office.read(lambda store: store.planes())
    except StoreError:
        return ()


def permille_weights(weights: Mapping[str, float]) -> dict[str, int]:
    """Percent with one decimal as tenths of a percent.

    Raises:
        ApiError: a weight that is finer than that, or no number.
    """
    found: dict[str, int] = {}
    for deployment, weight in weights.items():
        tenths = weight * PERMILLE_PER_PERCENT
        if not math.isfinite(tenths) or abs(tenths - round(tenths)) > _ROUNDING:
            raise invalid(f"weight of {deployment}: found {weight} %, expected at most one decimal", hint="for example 12.5")
        found[deployment] = round(tenths)
    return found


_ROUNDING: Final = 1e-6

ROUTES: Final = (
    Route("/api/v1/tasks/{task}/split", split, methods=["POST"]),
    Route("/api/v1/tasks/{task}/rollback", rollback, methods=["POST"]),
    Route("/api/v1/tasks/{task}/release", release_pair, methods=["POST"]),
    Route("/api/v1/rollouts/{rollout}/pause", pause_rollout, methods=["POST"]),
    Route("/api/v1/rollouts/{rollout}/resume", resume_rollout, methods=["POST"]),
)
