"""Which versions answered for a task's stable side, and how did each do? Read in bounded looks, evenly over the time."""

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.bodies import seconds
from changeover.api.desk import Desk, desk_of
from changeover.api.errors import answer, bad_request
from changeover.api.reading import task_named
from changeover.api.served_answers import ServedAnswer, ServedVersionView
from changeover.evidence.moments import Moments
from changeover.evidence.served_versions import NOBODY_SERVED, ServedVersion, ServedVersions
from changeover.exchange.observation import Observation
from changeover.ports.store import Store
from changeover.rollout.world import World, routes
from changeover.traffic.table import Side
from changeover.versions.identity import Served, contradiction

LAST_S: Final = 7 * 86_400.0
LAST_S_MAX: Final = 366 * 86_400.0

SLICES: Final = 96
ROWS_PER_SLICE: Final = 1000
"""Requests read of each attempt in a slice of the time, at most: nobody waits for the store behind such a look."""

ATTEMPTS_MAX: Final = 20
"""The newest attempts that are looked into, besides the requests served while nothing was on trial."""

_NOTHING_ON_TRIAL: Final = 0


class _Asked(NamedTuple):
    """Whose requests, of which attempts."""

    task: str
    stable: tuple[str, ...]
    attempts: tuple[int, ...]


class _Look(NamedTuple):
    """What was read so far. ``cut``: somewhere there was more."""

    served: ServedVersions = NOBODY_SERVED
    cut: bool = False


async def served(request: Request) -> Response:
    desk = desk_of(request)
    world = await desk.office.read(lambda store: store.world())
    task = task_named(world, request.path_params["task"])
    since, until = _window(request, now=desk.clock.now())
    newest = range(max(1, task.attempts - ATTEMPTS_MAX + 1), task.attempts + 1)
    asked = _Asked(task.name, routes(world)[task.name].stable_members, (_NOTHING_ON_TRIAL, *newest))
    look = await _looked(desk, asked, since=since, until=until)
    body = ServedAnswer(
        task=task.name,
        stable=asked.stable,
        since=since,
        until=until,
        read=look.served.requests,
        sampled=look.cut,
        versions=tuple(_view(world, version) for version in look.served.versions),
        drifts=tuple(drift for drift in world.drifts if drift.deployment in asked.stable and since <= drift.seen_at < until),
    )
    return answer(body)


async def _looked(desk: Desk, asked: _Asked, *, since: float, until: float) -> _Look:
    """One look at the store for each slice, so that others get their turn in between."""
    look = _Look()
    edges = [since + (until - since) * number / SLICES for number in range(SLICES)]
    for window in pairwise([*edges, until]):
        look = await desk.office.read(lambda store, look=look, window=window: _slice(store, asked, look, window))
    return look


def _slice(store: Store, asked: _Asked, look: _Look, window: tuple[float, float]) -> _Look:
    since, until = window
    pages = [
        store.first_rows(task=asked.task, attempt=attempt, since=since, until=until, most=ROWS_PER_SLICE) for attempt in asked.attempts
    ]
    rows = [row for page in pages for row in page if row.side is Side.STABLE and row.assigned in asked.stable]
    cut = look.cut or any(len(page) >= ROWS_PER_SLICE for page in pages)
    return _Look(look.served.after(_in_order(rows)), cut) if rows else look._replace(cut=cut)


def _in_order(rows: Sequence[Observation]) -> list[Observation]:
    return sorted(rows, key=lambda row: (row.started_at, row.request_id))


def _window(request: Request, *, now: float) -> tuple[float, float]:
    until = _moment(request, "until", default=now)
    since = _moment(request, "since", default=until - seconds(request, "last", default=LAST_S, most=LAST_S_MAX))
    if not until - LAST_S_MAX <= since < until:
        raise bad_request(
            f"since: found {since:.0f}, expected a time before until, {until:.0f}, and at most {LAST_S_MAX / 86_400:.0f} days before it",
            hint="leave both out for the last seven days",
        )
    return since, until


def _moment(request: Request, name: str, *, default: float) -> float:
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise bad_request(f"{name}: found {text!r}, expected Unix seconds", hint=f"for example ?{name}={default:.0f}")
    return value


def _view(world: World, version: ServedVersion) -> ServedVersionView:
    quantiles = [version.times.quantile(share) for share in (0.5, 0.95, 0.99)]
    return ServedVersionView(
        deployment=version.deployment,
        model=version.model,
        contradicts=_contradicts(world, version),
        requests=version.requests,
        errors=version.errors,
        error_share=version.errors / version.requests,
        latency_ms_p50=quantiles[0],
        latency_ms_p95=quantiles[1],
        latency_ms_p99=quantiles[2],
        cost_usd_mean=_mean(version.money),
        tokens_input_mean=_mean(version.input),
        tokens_output_mean=_mean(version.output),
        filtered=version.filtered,
        filter_known=version.filter_known,
        filtered_share=version.filtered / version.filter_known if version.filter_known else None,
        first_seen_at=version.first_seen_at,
        last_seen_at=version.last_seen_at,
    )


def _mean(moments: Moments) -> float | None:
    return moments.mean if moments.count else None


def _contradicts(world: World, version: ServedVersion) -> bool:
    deployment = world.deployments.get(version.deployment)
    account = None if deployment is None else world.accounts.get(deployment.account)
    if deployment is None or account is None:
        return False
    return contradiction(Served(version.model), deployment=deployment, account=account) is not None


ROUTES: Final = (Route("/api/v1/tasks/{task}/served", served, methods=["GET"]),)
