"""Start a rollout: the file says how, the office says whether."""

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.answers import StartedAnswer
from changeover.api.bodies import actor_of, read_json
from changeover.api.commanding import Reason
from changeover.api.declared_now import declared_now, edit_warnings
from changeover.api.desk import Desk, desk_of
from changeover.api.errors import ApiError, answer, invalid
from changeover.api.following import followed
from changeover.api.forecasting import REQUESTS_PER_DAY_MAX, hopeful_plan
from changeover.api.preflighting import Samples, preflighted
from changeover.api.previewing import previewed
from changeover.api.problem import Problem
from changeover.api.views import start_warnings
from changeover.ports.probing import Progress, Tell
from changeover.rollout.adjustment import NO_ADJUSTMENT, Adjustment, adjusted
from changeover.rollout.commands import Order, RolloutRequest, start_rollout
from changeover.rollout.plan import Plan, Strategy
from changeover.rollout.preflight import Preflight
from changeover.rollout.ways_out import Adjusting
from changeover.rollout.world import Proposal, RolloutStarted, World
from changeover.settings.declared import SettingsError
from changeover.settings.plans import UnsourcedError, candidate_pool, plan_for

SUFFIX_DIGITS: Final = 6

RequestsPerDay = Annotated[float, msgspec.Meta(gt=0, le=REQUESTS_PER_DAY_MAX)]


class StartOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``without`` names the criteria without a source that the rollout may go without. ``requests`` are tried on the candidate
    beside what the task's own requests look like; ``skip_preflight`` tries nothing, and wants a reason.

    A ``strategy`` takes its own steps in place of the declared ones. ``dry_run`` answers with what would be done, and does nothing.

    ``adjustment`` changes the plan for this rollout alone. A plan that cannot be expected to decide in time is refused unless
    ``accept_undecided``, which wants a reason; ``requests_per_day`` replaces the traffic that was seen.
    """

    task: str
    candidate: str
    without: tuple[str, ...] = ()
    skip_preflight: bool = False
    requests: Samples = ()
    reason: Reason = ""
    expected_revision: int | None = None
    adjustment: Adjustment = NO_ADJUSTMENT
    requests_per_day: RequestsPerDay | None = None
    accept_undecided: bool = False
    strategy: Strategy | None = None
    dry_run: bool = False

    @property
    def adjusting(self) -> Adjusting:
        """The same as the forecast knows it."""
        return Adjusting(
            task=self.task,
            candidate=self.candidate,
            without=self.without,
            requests_per_day=self.requests_per_day,
            adjustment=self.adjustment,
        )


async def start(request: Request) -> Response:
    """Begin a rollout; who accepts JSON lines hears how far the trial of its candidate has come."""
    return await followed(request, _start)


async def preview(request: Request) -> Response:
    """What a start would do. It does nothing, whatever is sent: so whoever may look may ask."""
    sent = msgspec.structs.replace(await read_json(request, StartOrder), dry_run=True)
    return await _ordered(request, sent, _unheard)


async def _start(request: Request, tell: Tell) -> Response:
    return await _ordered(request, await read_json(request, StartOrder), tell)


def _unheard(_: Progress) -> None:
    """Nothing is tried, so there is nothing to tell."""


async def _ordered(request: Request, sent: StartOrder, tell: Tell) -> Response:
    """Plan from what is declared, try the candidate, and begin. All faults of the file come back at once."""
    desk = desk_of(request)
    name, plan, pool = await _plan(desk, sent)
    if sent.dry_run:
        plan = adjusted(plan, sent.adjustment)  # whatever its forecast says, which is shown
    else:
        plan = await hopeful_plan(desk, sent.adjusting, plan, accepted=sent.reason if sent.accept_undecided else None)
    order = Order(actor=actor_of(request), reason=sent.reason, expected_revision=sent.expected_revision)
    salt, suffix = desk.dice.token(), desk.dice.token()[:SUFFIX_DIGITS]

    def decide(world: World, tried: Preflight | None = None) -> Proposal:
        identity = rollout_id(world, task=sent.task, name=name or sent.task, suffix=suffix)
        wanted = RolloutRequest(
            task=sent.task, candidate=sent.candidate, candidate_pool=pool, plan=plan, id=identity, salt=salt, preflight=tried
        )
        return start_rollout(world, wanted, order=order, now=desk.clock.now())  # the trial took its time

    if sent.dry_run:
        return await _preview(desk, sent, decide)
    tried = await preflighted(
        desk,
        task=sent.task,
        members=pool or (sent.candidate,),
        samples=sent.requests,
        skip=sent.skip_preflight,
        reason=sent.reason,
        decide=decide,
        tell=tell,
    )
    change = await desk.office.commit(lambda world: decide(world, tried))
    assert isinstance(change.body, RolloutStarted)
    rollout = change.body.rollout
    warnings = start_warnings(await desk.office.read(lambda store: store.world()), rollout) + await edit_warnings(desk, sent.task)
    return answer(
        StartedAnswer(revision=change.revision, rollout=rollout, left_out=plan.criteria.left_out, preflight=tried, warnings=warnings),
        status=201,
    )


async def _preview(desk: Desk, sent: StartOrder, decide: Callable[[World], Proposal]) -> Response:
    """What is refused as it stands is refused here too."""
    world = await desk.office.read(lambda store: store.world())
    body = decide(world).body
    assert isinstance(body, RolloutStarted)
    return answer(await previewed(desk, world, body.rollout, sent.adjusting))


async def _plan(desk: Desk, sent: StartOrder) -> tuple[str | None, Plan, tuple[str, ...]]:
    """The file's name for the rollout, its plan, and the pool that the candidate stands for."""
    declared = await declared_now(desk)
    try:
        name, plan = plan_for(declared, task=sent.task, candidate=sent.candidate, without=sent.without, strategy=sent.strategy)
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


ROUTES: Final = (
    Route("/api/v1/rollouts", start, methods=["POST"]),
    Route("/api/v1/rollouts/preview", preview, methods=["POST"]),
)
