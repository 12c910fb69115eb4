"""Which requests did a rollout's candidate answer? One line each, read page by page, so that they can be done again."""

import datetime as dt
from collections.abc import AsyncGenerator, Sequence
from typing import Final, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from changeover.api.affected_answers import AffectedAnswer, AffectedEnd, AffectedEndLine
from changeover.api.bodies import NDJSON
from changeover.api.closing import closing_of
from changeover.api.desk import Desk, desk_of
from changeover.api.errors import bad_request, not_found
from changeover.api.reading import rollout_named, world_and_planes
from changeover.exchange.observation import Observation
from changeover.ports.planes import PlaneState
from changeover.ports.store import ISSUER_AGE_S, Mark, Store, StoreError, mark_of
from changeover.rollout.state import Rollout
from changeover.rollout.world import World
from changeover.traffic.table import Side

ROWS_PER_LOOK: Final = 2000
"""Requests read in one look at the store: others get their turn in between."""
STILL_THERE_S: Final = 5.0
"""A caller hears something at least this often, were it an empty line."""

_NOTHING_ON_TRIAL: Final = 0
_BACK: Final = ("rolling_back", "rolled_back")
_END: Final = float("inf")


class _Stretch(NamedTuple):
    """Requests of one attempt, after a mark and before a time."""

    attempt: int
    after: Mark
    until: float


class _Wanted(NamedTuple):
    """Whose answers. ``assigned``: also what the candidate was to answer and did not."""

    rollout: Rollout
    members: frozenset[str]
    assigned: bool

    def has(self, seen: Observation) -> bool:
        """In another attempt than its own the candidate may be on trial again; what it answers as that is that attempt's."""
        own = seen.attempt == self.rollout.attempt
        if seen.served in self.members:
            return own or seen.side is not Side.CANDIDATE
        return self.assigned and own and seen.side is Side.CANDIDATE


async def affected(request: Request) -> Response:
    """Line by line, by attempt and then by when they began; the last line is the end."""
    desk = desk_of(request)
    world, planes = await desk.office.read(world_and_planes)
    rollout = rollout_named(world, request.path_params["rollout"])
    members = frozenset(rollout.candidate_pool or (rollout.candidate,))
    wanted = _Wanted(rollout, members, request.query_params.get("assigned", "0") not in ("0", "false", ""))
    stretches = _stretches(world, rollout)
    after = request.query_params.get("after")
    if after is not None:
        stretches = await desk.office.read(lambda store: _resumed(store, stretches, rollout, after))
    return StreamingResponse(_lines(request, desk, wanted, stretches, planes), media_type=NDJSON)


def _stretches(world: World, rollout: Rollout) -> list[_Stretch]:
    """Where the candidate's answers may lie: in its own attempt; after that where it was promoted, or where a conversation that
    it began went on with it, for as long as that is possible.
    """
    task = world.tasks.get(rollout.task) or world.past_tasks.get(rollout.task)
    attempts = rollout.attempt if task is None else task.attempts
    progress = rollout.progress
    until = progress.weight_set_at + ISSUER_AGE_S if progress.phase.value in _BACK else _END
    begin = Mark(rollout.started_at, "")
    others = (_NOTHING_ON_TRIAL, *range(rollout.attempt + 1, attempts + 1))
    return [_Stretch(rollout.attempt, Mark(0.0, ""), _END), *(_Stretch(attempt, begin, until) for attempt in others)]


def _resumed(store: Store, stretches: Sequence[_Stretch], rollout: Rollout, after: str) -> list[_Stretch]:
    """What comes after the request of that id.

    Raises:
        ApiError: it is not known, or no line of this rollout can have named it.
    """
    seen = store.observation(after)
    if seen is None:
        raise not_found(f"after: found no request {after!r}", hint="name the request_id of the last line that came")
    attempts = [stretch.attempt for stretch in stretches]
    if seen.task != rollout.task or seen.attempt not in attempts:
        hint = "name the request_id of the last line that came, or leave it out to begin anew"
        raise bad_request(f"after: request {after!r} is none of rollout {rollout.id}", hint=hint)
    first, *rest = stretches[attempts.index(seen.attempt) :]
    return [first._replace(after=mark_of(seen)), *rest]


async def _lines(
    request: Request, desk: Desk, wanted: _Wanted, stretches: Sequence[_Stretch], planes: Sequence[PlaneState]
) -> AsyncGenerator[bytes]:
    closing, count, told_at, problem = closing_of(request.app), 0, desk.clock.now(), ""
    try:
        async for page in _pages(desk, wanted.rollout.task, stretches):
            found = [_line(seen) for seen in page if wanted.has(seen)]
            count += len(found)
            if found or desk.clock.now() - told_at > STILL_THERE_S:
                yield b"".join(found) or b"\n"
                told_at = desk.clock.now()
            if closing.is_set():
                problem = "the server is stopping"
                break
    except StoreError as error:
        problem = f"the store failed: {error}"
    yield msgspec.json.encode(AffectedEndLine(end=_end(planes, count=count, now=desk.clock.now(), problem=problem))) + b"\n"


async def _pages(desk: Desk, task: str, stretches: Sequence[_Stretch]) -> AsyncGenerator[list[Observation]]:
    for stretch in stretches:
        after, full = stretch.after, True
        while full and after.started_at < stretch.until:
            page = await desk.office.read(
                lambda store, stretch=stretch, after=after: store.rows_after(
                    task=task, attempt=stretch.attempt, after=after, most=ROWS_PER_LOOK
                )
            )
            yield [seen for seen in page if seen.started_at < stretch.until]
            full = len(page) == ROWS_PER_LOOK
            after = mark_of(page[-1]) if page else after


def _line(seen: Observation) -> bytes:
    return msgspec.json.encode(_answer(seen)) + b"\n"


def _answer(seen: Observation) -> AffectedAnswer:
    time = dt.datetime.fromtimestamp(seen.started_at, tz=dt.UTC).isoformat(timespec="milliseconds")
    return AffectedAnswer(
        request_id=seen.request_id,
        time=time.replace("+00:00", "Z"),
        started_at=seen.started_at,
        attempt=seen.attempt,
        unit=seen.unit,
        sticky=seen.sticky,
        side=seen.side,
        assigned=seen.assigned,
        served=seen.served,
        failed_over=seen.served is not None and seen.served != seen.assigned,
        outcome=seen.outcome,
        served_model=seen.served_model,
        status=seen.status,
        error=seen.error,
        attempts=seen.attempts,
        retry=seen.retry,
        forced=seen.forced,
        streamed=seen.streamed,
        surface=seen.surface,
        slice=seen.slice,
        response=seen.response,
    )


def _end(planes: Sequence[PlaneState], *, count: int, now: float, problem: str) -> AffectedEnd:
    live = [plane.watermark_at for plane in planes if not plane.is_silent(now)]
    return AffectedEnd(
        count=count,
        complete_until=min(live, default=None),
        silent=tuple(plane.plane for plane in planes if plane.is_silent(now)),
        lost=sum(plane.lost + plane.dropped.candidate + plane.dropped.unassigned for plane in planes),
        problem=problem,
    )


ROUTES: Final = (Route("/api/v1/rollouts/{rollout}/affected", affected, methods=["GET"]),)
