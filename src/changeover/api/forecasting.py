"""How long would a rollout take? The forecast of a plan, and the refusal to start one that cannot decide in time."""

import asyncio
import math
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.declared_now import declared_now
from changeover.api.desk import Desk, desk_of
from changeover.api.errors import ApiError, answer, bad_request, invalid
from changeover.api.problem import Problem
from changeover.api.reading import task_named
from changeover.evidence.arrivals import DAY_S, declared_arrivals
from changeover.gates.forecast import LawBook
from changeover.ports.office import Foreknowledge
from changeover.rollout.adjustment import Adjustment, adjusted
from changeover.rollout.forecast import PlanForecast, forecast_plan
from changeover.rollout.forecast_words import hopeless_reasons, regression_sentences, sentence
from changeover.rollout.plan import Plan
from changeover.rollout.ways_out import Adjusting, WayOut, accepting_command, ways_out
from changeover.settings.declared import Declared, SettingsError
from changeover.settings.plans import plan_for
from changeover.settings.preset_trial import with_preset

REQUESTS_PER_DAY_MAX: Final = 1e12
ANY_CANDIDATE: Final = "the candidate"


class ForecastAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The forecast of a plan for ``task``, from ``stable`` to ``candidate`` (``None``: any, by the default plan).

    ``sentence`` says it in one breath, ``regressions`` how soon each harm is caught. ``hopeless`` says why ``rollout start``
    would refuse, and is empty where it would not; ``ways_out`` what can be done then, ``accept`` the command that starts
    all the same.
    """

    task: str
    stable: str
    candidate: str | None
    plan: Plan
    forecast: PlanForecast
    sentence: str
    regressions: tuple[str, ...] = ()
    hopeless: tuple[str, ...] = ()
    ways_out: tuple[WayOut, ...] = ()
    accept: str = ""


async def forecast(request: Request) -> Response:
    """``GET /api/v1/tasks/{task}/forecast``: ``to``, ``requests_per_day``, ``preset``, ``even``, ``guard_only``, ``margin``."""
    desk, asked = desk_of(request), request.query_params
    declared = await declared_now(desk)
    start = Adjusting(
        task=request.path_params["task"],
        candidate=asked.get("to") or "",
        requests_per_day=_requests_per_day(asked.get("requests_per_day")),
        adjustment=Adjustment(
            even=asked.get("even", "") in ("1", "true"),
            guard_only=tuple(name for name in asked.get("guard_only", "").split(",") if name),
            margins=dict(_margin(text) for text in asked.get("margin", "").split(",") if text),
        ),
    )
    world = await desk.office.read(lambda store: store.world())
    task_named(world, start.task)
    try:
        start, plan = _asked_plan(declared, start, preset=asked.get("preset"))
    except SettingsError as error:
        raise invalid(
            "what was asked for does not fit changeover.yaml", hint="correct the command, or the file", faults=error.faults
        ) from error
    return answer(await foresee(desk, start, adjusted(plan, start.adjustment)))


async def foresee(desk: Desk, start: Adjusting, plan: Plan) -> ForecastAnswer:
    """The forecast of ``plan``, which has ``start``'s adjustment already, from the task's own traffic."""
    world = await desk.office.read(lambda store: store.world())
    task = task_named(world, start.task)
    known = await desk.assessor.foreknow(task, plan.criteria)
    if start.requests_per_day is not None:
        known = known._replace(arrivals=declared_arrivals(start.requests_per_day))
    return await asyncio.to_thread(_foreseen, start, plan, known, stable=task.stable)


async def hopeful_plan(desk: Desk, start: Adjusting, plan: Plan, *, accepted: str | None) -> Plan:
    """The plan to start with: ``start``'s adjustment made, and if it is hopeless, the reason why that is ``accepted``.

    Raises:
        ApiError: the plan cannot decide in time, and nobody accepted that.
    """
    plan = adjusted(plan, start.adjustment)
    found = await foresee(desk, start, plan)
    if not found.hopeless:
        return plan
    if accepted is None:
        raise _refusal(found)
    if not accepted.strip():
        raise invalid("accept_undecided needs a reason", hint="say why: --reason TEXT")
    return msgspec.structs.replace(plan, undecided_accepted=f"{accepted.strip()} ({'; '.join(found.hopeless)})")


def _foreseen(start: Adjusting, plan: Plan, known: Foreknowledge, *, stable: str) -> ForecastAnswer:
    block = 1.0 if known.arrivals is None else known.arrivals.later * plan.evidence.block_s / DAY_S
    book = LawBook(known.facts, plan.evidence, block=block)

    def forecast_of(other: Plan) -> PlanForecast:
        return forecast_plan(other, book.laws(other.criteria), known.arrivals)

    found = forecast_of(plan)
    hopeless = hopeless_reasons(found, task=start.task)
    return ForecastAnswer(
        task=start.task,
        stable=stable,
        candidate=start.candidate or None,
        plan=plan,
        forecast=found,
        sentence=sentence(found, candidate=start.candidate or ANY_CANDIDATE, stable=stable),
        regressions=regression_sentences(found),
        hopeless=hopeless,
        ways_out=ways_out(start, plan, found, known.facts, forecast_of) if hopeless else (),
        accept=accepting_command(start) if hopeless else "",
    )


def _asked_plan(declared: Declared, start: Adjusting, *, preset: str | None) -> tuple[Adjusting, Plan]:
    """The plan of the file for the pair; without a candidate that of the task's only declared rollout, or the default."""
    if not start.candidate:
        mine = [rollout for rollout in declared.rollouts.values() if rollout.task == start.task]
        start = msgspec.structs.replace(start, candidate=mine[0].candidate if len(mine) == 1 else "")
    task = declared.tasks.get(start.task)
    without = tuple(task.criteria.left_out) if task is not None else ()
    start = msgspec.structs.replace(start, without=without)
    candidate = start.candidate or next(iter(declared.deployments), "")
    _, plan = plan_for(declared, task=start.task, candidate=candidate, without=without)
    if task is not None:
        plan = msgspec.structs.replace(plan, criteria=task.criteria)
    if preset is None:
        return start, plan
    return start, msgspec.structs.replace(plan, criteria=with_preset(plan.criteria, preset))


def _refusal(found: ForecastAnswer) -> ApiError:
    problem = Problem(
        code="hopeless",
        message=f"this plan cannot be expected to decide in time: {'; '.join(found.hopeless)}",
        hint=f"start it all the same: {found.accept}",
        ways_out=found.ways_out,
    )
    return ApiError(409, problem)


def _requests_per_day(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= REQUESTS_PER_DAY_MAX:
        raise bad_request(f"requests_per_day: found {text!r}, expected a number above 0", hint="for example ?requests_per_day=50000")
    return value


def _margin(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise bad_request(f"margin: found {text!r}, expected CRITERION=NUMBER", hint="for example ?margin=quality=0.2") from error


ROUTES: Final = (Route("/api/v1/tasks/{task}/forecast", forecast, methods=["GET"]),)
